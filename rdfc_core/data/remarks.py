"""What an extractor remarks of a case, as a finding of a check or a run."""

from __future__ import annotations

from rdfc_core.interfaces.dataset import Problem


def as_warning(case_id: str, remark: str) -> Problem:
    """The first sentence is what was done, the rest what the user can do about it."""
    message, _, fix = remark.partition(". ")
    return Problem(
        case_id, "features", message.rstrip("."), fix or "Nothing need be done.", "warning"
    )
