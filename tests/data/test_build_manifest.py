"""Lists of cases made from folders and tables; what would have to be guessed is left out."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rdfc_core.api.context import component
from rdfc_core.data.manifest.build import (
    LAYOUTS,
    find_cases,
    with_patients,
    write_doubts,
    write_manifest,
)
from rdfc_core.data.manifest.files import MASK_WORDS, key_of
from rdfc_core.data.manifest.label_table import joined
from rdfc_core.data.manifest.spreadsheet import listed_cases
from rdfc_core.data.readers.auto import AutoReader
from rdfc_core.errors import DataError, StudyError
from rdfc_core.interfaces.layout import ONLY, Found, FoundCase, LayoutOptions
from rdfc_core.plugin.registry import installed


def touch(root: Path, *names: str) -> Path:
    """Files without content: names alone decide."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def rows_of(found: Found, root: Path) -> list[dict[str, str | None]]:
    """The cases as a list would have them, paths from the root."""

    def path(one: Path) -> str:
        return one.relative_to(root).as_posix()

    return [
        {
            "case_id": case.case_id,
            **{f"image.{n}" if n else "image": path(p) for n, p in case.images.items()},
            **{f"mask.{n}" if n else "mask": path(p) for n, p in case.masks.items()},
            **({} if case.patient_id is None else {"patient_id": case.patient_id}),
            **({} if case.label is None else {"label": case.label}),
        }
        for case in found.cases
    ]


def found_in(root: Path, layout: str | None = None, **options) -> tuple[str, Found]:
    how, found = find_cases(root, layout, LayoutOptions(**options))
    return how.name, found


# Layouts


def test_images_beside_masks(tmp_path):
    touch(tmp_path, "images/a_image.png", "images/b.png", "images/c.png", "images/.hidden.png")
    touch(tmp_path, "masks/a_mask.png", "masks/b-seg.PNG", "masks/d.png", "notes.txt")
    how, found = found_in(tmp_path)
    assert how == "folders"
    assert rows_of(found, tmp_path) == [
        {"case_id": "a_image", "image": "images/a_image.png", "mask": "masks/a_mask.png"},
        {"case_id": "b", "image": "images/b.png", "mask": "masks/b-seg.PNG"},
    ]
    assert [(Path(one.what).name, one.why) for one in found.doubts] == [
        ("c.png", "no mask has the name of this image"),
        ("d.png", "no image has the name of this mask"),
    ]


def test_sub_folders_keep_equal_names_apart(tmp_path):
    touch(tmp_path, *(f"{kind}/{p}/1.nii.gz" for kind in ("image", "label") for p in ("P1", "P2")))
    how, found = found_in(tmp_path)
    assert how == "folders"
    assert [case.case_id for case in found.cases] == ["P1_1", "P2_1"]
    assert [case.masks[ONLY].parent.name for case in found.cases] == ["P1", "P2"]
    assert [c.patient_id for c in with_patients(found, "^(P[0-9]+)_").cases] == ["P1", "P2"]


def test_a_folder_for_each_class_as_of_busi(tmp_path):
    touch(
        tmp_path,
        *("benign/benign (1).png", "benign/benign (1)_mask.png"),
        *("benign/benign (2).png", "benign/benign (2)_mask.png", "benign/benign (2)_mask_1.png"),
        *("malignant/malignant (1).png", "malignant/malignant (1)_mask.png"),
    )
    how, found = found_in(tmp_path)
    assert how == "classes"
    assert [(c.case_id, c.label) for c in found.cases] == [
        ("benign (1)", "benign"),
        ("malignant (1)", "malignant"),
    ]
    (doubt,) = found.doubts
    assert "it has 2 masks: benign (2)_mask.png, benign (2)_mask_1.png" in doubt.why
    _, found = found_in(tmp_path, several_masks="cases")
    assert not found.doubts
    assert [(c.case_id, c.patient_id) for c in found.cases[:3]] == [
        ("benign (1)", None),
        ("benign (2)_1", "benign (2)"),
        ("benign (2)_2", "benign (2)"),
    ]


def test_equal_names_in_two_classes_are_told_apart(tmp_path):
    names = [f"{c}/{kind}/1.png" for c in ("benign", "malignant") for kind in ("images", "masks")]
    how, found = found_in(touch(tmp_path, *names))
    assert how == "classes"
    assert [(c.case_id, c.label) for c in found.cases] == [
        ("benign_1", "benign"),
        ("malignant_1", "malignant"),
    ]


