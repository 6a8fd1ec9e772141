"""Image and mask that have changed places in a list."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rdfc_core.data.case_check import check_case
from rdfc_core.errors import DataError
from tests.support.case_folder import CaseFolder, block


def test_image_and_mask_that_have_changed_places_are_told_so(tmp_path: Path) -> None:
    case = CaseFolder(tmp_path).case("swapped")
    swapped = replace(case, image=case.mask, mask=case.image)
    said = "as an image does, and the image only 2, as a mask does. Swap the two"
    with pytest.raises(DataError, match=said):
        swapped.load()
    [error] = [p for p in check_case(swapped).problems if p.severity == "error"]
    assert (error.case_id, error.field) == ("swapped", "mask")
    assert error.message.endswith("as a mask does")
    assert error.fix.startswith("Swap the two")


def test_a_mask_of_many_structures_beside_an_image_of_two_values_is_none_swapped(
    tmp_path: Path,
) -> None:
    structures = np.arange(600, dtype=np.uint16).reshape(20, 30) % 32
    case = CaseFolder(tmp_path).case("many", image=block(), mask=structures.astype(np.uint8))
    assert case.load().mask.sum() == np.count_nonzero(structures)
