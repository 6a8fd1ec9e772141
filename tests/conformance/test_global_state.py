"""What is told of a block that touches what belongs to the whole process, and that it is undone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from rdfc_core.contract.global_state import left_alone
from rdfc_core.errors import ContractError


@pytest.mark.parametrize(
    ("touch", "told"),
    [
        (lambda: torch.manual_seed(0), "seeds torch's global generator"),
        (lambda: torch.manual_seed(7), "seeds torch's global generator"),
        (lambda: torch.rand(3), "draws from torch's global generator"),
    ],
)
def test_seeding_is_told_as_seeding_though_the_process_has_that_very_seed(
    touch: Callable[[], object], told: str
) -> None:
    torch.manual_seed(0)
    with pytest.raises(ContractError, match=told), left_alone("It"):
        touch()


@pytest.mark.parametrize("fails", [False, True])
def test_the_generator_goes_on_as_if_nobody_had_looked(fails: bool) -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    try:
        with left_alone("It"):
            if fails:
                raise ValueError
    except ValueError:
        assert fails
    assert torch.initial_seed() == 3
    assert torch.equal(torch.rand(2), expected)
