"""Cases of several images and chosen columns: what a view gets, and what its result is kept under.

The keys in `KEPT` were computed before cases could have more than one image; that of the inspection
is of its version 3, which looks at colours and sizes in mm as well.
"""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from rdfc_core.case import Case, Needs, Tumour
from rdfc_core.data.case_check import check_case
from rdfc_core.data.inspection import Inspection
from rdfc_core.data.readers.auto import AutoReader
from rdfc_core.data.readers.volumes import VolumeReader
from rdfc_core.errors import DataError, PluginError, StudyError
from rdfc_core.extraction.extract import keys_of
from rdfc_core.extraction.fingerprints import view_fingerprints
from rdfc_core.mask_grid import MaskGrid
from rdfc_core.plugin.registry import installed
from rdfc_core.views.options import ImageViewConfig
from rdfc_core.views.preparers import PicturePreparer
from rdfc_core.views.size import Size
from rdfc_core.views.thumbnail import Thumbnail

KEPT = {
    "image": "fc788be77f77cad00c95e8c6765d8677732bad69172d9f68fccbf58d8ccb9730",
    "size": "dcecf863fcd97832b29d9e73c7a2e2c0eb1a30fa5516da9961c80524511e2f35",
    "picture": "bb90f50b6cf49c187401832bd04c4a9d2460505b6d7b9f06afbada6523d76c80",
    "inspection": "438fc7fb640e88e451440b0bc566bed87a476fc0f9451214aecd621b303bd2de",
}
SHAPE = (6, 8, 10)


def volume(folder: Path, name: str, array: np.ndarray, spacing=(1.0, 1.0, 2.0)) -> Path:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(spacing)
    path = folder / f"{name}.nii.gz"
    sitk.WriteImage(image, str(path))
    return path


def ramp(factor: float = 1.0) -> np.ndarray:
    return (factor * np.arange(np.prod(SHAPE)).reshape(SHAPE)).astype(np.float32)


def outline(first: int = 2) -> np.ndarray:
    mask = np.zeros(SHAPE, np.uint8)
    mask[first : first + 2, 2:5, 3:7] = 1
    return mask


@pytest.fixture
def two(tmp_path: Path) -> Case:
    images = {name: volume(tmp_path, name, ramp(f)) for name, f in (("t1", 1), ("flair", -2))}
    return Case.of_images(
        "a",
        "p",
        images,
        volume(tmp_path, "mask", outline()),
        label="yes",
        columns={"age": "63", "sex": "f", "part": "test"},
        view_columns=("age", "sex"),
        reader=VolumeReader(),
    )


# Keys


def test_what_was_stored_of_cases_of_one_image_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"image")
    (tmp_path / "b.nii.gz").write_bytes(b"mask")
    case = Case(
        "a",
        "p",
        tmp_path / "a.png",
        tmp_path / "b.nii.gz",
        columns={"age": "63"},
        reader=AutoReader.installed(installed()),
    )
    whole = "f606b95489cf212aa7713a45857dfb0c324fa59cff1840ab34ef0d81e5501aaf"
    assert case.fingerprint() == whole
    other = replace(case, mask_value=2, component="largest")
    assert other.fingerprint() == "0c2a5ff7fa6e90682ba3b1b5312bd1bb0910300e874f082eb5cf78af7b7ca7c1"
    views = {
        "image": PicturePreparer(ImageViewConfig(), 2),
        "size": Size(),
        "picture": Thumbnail(),
        "inspection": Inspection(),
    }
    prints, unmet = view_fingerprints([case], {"a": whole}, views)
    assert not unmet
    assert {view: key for (_, view), key in keys_of(prints, views).items()} == KEPT


def test_one_of_several_images_is_kept_as_if_it_were_the_only_one(two: Case) -> None:
    alone = Case("b", "q", *two.files_of("flair"), reader=VolumeReader())
    assert two.fingerprint(needs=Needs(("flair",))) == alone.fingerprint()
    assert two.fingerprint(needs=Needs(("t1",))) != alone.fingerprint()