def test_nnunet_with_channels(tmp_path):
    touch(tmp_path, *(f"imagesTr/P{p}_000{c}.nii.gz" for p in (1, 2, 3) for c in (0, 1)))
    touch(tmp_path, "labelsTr/P1.nii.gz", "labelsTr/P2.nii.gz", "labelsTr/P9.nii.gz")
    touch(tmp_path, "imagesTr/odd.nii.gz", "imagesTs/P7_0000.nii.gz")
    about = {"channel_names": {"0": "T1 Gd", "1": "2D"}, "labels": {"background": 0, "tumour": 2}}
    (tmp_path / "dataset.json").write_text(json.dumps(about))
    how, found = found_in(tmp_path)
    assert how == "nnunet"
    assert rows_of(found, tmp_path)[0] == {
        "case_id": "P1",
        "image.T1-Gd": "imagesTr/P1_0000.nii.gz",
        "image.c1-2D": "imagesTr/P1_0001.nii.gz",
        "mask": "labelsTr/P1.nii.gz",
    }
    assert [case.case_id for case in found.cases] == ["P1", "P2"]
    whats = [Path(one.what).name for one in found.doubts]
    assert whats == ["odd.nii.gz", "P3", "P9.nii.gz"]
    assert found.notes == [
        "The masks hold label maps (0 background, 2 tumour): say which value the tumour has by "
        "mask_value."
    ]


def test_bids_with_sessions_and_derivatives(tmp_path):
    for sub, ses in (("01", "ses-a"), ("01", "ses-b"), ("02", "ses-a"), ("03", "ses-a")):
        stem = f"sub-{sub}/{ses}/anat/sub-{sub}_{ses}"
        touch(tmp_path, f"{stem}_T1w.nii.gz", f"{stem}_ce-gd_T1w.nii.gz")
    masks = "derivatives/lesions/sub-{0}/{1}/anat/sub-{0}_{1}_label-{2}_mask.nii.gz"
    touch(tmp_path, masks.format("01", "ses-a", "lesion"), masks.format("01", "ses-b", "lesion"))
    touch(tmp_path, *(masks.format("02", "ses-a", name) for name in ("lesion", "oedema")))
    how, found = found_in(tmp_path)
    assert how == "bids"
    assert rows_of(found, tmp_path)[1] == {
        "case_id": "sub-01_ses-b",
        "patient_id": "sub-01",
        "image.T1w-ce-gd": "sub-01/ses-b/anat/sub-01_ses-b_ce-gd_T1w.nii.gz",
        "image.T1w": "sub-01/ses-b/anat/sub-01_ses-b_T1w.nii.gz",
        "mask": masks.format("01", "ses-b", "lesion"),
    }
    assert {one.what: one.why.partition(":")[0] for one in found.doubts} == {
        "sub-02_ses-a": "it has 2 masks",
        "sub-03_ses-a": "it has no mask",
    }
    _, found = found_in(tmp_path, only_masks="*label-lesion*", only_images="*ce-gd*")
    assert [case.case_id for case in found.cases] == [
        "sub-01_ses-a",
        "sub-01_ses-b",
        "sub-02_ses-a",
    ]
    assert {tuple(case.images) for case in found.cases} == {(ONLY,)}


def test_a_folder_for_each_case_as_of_brats_and_kits(tmp_path):
    for case in ("BraTS_001", "BraTS_002"):
        names = [f"{case}/{case}_{s}.nii.gz" for s in ("t1", "t1ce", "flair", "seg")]
        touch(tmp_path / "brats", *names)
    how, found = found_in(tmp_path / "brats")
    assert how == "cases"
    assert {name: p.name for name, p in found.cases[1].images.items()} == {
        "flair": "BraTS_002_flair.nii.gz",
        "t1": "BraTS_002_t1.nii.gz",
        "t1ce": "BraTS_002_t1ce.nii.gz",
    }
    for case in ("case_0", "case_1"):
        touch(tmp_path / "kits" / case, "imaging.nii.gz", "segmentation.nii.gz")
    touch(tmp_path / "kits" / "case_2", "segmentation.nii.gz")
    with pytest.raises(DataError, match="is not clear"):
        found_in(tmp_path / "kits")
    _, found = found_in(tmp_path / "kits", "cases")
    assert rows_of(found, tmp_path / "kits")[0] == {
        "case_id": "case_0",
        "image": "case_0/imaging.nii.gz",
        "mask": "case_0/segmentation.nii.gz",
    }
    assert [(Path(d.what).name, d.why) for d in found.doubts] == [
        ("case_2", "it has a mask and no image")
    ]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("a_mask.png", "a"),
        ("a-seg-2.nii.gz", "a"),
        ("mask_a.png", "a"),
        ("Benign (12)_mask_1.png", "benign 12"),
        ("maskara.png", "maskara"),
        ("seg.nii.gz", "seg"),
        ("a.label.nrrd", "a"),
    ],
)
def test_words_for_masks_are_left_aside_at_the_ends_of_names_alone(name, key):
    assert key_of(Path(name), MASK_WORDS) == key


