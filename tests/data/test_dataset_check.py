"""The check of a data set, on real files with real faults."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from rdfc_core.case import Case, Volume
from rdfc_core.data.dataset_check import DatasetCheck, check_dataset
from rdfc_core.data.duplicates import shared_masks
from rdfc_core.data.readers.auto import AutoReader
from rdfc_core.data.readers.config import PictureReaderConfig
from rdfc_core.data.readers.pictures import PictureReader
from rdfc_core.errors import DataError
from rdfc_core.interfaces import Dataset, Problem, Reader
from rdfc_core.utils.progress import Advance, Progress
from tests.support.case_folder import CaseFolder, block


@dataclass
class Listed(Dataset):
    """A data set of the given cases."""

    listed: Sequence[Case]
    names: tuple[str, ...] = ("benign", "malignant")
    found: Sequence[Problem] = field(default=())

    def cases(self) -> Sequence[Case]:
        return self.listed

    @property
    def classes(self) -> tuple[str, ...]:
        return self.names

    def problems(self) -> Iterator[Problem]:
        return iter(self.found)


def check(*cases: Case, **more: object) -> DatasetCheck:
    return check_dataset(Listed(cases, **more), cases)


@pytest.fixture
def folder(tmp_path: Path) -> CaseFolder:
    return CaseFolder(tmp_path)


@pytest.fixture
def sound(folder: CaseFolder) -> list[Case]:
    return [folder.case(f"{label}{i}", label) for label in ("benign", "malignant") for i in (1, 2)]


def messages(result: DatasetCheck, case_id: str) -> list[tuple[str, str]]:
    return [(p.field, p.message) for p in result.problems if p.case_id == case_id]


def test_a_sound_data_set_has_no_problem_and_a_summary(
    folder: CaseFolder, sound: list[Case]
) -> None:
    wide = folder.case(
        "wide", None, np.zeros((20, 44), np.uint8), np.pad(block(), ((0, 0), (0, 14)))
    )
    result = check(*sound, replace(wide, patient_id="benign1"))
    assert result.problems == []
    assert result.summary.cases == result.summary.usable == 5
    assert result.summary.patients == 4
    assert result.summary.per_class == {"benign": 2, "malignant": 2}
    assert result.summary.unlabelled == 1
    assert result.summary.shape == ((20, 30), (20, 44))
    assert result.summary.spacing_mm == ((1.0, 1.0), (1.0, 1.0))
    assert result.summary.tumour_voxels == (30, 30)


def test_every_fault_of_every_case_is_found_in_one_pass(
    folder: CaseFolder, sound: list[Case]
) -> None:
    missing = folder.case("missing")
    missing.image.unlink()
    cut = folder.case("cut")
    cut.image.write_bytes(cut.image.read_bytes()[:-300])
    cut.mask.write_bytes(b"")
    empty = folder.case("empty", mask=block() * 0)
    value = replace(folder.case("value"), mask_value=3)
    small = folder.case("small", mask=block()[:, :-1])
    result = check(*sound, missing, cut, empty, value, small)
    assert messages(result, "missing") == [("image", f"the image {missing.image} does not exist")]
    assert [name for name, _ in messages(result, "cut")] == ["image", "mask"]
    assert messages(result, "empty") == [("mask", "the mask is empty (it holds [0])")]
    assert messages(result, "value") == [
        ("mask", "the mask is empty at value 3 (it holds [0, 255])")
    ]
    assert messages(result, "small") == [
        ("mask", "the mask has shape (20, 29) and the image (20, 30)")
    ]
    assert all(problem.severity == "error" and problem.fix for problem in result.problems)
    assert result.summary.usable == 4


def test_problems_are_the_sentences_that_loading_stops_at(folder: CaseFolder) -> None:
    empty = folder.case("empty", mask=block() * 0)
    cut = folder.case("cut. really")  # a full stop in a path ends no sentence
    cut.image.write_bytes(cut.image.read_bytes()[:-300])
    result = check(empty, cut)
    for case in (empty, cut):
        with pytest.raises(DataError) as caught:
            case.load()
        (problem,) = [p for p in result.problems if p.case_id == case.case_id]
        assert f"{problem.message}. {problem.fix}" in str(caught.value)


def test_a_grid_that_differs_is_told_with_both_values_and_a_nan_beside_it(
    folder: CaseFolder,
) -> None:
    image = np.random.default_rng(0).normal(size=(4, 6, 5)).astype(np.float32)
    mask = np.zeros(image.shape, np.uint8)
    mask[1:3, 2:4, 1:4] = 1
    image[0, 0, 0] = np.nan
    result = check(folder.volume("v", image, mask, spacing=1.5))
    assert messages(result, "v") == [
        ("image", "the image holds 1 NaN or infinite voxels"),
        ("mask", "the mask has spacing (mm) (1, 1, 1.5) and the image (1, 1, 1)"),
    ]


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.full((20, 30), 255, np.uint8), "the mask covers the whole image"),
        ((block() > 0) * np.where(np.arange(30) == 12, 7, 1), "holds 2 values besides 0 (1, 7)"),
        (block() * (np.arange(600).reshape(20, 30) == 312), "the tumour is one voxel"),
        (block() * (np.arange(30) == 12), "the tumour is a line of 6 voxels"),
    ],
)
def test_what_is_seldom_meant_is_a_warning(
    folder: CaseFolder, sound: list[Case], mask: np.ndarray, message: str
) -> None:
    result = check(*sound, folder.case("odd", mask=mask.astype(np.uint8)))
    (problem,) = result.problems
    assert message in problem.message
    assert problem.severity == "warning"
    assert result.summary.usable == 5


def test_the_blur_of_a_jpeg_mask_is_named_as_such(folder: CaseFolder, sound: list[Case]) -> None:
    result = check(*sound, folder.case("blurred", mask=block(), ending=".jpg"))
    (problem,) = result.problems
    assert "a JPEG, which blurs outlines: " in problem.message
    assert "of its pixels are neither black nor white" in problem.message
    assert problem.fix == "Save the original mask as PNG."


def test_several_values_are_fine_where_one_of_them_is_asked_for(
    folder: CaseFolder, sound: list[Case]
) -> None:
    mask = block() // 255
    mask[0, :9] = 2
    case = folder.case("two", mask=mask)
    assert "2 values besides 0 (1, 2)" in check(*sound, case).problems[0].message
    assert check(*sound, replace(case, mask_value=1)).problems == []


class Failing(Reader):
    """As a plugin's reader may be."""

    def reads(self, path: Path) -> bool:
        return True

    def read_image(self, path: Path) -> Volume:
        raise ZeroDivisionError("division by zero")


