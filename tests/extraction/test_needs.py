"""What views need, whoever says it, and what no case can give."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rdfc_core.case import Case, Needs, Tumour
from rdfc_core.errors import StudyError
from rdfc_core.extraction.needs import needs_of, preparer_of, require_needs
from rdfc_core.extraction.shared_mask_grid import on_mask_grid
from rdfc_core.interfaces import Prepared
from rdfc_core.mask_grid import MaskGrid
from rdfc_core.views.size import Size
from tests.support.small_parts import GreyView, GreyViewConfig
from tests.support.small_preparers import GreyPreparer


class Light:
    """What a view hands to workers; it says nothing of what it needs."""

    def recipe(self) -> dict[str, Any]:
        return {"view": "light"}

    def prepare(self, tumour: Tumour) -> Prepared:
        return Prepared(np.zeros(1))


class OfFlair(GreyView):
    needs = Needs(("flair",), ("age",))

    def preparer(self) -> Light:
        return Light()


class OnGrid(Light):
    mask_grid = MaskGrid(correct=True)


class OfColumns(Light):
    needs = Needs((), ("age",))


def of(images: tuple[str, ...], **further: Any) -> Case:
    files = {name: Path(f"{name}.nii") for name in images}
    return Case.of_images("-".join(images), "p", files, Path("mask.nii"), **further)


def test_a_view_speaks_for_a_preparer_that_says_nothing():
    preparer = preparer_of(OfFlair(GreyViewConfig()))
    assert needs_of(pickle.loads(pickle.dumps(preparer))) == OfFlair.needs
    assert preparer.recipe() == {"view": "light"}
    assert type(preparer_of(GreyView(GreyViewConfig()))) is GreyPreparer


def test_a_view_of_columns_is_stored_whatever_is_done_about_masks():
    found = on_mask_grid({"grid": OnGrid(), "greys": Light(), "columns": OfColumns()})
    assert "mask_grid" in found["greys"].recipe()
    assert found["columns"].recipe() == {"view": "light"}
    assert needs_of(found["greys"]) == Needs()


@pytest.mark.parametrize(
    ("cases", "message"),
    [
        ([of(("t1", "flair"))], r"several \(t1, flair\)"),
        ([of(("t1",)), of(("flair",))], r"several \(t1, flair\)"),
        ([of(("t1",)), of(("t1", "flair"))], r"views\.greys\.image, or main_image"),
    ],
)
def test_one_image_has_to_be_the_same_one_in_all_cases(cases, message):
    with pytest.raises(StudyError, match=message):
        require_needs(cases, {"greys": Light()})
    require_needs(cases, {"size": Size()})


def test_one_image_is_found_where_there_is_no_doubt():
    for cases in (
        [Case("a", "p", Path("a.nii"), Path("m.nii"))],
        [of(("t1",)), of(("t1",))],
        [of(("t1", "flair"), main="t1"), of(("t1",), main="t1")],
    ):
        require_needs(cases, {"greys": Light()})
