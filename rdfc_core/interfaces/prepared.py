"""What a view makes of one case, and what makes it. Free of torch: worker processes load this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from numpy.typing import NDArray

from rdfc_core.case import Tumour


@dataclass(frozen=True, eq=False)
class Prepared:
    """What a view made of one case; kept in the store.

    Args:
        array: Any shape and real type; NaN marks a missing feature.
        names: For feature vectors, the name of each entry; empty for pictures.
        missing: Name of each missing feature → the reason.
        remarks: What was done differently for this case, in sentences for the user.
        columns: Name → text of the columns that `Needs.fit_columns` names; "" where there is no
            value. Never stored: core adds them where a view is fitted or collates.
    """

    array: NDArray[Any]
    names: tuple[str, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)


class Preparer(Protocol):
    """What extraction sends to its workers: the part of a view that looks at one case.

    It may have an attribute ``needs`` (`Needs`); without it, that of its view holds.
    """

    def recipe(self) -> dict[str, Any]:
        """Everything that determines what `prepare` gives, as JSON: the store's key."""

    def prepare(self, tumour: Tumour) -> Prepared:
        """What the view makes of one tumour."""