def test_a_key_changes_with_what_is_needed_and_with_nothing_else(two: Case, tmp_path: Path) -> None:
    asked = {
        "t1": Needs(("t1",)),
        "both": Needs(("t1", "flair")),
        "shared": Needs(("t1", "flair"), grid="shared"),
        "age": Needs((), ("age",)),
        "with age": Needs(("t1",), ("age",)),
    }

    def keys(case: Case) -> dict[str, str]:
        return {name: case.fingerprint(needs=needs) for name, needs in asked.items()}

    def changed(case: Case) -> set[str]:
        return {name for name, key in keys(case).items() if key != before[name]}

    before = keys(two)
    assert len(set(before.values())) == len(asked)
    assert changed(replace(two, columns={**two.columns, "age": "64"})) == {"age", "with age"}
    assert changed(replace(two, columns={**two.columns, "sex": "m", "part": "train"})) == set()
    assert changed(replace(two, mask_value=1)) == set(asked) - {"age"}
    assert changed(replace(two, label="no", case_id="z")) == set()
    volume(tmp_path, "flair", ramp(3))
    assert changed(two) == {"both", "shared"}


def test_a_run_knows_when_any_image_or_chosen_column_changes(two: Case) -> None:
    whole = two.fingerprint()
    assert replace(two, columns={**two.columns, "sex": "m"}).fingerprint() != whole
    assert replace(two, columns={**two.columns, "part": "train"}).fingerprint() == whole
    volume(two.images["flair"].parent, "flair", ramp(3))
    assert two.fingerprint() != whole


# What a view gets


def test_a_view_gets_what_it_asks_for_and_nothing_else(two: Case) -> None:
    tumour = two.load(Needs(("flair", "t1"), ("age",)))
    assert list(tumour.images) == ["flair", "t1"]
    np.testing.assert_array_equal(tumour.image.array, ramp(-2))
    np.testing.assert_array_equal(tumour.images["t1"].image.array, ramp())
    for name in ("flair", "t1"):
        np.testing.assert_array_equal(tumour.images[name].mask, outline() == 1)
    assert dict(tumour.columns) == {"age": "63"}
    with pytest.raises(PluginError, match="column 'sex', for which it has not asked"):
        tumour.columns["sex"]
    with pytest.raises(PluginError, match="image 't1', for which it has not asked"):
        two.load(Needs(("flair",))).images["t1"]


def test_a_view_of_columns_alone_opens_no_image(two: Case) -> None:
    for path in (*two.images.values(), *two.masks.values()):
        path.unlink(missing_ok=True)
    tumour = two.load(Needs((), ("sex", "age")))
    assert dict(tumour.columns) == {"sex": "f", "age": "63"}
    for look in (lambda one: one.image, lambda one: one.mask, lambda one: one.ndim):
        with pytest.raises(PluginError, match=r"Name it in needs\.images"):
            look(tumour)


def test_a_case_of_one_image_is_what_it_was(two: Case) -> None:
    tumour = two.one("t1").load()
    assert isinstance(tumour, Tumour)
    assert (dict(tumour.images), dict(tumour.columns)) == ({}, {})


def test_each_image_may_have_its_own_mask(two: Case, tmp_path: Path) -> None:
    masks = {"t1": two.mask, "flair": volume(tmp_path, "other", outline(3))}
    own = Case.of_images("a", "p", two.images, masks, reader=VolumeReader())
    found = own.load(Needs(("t1", "flair"))).images
    np.testing.assert_array_equal(found["flair"].mask, outline(3) == 1)
    shared = own.load(Needs(("t1", "flair"), grid="shared")).images
    np.testing.assert_array_equal(shared["flair"].mask, outline(2) == 1)


def test_images_of_other_grids_are_brought_onto_the_first_ones(two: Case, tmp_path: Path) -> None:
    # A plane in x: linear interpolation gives it back exactly wherever it is sampled.
    fine = np.broadcast_to(np.arange(2 * SHAPE[2]), (SHAPE[0], SHAPE[1], 2 * SHAPE[2]))
    images = {
        **two.images,
        "fine": volume(tmp_path, "fine", fine.astype(np.int16), (0.5, 1, 2)),
    }
    case = Case.of_images("a", "p", images, two.mask, reader=VolumeReader())
    shared = case.load(Needs(("t1", "fine"), grid="shared")).images
    expected = np.broadcast_to(2.0 * np.arange(SHAPE[2]), SHAPE)
    np.testing.assert_allclose(shared["fine"].image.array, expected, rtol=1e-6)
    assert shared["fine"].image.array.shape == SHAPE
    with pytest.raises(DataError, match=r"^Case a: image 'fine': the mask has shape"):
        case.load(Needs(("t1", "fine")))
    resampled = replace(case, mask_grid=MaskGrid(correct=True)).load(Needs(("t1", "fine")))
    assert resampled.images["fine"].mask.shape == fine.shape