def test_no_case_stops_the_pass_whatever_its_reader_does(sound: list[Case]) -> None:
    broken, bare = replace(sound[0], reader=Failing()), replace(sound[1], reader=None)
    result = check(broken, bare, *sound[2:])
    assert [(p.case_id, p.field) for p in result.problems if p.severity == "error"] == [
        ("benign1", "image"),
        ("benign1", "mask"),
        ("benign2", "reader"),
    ]
    assert "ZeroDivisionError: division by zero" in result.problems[0].message
    assert result.summary.usable == 2


# The cases against each other


def test_the_same_tumour_under_two_patients_is_a_warning(sound: list[Case]) -> None:
    result = check(*sound, replace(sound[0], case_id="again", patient_id="other"))
    (problem,) = result.problems
    assert (problem.case_id, problem.field, problem.severity) == ("again", "patient_id", "warning")
    assert "those of benign1, who is listed as another patient (other and benign1)" in (
        problem.message
    )


def test_the_same_tumour_twice_for_one_patient_counts_twice(sound: list[Case]) -> None:
    result = check(*sound, replace(sound[0], case_id="again", label=None))
    assert messages(result, "again") == [
        ("image", "image and mask are those of benign1: the tumour counts twice")
    ]


def test_the_same_tumour_with_two_labels_is_an_error(sound: list[Case]) -> None:
    result = check(*sound, replace(sound[0], case_id="again", label="malignant"))
    (problem,) = result.problems
    assert (problem.field, problem.severity) == ("label", "error")
    assert "benign1, which is labelled 'benign' and not 'malignant'" in problem.message


def test_two_tumours_of_one_image_belong_to_one_patient(
    folder: CaseFolder, sound: list[Case]
) -> None:
    second = folder.case("second", mask=np.roll(block(), 5, axis=1))
    second = replace(second, image=sound[0].image)
    assert "its image is that of benign1" in check(*sound, second).problems[0].message
    assert check(*sound, replace(second, patient_id="benign1")).problems == []


def test_a_patient_may_have_tumours_of_both_classes(sound: list[Case]) -> None:
    one = [replace(case, patient_id="p" + case.case_id[-1]) for case in sound]
    assert check(*one).problems == []


def test_one_class_or_no_label_is_enough_for_pretraining(sound: list[Case]) -> None:
    result = check(*sound[:2])
    assert [(p.severity, p.message) for p in result.problems] == [
        ("warning", "all 2 labelled cases are 'benign'"),
        ("warning", "class 'malignant' has no labelled case, and is left out"),
    ]
    result = check(*(replace(case, label=None) for case in sound))
    assert [(p.severity, p.message) for p in result.problems] == [
        ("warning", "no case is labelled")
    ]
    assert result.summary.unlabelled == 4


