"""Masks on another grid than their image: within a tolerance, corrected, or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from rdfc_core.case import Case
from rdfc_core.data.case_check import check_case
from rdfc_core.data.readers.volumes import VolumeReader
from rdfc_core.errors import DataError, StudyError
from rdfc_core.extraction.extract import extract
from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
from rdfc_core.extraction.shared_mask_grid import mask_grid_of
from rdfc_core.extraction.store import Store
from rdfc_core.interfaces import Prepared
from rdfc_core.mask_grid import MaskGrid
from rdfc_core.volume import Volume

reader = VolumeReader()
CORRECTED = MaskGrid(0.01, correct=True)
SHAPE = (12, 20, 22)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Case]:
    """An image and masks on other grids: finer, moved, cropped, turned, and one that leaves it."""
    image = sitk.GetImageFromArray(np.random.default_rng(0).normal(size=SHAPE))
    image.SetSpacing((0.8, 0.8, 2.0))
    sitk.WriteImage(image, str(tmp_path / "image.nrrd"))
    inside = np.zeros(SHAPE, np.uint8)
    inside[3:9, 5:15, 6:16] = 2
    mask = sitk.GetImageFromArray(inside)
    mask.CopyInformation(image)
    finer = sitk.Resample(
        mask, (44, 40, 24), sitk.Transform(), 1, (-0.2, -0.2, -0.5), (0.4, 0.4, 1)
    )
    masks = {"same": mask, "finer": finer, "cropped": mask[4:18, 3:17, 2:10]}
    masks["turned"] = sitk.PermuteAxes(mask, (2, 0, 1))
    masks["near"], masks["outside"] = sitk.Image(mask), sitk.Image(mask)
    masks["near"].SetOrigin((0.15, 0, 0))
    masks["outside"].SetOrigin((100, 0, 0))
    masks["wider"] = sitk.Image(mask)
    masks["wider"].SetSpacing((0.802, 0.802, 2))
    for name, other in masks.items():
        sitk.WriteImage(other, str(tmp_path / f"{name}.nrrd"))
    return {
        name: Case(name, name, tmp_path / "image.nrrd", tmp_path / f"{name}.nrrd", reader=reader)
        for name in masks
    }


def on_grid(case: Case, grid: MaskGrid) -> Case:
    return Case(case.case_id, "p", case.image, case.mask, reader=reader, mask_grid=grid)


@pytest.mark.parametrize("name", ["finer", "cropped", "turned", "near", "wider"])
def test_a_mask_on_another_grid_is_refused_unless_it_is_to_be_corrected(
    files: dict[str, Case], name: str
) -> None:
    with pytest.raises(DataError, match="Resample the mask onto the image's grid"):
        files[name].load()
    image = sitk.ReadImage(str(files[name].image))
    expected = sitk.Resample(sitk.ReadImage(str(files[name].mask)), image, sitk.Transform(), 1)
    tumour = on_grid(files[name], MaskGrid(correct=True)).load()
    np.testing.assert_array_equal(tumour.mask, sitk.GetArrayFromImage(expected) != 0)


@pytest.mark.parametrize("name", ["finer", "cropped"])
@pytest.mark.parametrize("mask_value", [None, 3])
def test_an_outline_is_interpolated_and_cut_at_half(files, name, mask_value):
    case = files[name]
    image, mask = (sitk.ReadImage(str(path)) for path in (case.image, case.mask))
    outline = sitk.Cast(mask != 0, sitk.sitkFloat32)
    expected = sitk.Resample(outline, image, sitk.Transform(), sitk.sitkLinear)
    grid = MaskGrid(correct=True, linear=True)
    if mask_value is not None:
        mask = sitk.Cast(mask != 0, sitk.sitkUInt8) * mask_value
    fitted = grid.fit(Volume.from_sitk(image), Volume.from_sitk(mask), mask_value)
    assert set(np.unique(fitted.array)) == {0, mask_value or 1}
    np.testing.assert_array_equal(fitted.array != 0, sitk.GetArrayFromImage(expected) >= 0.5)


def test_the_key_of_what_was_stored_before_stays():
    assert MaskGrid(0.1, True).described() == {"tolerance": 0.1, "correct": True}
    assert MaskGrid(0.1, True, True).described()["linear"] is True


def test_a_mask_that_would_leave_the_image_is_refused(files: dict[str, Case]) -> None:
    with pytest.raises(DataError, match="the outline of the mask leaves the image"):
        on_grid(files["outside"], CORRECTED).load()


def test_the_tolerance_takes_the_place_of_the_limits(files: dict[str, Case]) -> None:
    assert on_grid(files["wider"], MaskGrid(0.01)).load().mask.sum() == 600
    with pytest.raises(DataError, match=r"the mask has spacing \(mm\) \(2, 0.802, 0.802\)"):
        on_grid(files["wider"], MaskGrid(0.001)).load()
    assert on_grid(files["near"], MaskGrid(0.2)).load().mask.sum() == 600
    with pytest.raises(DataError, match="the mask has origin"):
        on_grid(files["near"], MaskGrid(0.01)).load()


def test_a_check_says_that_a_mask_was_resampled(files: dict[str, Case]) -> None:
    checked = check_case(on_grid(files["cropped"], CORRECTED))
    assert not checked.problems
    (note,) = checked.seen.notes
    assert "the mask (8 x 14 x 14 samples of 2 x 0.8 x 0.8 mm) was resampled" in note


class Area:
    """A view of one number."""

    def prepare(self, tumour):
        return Prepared(np.array([tumour.mask.sum()], np.float64), ("area",))

    def recipe(self):
        return {"view": "area"}


class AreaOnMaskGrid(Area):
    """One that says what is done about masks on another grid."""

    mask_grid = CORRECTED

    def recipe(self):
        return {"view": "area", "correct": True}


def test_what_one_view_says_holds_for_all_and_is_stored_apart(
    tmp_path: Path, files: dict[str, Case]
) -> None:
    store = Store(tmp_path / "store.sqlite")
    executor = LocalExecutor(LocalExecutorConfig(workers=0))
    cases = [files["cropped"]]
    both = extract(cases, {"features": AreaOnMaskGrid(), "image": Area()}, store, executor)
    assert both.prepared["image"]["cropped"].array == 600
    again = extract(cases, {"features": AreaOnMaskGrid(), "image": Area()}, store, executor)
    assert again.made == 0
    (refused,) = extract(cases, {"image": Area()}, store, executor).failures
    assert "the mask has shape (8, 14, 14)" in refused.reason


def test_views_that_differ_about_the_grid_are_refused() -> None:
    other = AreaOnMaskGrid()
    other.mask_grid = MaskGrid(0.5)
    with pytest.raises(StudyError, match="'a' and 'b' differ in correctMask"):
        mask_grid_of({"a": AreaOnMaskGrid(), "b": other, "c": Area()})