def test_two_images_of_one_name_are_left_out(tmp_path):
    touch(tmp_path, "images/a.png", "images/a.jpg", "masks/a.png")
    _, found = found_in(tmp_path)
    assert not found.cases
    assert "2 images have the same name (a.jpg, a.png)" in found.doubts[0].why


def test_what_looks_like_nothing_or_like_two_layouts_is_asked_about(tmp_path):
    with pytest.raises(DataError, match="how images and masks are laid out there is not clear"):
        found_in(touch(tmp_path / "none", "x/readme.txt"))
    both = touch(tmp_path / "both", "imagesTr/a_0000.nii.gz", "labelsTr/a.nii.gz", "sub-1/x.txt")
    with pytest.raises(DataError, match=r"looks like nnunet and bids\. Say which by --layout"):
        found_in(both)
    with pytest.raises(StudyError, match="Did you mean 'nnunet'"):
        found_in(both, "nnunett")
    assert set(LAYOUTS) == {"nnunet", "bids", "folders", "classes", "cases"}


# Patients, labels, tables


def cases(*ids: str) -> Found:
    path = Path("x.png")
    return Found([FoundCase(one, {ONLY: path}, {ONLY: path}) for one in ids])


@pytest.mark.parametrize(
    ("pattern", "say"),
    [
        ("(P[0-9]+", "no regular expression"),
        ("P[0-9]+", "into brackets"),
        ("(P)([0-9])", "into brackets"),
        ("(P[0-9]+)_", "the case 'Q3' has no such part"),
    ],
)
def test_a_pattern_of_patients_has_to_fit_every_case(pattern, say):
    with pytest.raises(StudyError, match=say):
        with_patients(cases("P1_a", "P2_a", "Q3"), pattern)


