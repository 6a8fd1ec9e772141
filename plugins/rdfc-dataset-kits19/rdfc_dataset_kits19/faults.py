"""Cases of KiTS19 that are known not to be as they should."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Finding(NamedTuple):
    """What is known of a case, and of which of its files."""

    field: str
    reason: str


FAULTS: Mapping[str, Finding] = {
    "case_00015": Finding("image", "slices are repeated, and the mask is faulty"),
    "case_00025": Finding("image", "slices are repeated"),
    "case_00037": Finding("mask", "the mask is faulty"),
    "case_00061": Finding("image", "slices are repeated"),
    "case_00117": Finding("image", "slices are repeated"),
}
"""These can be left out."""

ODDITIES: Mapping[str, Finding] = {
    "case_00160": Finding("image", "its slices are 512 × 796; those of all others are 512 × 512"),
}
"""Unusual but sound, and always used."""