def test_an_image_that_misses_the_tumour_is_not_made_up(two: Case, tmp_path: Path) -> None:
    short = volume(tmp_path, "short", ramp()[:2].astype(np.int16))
    case = Case.of_images("a", "p", {**two.images, "short": short}, two.mask, reader=VolumeReader())
    with pytest.raises(DataError, match="image 'short': the outline leaves it"):
        case.load(Needs(("t1", "short"), grid="shared"))


def test_cases_of_several_images_reach_workers(two: Case) -> None:
    again = pickle.loads(pickle.dumps(two))
    assert again.fingerprint() == two.fingerprint()


# Refusals


def test_several_images_are_no_one_image(two: Case) -> None:
    with pytest.raises(DataError, match=r"several images \(t1, flair\).*main_image"):
        two.load()
    named = Case.of_images("a", "p", two.images, two.mask, main="flair", reader=VolumeReader())
    np.testing.assert_array_equal(named.load().image.array, ramp(-2))


@pytest.mark.parametrize(
    ("needs", "message"),
    [
        (Needs(("t2",)), r"^Case a: it has no image 't2' \(it has: t1, flair\)"),
        (Needs((), ("weight",)), r"^Case a: it has no column 'weight' .*\(it has: age, sex\)"),
        (Needs((), ("part",)), "no column 'part' that views may see"),
    ],
)
def test_what_a_case_lacks_is_named(two: Case, needs: Needs, message: str) -> None:
    for ask in (two.load, lambda one: two.fingerprint(needs=one)):
        with pytest.raises(DataError, match=message):
            ask(needs)


@pytest.mark.parametrize("name", ["label", "Label", "LABELS", " la-bel"])
def test_no_view_may_ask_for_the_label(two: Case, name: str) -> None:
    with pytest.raises(StudyError, match="is the label, which models are to tell"):
        Needs(columns=("age", name))
    with pytest.raises(DataError, match="is the label, which no view may see"):
        replace(two, columns={name: "yes"}, view_columns=(name,))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"masks": {}}, "Give each image a mask"),
        ({"view_columns": ("age", "weight")}, "the column 'weight', and it has none"),
        ({"main": "t2"}, "its main image is 't2', and it has t1, flair"),
        ({"image": Path("other.nii.gz")}, "are not those of 't1'"),
        ({"images": {"t 1": Path("a")}, "masks": {"t 1": Path("b")}}, "not 't 1'"),
    ],
)
def test_names_that_do_not_fit_are_refused(two: Case, change: dict, message: str) -> None:
    with pytest.raises(DataError, match=f"^Case a: .*{message}"):
        replace(two, **change)


def test_pictures_of_different_sizes_have_no_common_grid(tmp_path: Path) -> None:
    from PIL import Image

    from rdfc_core.data.readers.pictures import PictureReader

    for name, side in (("a", 20), ("b", 22), ("mask", 20)):
        pixels = np.zeros((side, side), np.uint8)
        pixels[5:9, 5:9] = 255
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    images = {name: tmp_path / f"{name}.png" for name in "ab"}
    case = Case.of_images("c", "p", images, tmp_path / "mask.png", reader=PictureReader())
    with pytest.raises(DataError, match=r"image 'b': it has shape \(22, 22\) and the first image"):
        case.load(Needs(("a", "b"), grid="shared"))


def test_a_view_that_asks_for_nothing_sees_no_column(two: Case) -> None:
    tumour = two.one("t1").load()
    with pytest.raises(PluginError, match=r"column 'age', for which it has not asked .* none"):
        tumour.columns["age"]


def test_a_check_looks_at_every_image(two: Case, tmp_path: Path) -> None:
    assert check_case(two).problems == []
    volume(tmp_path, "flair", np.full(SHAPE, np.nan, np.float32))
    (problem,) = check_case(two).problems
    assert (problem.field, problem.case_id) == ("image.flair", "a")
    assert "NaN" in problem.message
    two.images["t1"].unlink()
    fields = [one.field for one in check_case(two).problems]
    assert fields == ["image.t1", "image.flair"]
