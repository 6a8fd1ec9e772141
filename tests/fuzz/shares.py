"""How many inputs of each kind: a few in the default tests, all in `nox -s fuzz`."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, settings

WHOLE = "RDFC_FUZZ"
"""Set by the nox session: the number of inputs that the shares below are thousandths of."""

DEFAULT = 300


def share(thousandths: int, least: int = 5, shrink: bool = True) -> Callable[[Any], Any]:
    """Settings under which a test draws its share of all inputs.

    The default tests draw the same inputs every time; the session draws others each time, and
    prints those that fail as small as they can be made, unless each is slow (``shrink=False``).
    """
    whole = os.environ.get(WHOLE)
    return settings(
        max_examples=max(least, int(whole or DEFAULT) * thousandths // 1000),
        derandomize=whole is None,
        database=None,  # it would write into the working folder
        deadline=None,  # the guard has its own
        phases=[Phase.explicit, Phase.generate, *([Phase.shrink] if shrink else [])],
        print_blob=whole is not None,
        suppress_health_check=list(HealthCheck),
    )