def table(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8-sig")
    return path


def test_labels_are_joined_by_the_ids_of_cases(tmp_path):
    labels = table(
        tmp_path / "l.csv", "ID;Diagnosis;Age\na;benign; 61\nb;malignant;\nb;benign;3\nz;benign;5\n"
    )
    found = joined(cases("a", "b", "c"), labels, "id", "diagnosis", ["age"])
    assert [(c.label, dict(c.columns)) for c in found.cases] == [
        ("benign", {"Age": "61"}),
        (None, {}),
        (None, {}),
    ]
    assert {doubt.what: doubt.why for doubt in found.doubts} == {
        "b": "l.csv has several rows for it, so that none was taken",
        "c": "l.csv has no row for it, so that it is unlabelled",
        "z": "l.csv has a row for it, and no case has the id",
    }


def test_an_id_may_be_the_name_of_the_image(tmp_path):
    labels = table(tmp_path / "l.csv", "ID,label\nimage/a.PNG,benign\nb.nii.gz,malignant\n")
    found = joined(cases("a", "b"), labels, "ID", None)
    assert [case.label for case in found.cases] == ["benign", "malignant"]


def test_labels_are_joined_by_patients_where_no_case_has_the_id(tmp_path):
    labels = table(tmp_path / "l.tsv", "patient\tlabel\nP1\tbenign\nP2\tmalignant\n")
    found = joined(with_patients(cases("P1_a", "P1_b", "P2_a"), "(P.)"), labels, "patient", None)
    assert [case.label for case in found.cases] == ["benign", "benign", "malignant"]
    assert found.notes == ["3 cases found in l.tsv by the ids of patients."]
    with pytest.raises(DataError, match="no id of its column 'patient' is that of a case"):
        joined(cases("Q1"), labels, "patient", None)


def test_a_table_with_other_names_of_columns(tmp_path):
    touch(tmp_path, "i/1.png", "m/1.png", "i/2.png")
    path = table(
        tmp_path / "list.csv",
        "Image Path,Outline,Diagnosis,Age\ni\\1.png,m/1.png,benign,61\ni/2.png,m/2.png,benign,4\n",
    )
    columns = {"image": "image path", "mask": "Outline", "label": "Diagnosis"}
    found = listed_cases(path, columns, tmp_path)
    assert rows_of(found, tmp_path) == [
        {"case_id": "1", "image": "i/1.png", "mask": "m/1.png", "label": "benign"}
    ]
    assert found.cases[0].columns == {"Age": "61"}
    assert found.doubts[0].what == "list.csv, row 3"
    assert "there is no file" in found.doubts[0].why
    with pytest.raises(DataError, match=r"no column 'image'. Say which it is: --column image="):
        listed_cases(path, {}, tmp_path)
    with pytest.raises(DataError, match=r"no column 'Outlin'\. Did you mean 'Outline'"):
        listed_cases(path, {**columns, "mask": "Outlin"}, tmp_path)


def test_a_workbook_of_excel(tmp_path):
    import pandas as pd

    touch(tmp_path, "1.png", "1m.png")
    rows = pd.DataFrame({"image": ["1.png"], "mask": ["1m.png"], "case_id": [7], "note": [None]})
    with pd.ExcelWriter(tmp_path / "list.xlsx") as book:
        rows.to_excel(book, sheet_name="cases", index=False)
        pd.DataFrame({"a": [1]}).to_excel(book, sheet_name="other", index=False)
    with pytest.raises(DataError, match=r"has the sheets cases, other. Say which by --sheet"):
        listed_cases(tmp_path / "list.xlsx", {}, tmp_path)
    with pytest.raises(DataError, match=r"no sheet 'case'\. Did you mean 'cases'"):
        listed_cases(tmp_path / "list.xlsx", {}, tmp_path, "case")
    (case,) = listed_cases(tmp_path / "list.xlsx", {}, tmp_path, "cases").cases
    assert (case.case_id, dict(case.columns)) == ("7", {"note": ""})


def test_a_damaged_workbook_is_refused_by_name(tmp_path):
    (tmp_path / "list.xlsx").write_bytes(b"PK\x03\x04 nothing more")
    with pytest.raises(DataError, match=r"list.xlsx cannot be read as a table"):
        listed_cases(tmp_path / "list.xlsx", {}, tmp_path)


# Lesions


def ball(shape, centre, radius, spacing):
    grid = np.indices(shape) * np.reshape(spacing, (-1, 1, 1, 1))
    return ((grid - np.reshape(centre, (-1, 1, 1, 1))) ** 2).sum(axis=0) <= radius**2


@pytest.fixture
def two_lesions(tmp_path) -> Path:
    """A volume with balls of radius 6 and 3 mm of one value, and a slab of another."""
    import SimpleITK as sitk  # noqa: N813

    shape, spacing = (20, 40, 40), (2.0, 1.0, 1.0)
    mask = np.zeros(shape, np.uint8)
    mask[ball(shape, (20, 8, 8), 3, spacing)] = 2
    mask[ball(shape, (20, 25, 25), 6, spacing)] = 2
    mask[0] = 1
    image = np.random.default_rng(0).normal(100, 10, shape).astype(np.float32)
    for kind, array in (("images", image), ("masks", mask)):
        (tmp_path / kind).mkdir()
        volume = sitk.GetImageFromArray(array)
        volume.SetSpacing(spacing[::-1])
        sitk.WriteImage(volume, str(tmp_path / kind / "P1.nii.gz"))
    return tmp_path


def test_each_lesion_of_a_mask_is_a_case_of_the_same_patient(two_lesions, rdfc_here):
    out = two_lesions / "list.csv"
    made = rdfc_here(
        *("datasets", "build", two_lesions, "--out", out),
        *("--lesions", "each", "--mask-value", "2"),
    )
    assert made.code == 0, made.err
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["case_id"], r["patient_id"], r["component"], r["mask_value"]) for r in rows] == [
        ("P1_1", "P1", "1", "2"),
        ("P1_2", "P1", "2", "2"),
    ]
    # Of balls of 12 and 6 mm, as far as voxels of 2 mm can tell.
    sizes = [float(row["diameter_mm"]) for row in rows]
    assert sizes == pytest.approx([12, 6], rel=0.1)
    assert f"2 lesions, {sizes[1]:.1f} to {sizes[0]:.1f} mm" in made.out