def test_a_class_with_one_case_or_one_patient_cannot_be_split(sound: list[Case]) -> None:
    end = "cannot both train and test: used as unlabelled"
    [problem] = check(*sound[:3]).problems
    assert problem.message == f"class 'malignant' has a single case, which {end}"
    [problem] = check(*sound[:2], *(replace(case, patient_id="p") for case in sound[2:])).problems
    assert problem.message == f"class 'malignant' has only one patient, who {end}"


def test_classes_that_differ_only_in_case_or_spaces_are_doubted(
    folder: CaseFolder, sound: list[Case]
) -> None:
    slips = [folder.case(f"slip{i}", label) for i, label in enumerate(("Malignant", " malignant "))]
    found = check(*sound, *slips, names=("benign", "malignant", "Malignant", " malignant "))
    [problem] = [p for p in found.problems if "differ only" in p.message]
    assert (problem.field, problem.severity) == ("label", "warning")
    assert problem.message.startswith(
        "the classes ' malignant ' (1 case) and 'Malignant' (1 case) and 'malignant' (2 cases) "
    )
    assert problem.fix == "Write them alike if one class is meant."


def test_an_unknown_label_is_told_once_with_its_count_and_the_nearest_class(
    folder: CaseFolder, sound: list[Case]
) -> None:
    result = check(*sound, folder.case("typo", "malignnat"), folder.case("typo2", "malignnat"))
    [problem] = result.problems
    assert (problem.field, problem.severity) == ("label", "warning")
    assert problem.message == (
        "2 cases have the label 'malignnat', which is none of the classes (benign, malignant): "
        "used as unlabelled"
    )
    assert problem.fix.startswith("Did you mean 'malignant'? Correct it, or add the class")
    assert result.summary.unlabelled == 2


def test_a_listed_class_without_a_case_is_told(sound: list[Case]) -> None:
    [problem] = check(*sound, names=("benign", "malignant", "absent")).problems
    assert problem.message == "class 'absent' has no labelled case, and is left out"


def test_pictures_and_volumes_do_not_mix(folder: CaseFolder, sound: list[Case]) -> None:
    image = np.random.default_rng(0).normal(size=(4, 6, 5)).astype(np.float32)
    mask = np.zeros(image.shape, np.uint8)
    mask[1:3, 2:4, 1:4] = 1
    result = check(*sound, folder.volume("v", image, mask, spacing=1.0))
    assert [p.message for p in result.problems] == ["4 cases are pictures and 1 is a volume"]
    assert result.summary.shape is None


# The listing


def test_the_problems_of_the_listing_come_with_the_others_in_the_order_of_cases(
    folder: CaseFolder, sound: list[Case]
) -> None:
    gone = folder.case("gone")
    gone.image.unlink()
    gone.mask.unlink()
    listing = [
        Problem("gone", "image", "there is no image/gone.png", "Copy it again."),
        Problem("", "columns", "a column is odd", "Look at it.", "warning"),
    ]
    result = check(*sound, gone, found=listing)
    assert [(p.case_id, p.field) for p in result.problems] == [
        ("", "columns"),
        ("gone", "image"),  # told once, by the data set, which knows more
        ("gone", "mask"),
    ]


def test_an_id_used_twice_and_an_empty_listing_are_errors(sound: list[Case]) -> None:
    result = check(*sound, replace(sound[0], patient_id=sound[0].patient_id))
    assert ("case_id", "2 cases have this id") in messages(result, "benign1")
    assert check().problems[0].message == "the data set lists no case"
    unusable = Problem("", "csv", "it has no column image", "Add it.")
    assert check(found=[unusable]).problems == [unusable]


class Counted(Progress):
    def __init__(self) -> None:
        self.steps: list[int] = []

    @contextmanager
    def task(self, title: str, total: int) -> Iterator[Advance]:
        yield lambda steps=1, note="": self.steps.append(steps)


def test_progress_is_told_of_each_case_also_of_the_bad_ones(sound: list[Case]) -> None:
    sound[1].image.unlink()
    progress = Counted()
    check_dataset(Listed(sound), sound, progress)
    assert progress.steps == [1, 1, 1, 1]


# What a run tells, too


def test_inverted_masks_and_those_that_cover_more_than_they_leave_out_are_doubted(
    folder: CaseFolder, sound: list[Case]
) -> None:
    wide = np.zeros((20, 30), np.uint8)
    wide[2:18, 2:28] = 255
    inverted, large = folder.case("i", mask=255 - block()), folder.case("l", mask=wide)
    result = check(*sound, inverted, large, folder.case("s", mask=255 - wide))
    assert [message for _, message in messages(result, "i")] == [
        "the mask covers the border of the image and not its middle, as an inverted one does"
    ]
    assert messages(result, "l") == [
        ("mask", "the mask covers 69% of the image, more than it leaves out")
    ]
    assert "as an inverted one does" in messages(result, "s")[0][1]  # though it covers a third