def test_a_case_is_the_lesion_that_its_row_names(two_lesions, rdfc_here):
    out = two_lesions / "list.csv"
    rdfc_here(
        *("datasets", "build", two_lesions, "--out", out),
        *("--lesions", "each", "--mask-value", "2"),
    )
    registry = installed()
    dataset = component("dataset", "manifest", "dataset", root=out).build(registry)
    cases = AutoReader.installed(registry, {}).given_to(list(dataset.cases()))
    first, second = (case.load() for case in cases)
    assert first.mask.sum() > second.mask.sum() > 0
    assert not (first.mask & second.mask).any()
    assert cases[0].fingerprint() != cases[1].fingerprint()
    third = replace(cases[0], component=3)
    with pytest.raises(DataError, match="the mask has 2 connected components, and the case is"):
        third.load()


def test_small_lesions_are_left_out_and_told(two_lesions, rdfc_here):
    out = two_lesions / "list.csv"
    made = rdfc_here(
        *("datasets", "build", two_lesions, "--out", out, "--json"),
        *("--lesions", "each", "--mask-value", "2", "--smallest-mm", "8"),
    )
    said = json.loads(made.out)
    assert said["cases"] == 1
    assert said["doubts"][0]["why"] == "1 lesion of it is smaller than 8 mm"


def test_each_value_of_a_label_map_may_be_a_case(two_lesions, rdfc_here):
    out = two_lesions / "list.csv"
    rdfc_here("datasets", "build", two_lesions, "--out", out, "--lesions", "values")
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["case_id"], row["mask_value"]) for row in rows] == [("P1_1", "1"), ("P1_2", "2")]


# What is written


def test_paths_below_the_list_are_relative_and_others_are_not(tmp_path):
    touch(tmp_path, "here/1.png", "else/m.png")
    one = FoundCase(
        "1",
        {ONLY: tmp_path / "here/1.png"},
        {ONLY: tmp_path / "else/m.png"},
        label="b",
        columns={"age": "3"},
    )
    header = write_manifest(tmp_path / "here/list.csv", [one])
    assert header == ["case_id", "image", "mask", "label", "age"]
    with (tmp_path / "here/list.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row == {
        "case_id": "1",
        "image": "1.png",
        "mask": (tmp_path / "else/m.png").as_posix(),
        "label": "b",
        "age": "3",
    }


def test_a_kept_column_called_as_one_of_the_list_is_refused(tmp_path):
    one = FoundCase("1", {ONLY: Path("a")}, {ONLY: Path("b")}, label="x", columns={"label": "y"})
    with pytest.raises(DataError, match="'label' would be there twice"):
        write_manifest(tmp_path / "list.csv", [one])


def test_the_list_is_what_the_data_set_reads(tmp_path, rdfc_here):
    rng = np.random.default_rng(0)
    for place in range(6):
        label = ("benign", "malignant")[place % 2]
        (tmp_path / "data" / label).mkdir(parents=True, exist_ok=True)
        mask = np.zeros((20, 20), np.uint8)
        mask[5 : 12 + place % 3, 6:14] = 255
        picture = rng.integers(0, 255, (20, 20)).astype(np.uint8)
        Image.fromarray(picture).save(tmp_path / "data" / label / f"{place}.png")
        Image.fromarray(mask).save(tmp_path / "data" / label / f"{place}_mask.png")
    out = tmp_path / "data" / "manifest.csv"
    made = rdfc_here("datasets", "build", tmp_path / "data", "--out", out)
    assert made.code == 0, made.err
    assert "As a folder for each class: 6 cases; 3 benign, 3 malignant." in made.out
    assert "No patients are known" in made.out
    checked = rdfc_here("datasets", "check", "manifest", "--root", out, "--features", "none")
    assert checked.code == 0, checked.err
    assert "6 usable" in checked.out
    again = rdfc_here("datasets", "build", tmp_path / "data", "--out", out)
    again.refused("exists. Choose another --out, or replace it with --overwrite")


def test_doubts_are_written_beside_the_list(tmp_path):
    touch(tmp_path, "images/a.png", "images/b.png", "masks/a.png")
    _, found = found_in(tmp_path)
    write_doubts(tmp_path / "list.doubts.csv", found)
    with (tmp_path / "list.doubts.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["why"] == "no mask has the name of this image"
    assert Path(row["what"]).name == "b.png"