def test_an_inverted_mask_of_a_volume_is_doubted_and_one_of_a_single_slice_is_not(
    folder: CaseFolder,
) -> None:
    image = np.random.default_rng(0).normal(size=(6, 8, 7)).astype(np.float32)
    mask = np.ones(image.shape, np.uint8)
    mask[2:4, 3:5, 2:5] = 0
    flat = np.zeros((1, 8, 7), np.uint8)
    flat[:, 2:6, 2:5] = 1
    result = check(
        folder.volume("v", image, mask, 1.0), folder.volume("flat", image[:1], flat, 1.0)
    )
    assert "as an inverted one does" in messages(result, "v")[0][1]
    assert messages(result, "flat") == []


def test_one_mask_file_of_two_images_and_equal_outlines_are_doubted(
    folder: CaseFolder, sound: list[Case]
) -> None:
    shared = replace(folder.case("shared"), mask=sound[0].mask)
    copied = folder.case("copied")
    copied.mask.write_bytes(sound[1].mask.read_bytes())
    result = check(*sound, shared, copied)
    assert messages(result, "shared") == [
        ("mask", "its mask file is that of benign1, which has another image")
    ]
    assert messages(result, "copied") == [
        ("mask", "its outline is exactly that of benign2, on another image")
    ]
    # Two tumours of one image, told apart by their values, share a mask file by right.
    assert check(*sound, replace(sound[0], case_id="x", mask_value=1)).problems[-1].case_id == "x"


def test_equal_pictures_under_other_names_are_doubted(
    folder: CaseFolder, sound: list[Case]
) -> None:
    copied = folder.case("copied")
    copied.image.write_bytes(sound[0].image.read_bytes())
    own = replace(copied, patient_id=sound[0].patient_id)
    assert messages(check(*sound, own), "copied") == [
        ("image", "its image is that of benign1 under another name")
    ]


def test_patients_who_are_written_in_two_ways_are_doubted_once(sound: list[Case]) -> None:
    names = ["P 1", "p1", "007", "7"]
    cases = [replace(case, patient_id=name) for case, name in zip(sound, names, strict=True)]
    [problem] = check(*cases).problems
    assert problem.message == (
        "2 patients are written in several ways ('P 1' and 'p1', '007' and '7'), and counted as "
        "several"
    )


def test_the_summary_says_what_the_own_split_uses_each_case_for(
    folder: CaseFolder, sound: list[Case]
) -> None:
    more = [folder.case(f"more{i}", None) for i in range(3)]
    lonely, gone = folder.case("lonely", "rare"), folder.case("gone")
    gone.image.unlink()
    result = check(*sound, *more, lonely, gone, names=("benign", "malignant", "rare"))
    assert [(use.what, use.cases, use.used) for use in result.summary.uses] == [
        ("pretraining alone (unlabelled)", 3, True),
        ("test", 2, True),
        ("training", 2, True),
        ("pretraining alone (the label 'rare' is not used)", 1, True),
        ("could not be read or measured", 1, False),
    ]


def test_classes_and_patients_of_any_data_set_that_stand_for_no_value_are_doubted(
    folder: CaseFolder, sound: list[Case]
) -> None:
    more = [replace(folder.case(f"n{i}", "nan"), patient_id="NaN") for i in range(3)]
    more.append(folder.case("n3", "nan"))
    told = [p.message for p in check(*sound, *more, names=("benign", "malignant", "nan")).problems]
    assert told == [
        "the class 'nan' stands for no value in tables that programs write",
        "3 cases (n0, n1, n2) have the patient 'NaN', which stands for no value in tables that "
        "programs write",
    ]


@pytest.mark.parametrize("wrapped", [False, True])
def test_one_file_with_image_and_mask_is_not_doubted_of_a_reader_that_keeps_both(
    folder: CaseFolder, sound: list[Case], wrapped: bool
) -> None:
    class OfBoth(PictureReader):
        masks_in_images = True

    reader = OfBoth(PictureReaderConfig())
    own = folder.case("own")
    both = replace(own, mask=own.image, reader=AutoReader([reader]) if wrapped else reader)
    assert list(shared_masks([*sound, both])) == []


def test_an_image_that_is_listed_as_its_own_mask_is_doubted(
    folder: CaseFolder, sound: list[Case]
) -> None:
    own = folder.case("own")
    assert ("mask", "its image and its mask are one file") in messages(
        check(*sound, replace(own, mask=own.image)), "own"
    )
