"""Columns of several images, and columns that views may see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rdfc_core.errors import DataError
from rdfc_core.testing import check_dataset
from rdfc_dataset_manifest.config import ManifestConfig
from rdfc_dataset_manifest.dataset import Manifest


def manifest(folder: Path, text: str, **options: Any) -> Manifest:
    (folder / "manifest.csv").write_text(text, encoding="utf-8")
    return Manifest(ManifestConfig(root=folder, **options))


def table(folder: Path, header: str, *rows: str, **options: Any) -> Manifest:
    """A list of cases c0, c1, …, each with files of its own; the rows hold the further columns."""
    lines = [f"c{i},c{i}.png,m{i}.png,{row}" for i, row in enumerate(rows)]
    return manifest(folder, "\n".join([f"case_id,image,mask,{header}", *lines, ""]), **options)


def refusal(dataset: Manifest) -> str:
    with pytest.raises(DataError) as caught:
        dataset.cases()
    return str(caught.value)


# Images


def test_named_images_share_a_mask_or_have_their_own(tmp_path: Path) -> None:
    text = (
        "case_id,image.t1,Image.FLAIR,mask,mask.FLAIR,label,age\n"
        "a,a1.nii,a2.nii,a.nii,,benign,61\n"
        "b,b1.nii,b2.nii,b.nii,own.nii,malignant,48\n"
        "c,,c2.nii,,c.nii,,\n"
    )
    a, b, c = manifest(tmp_path, text, main_image="FLAIR").cases()
    assert a.images == {"t1": tmp_path / "a1.nii", "FLAIR": tmp_path / "a2.nii"}
    assert a.masks == {"t1": tmp_path / "a.nii", "FLAIR": tmp_path / "a.nii"}
    assert b.masks == {"t1": tmp_path / "b.nii", "FLAIR": tmp_path / "own.nii"}
    assert (c.images, c.masks) == ({"FLAIR": tmp_path / "c2.nii"}, {"FLAIR": tmp_path / "c.nii"})
    assert (a.main, a.image, a.label, a.columns) == (
        "FLAIR",
        tmp_path / "a2.nii",
        "benign",
        {"age": "61"},
    )


@pytest.mark.parametrize(
    ("header", "row", "options", "message"),
    [
        ("image,image.t1,mask", "a,b,c", {}, r"column 'image' beside image\.t1"),
        ("image.t1,mask.t2", "a,b", {}, r"column 'mask\.t2' and none called 'image\.t2'"),
        ("image.t1,image.t2,mask.t1", "a,b,c", {}, r"image\.t2 has no mask: the list has neither"),
        ("image,mask,mask.t1", "a,b,c", {}, r"column 'mask\.t1' and none called 'image\.t1'"),
        ("image.t 1,mask", "a,b", {}, "names no image: a name is of letters"),
        ("image.t1,mask", "a,b", {"main_image": "t2"}, "main_image is 't2', and the images are t1"),
        ("image,mask", "a,b", {"main_image": "t2"}, "one image a case, without a name"),
        ("image.t1,image.t2,mask", ",,c", {}, r"line 2: none of image\.t1, image\.t2 names a file"),
        ("image.t1,mask", "a,", {}, r"line 2: image\.t1 has no mask: nothing stands in mask"),
        (
            "image.t1,image.t2,mask",
            "a,,c",
            {"main_image": "t2"},
            r"line 2: image\.t2 is empty, and main_image is 't2'",
        ),
    ],
)
def test_columns_of_files_that_do_not_fit_are_named(
    tmp_path: Path, header: str, row: str, options: dict[str, str], message: str
) -> None:
    dataset = manifest(tmp_path, f"case_id,{header}\nx,{row}\n", **options)
    with pytest.raises(DataError, match=message):
        dataset.cases()


# Columns


def test_chosen_columns_hold_values_written_one_way(tmp_path: Path) -> None:
    rows = ("benign,63,f,x", "malignant,63.0,m,y", 'benign,"63,5",nan,z', "malignant,NA,f,")
    dataset = table(tmp_path, "label,Age,sex,note", *rows, columns=("age", "sex"))
    cases = dataset.cases()
    assert {case.view_columns for case in cases} == {("age", "sex")}
    assert [case.columns["age"] for case in cases] == ["63", "63", "63.5", ""]
    assert [case.columns["sex"] for case in cases] == ["f", "m", "", "f"]
    assert [problem.field for problem in dataset.problems()] == ["age", "sex"]
    assert {problem.severity for problem in dataset.problems()} == {"warning"}


def test_columns_that_nobody_chose_are_not_for_views(tmp_path: Path) -> None:
    (case,) = table(tmp_path, "label,age", "benign,63").cases()
    assert (case.columns, case.view_columns) == ({"age": "63"}, ())


@pytest.mark.parametrize(
    ("chosen", "options", "message"),
    [
        ("label", {}, "columns names 'label', which is the label, which models are to tell"),
        (
            "Diagnosis",
            {"label_column": "diagnosis"},
            "columns names 'Diagnosis', which is the label",
        ),
        ("patient_id", {}, "which is the patient"),
        ("case_id", {}, "which is the name of the case"),
        ("mask", {}, "which is a file of the case"),
        ("part", {"split_column": "part"}, "which is the split"),
        ("agee", {}, "the list has no column 'agee'.*Did you mean 'age'"),
    ],
)
def test_what_no_view_may_see_cannot_be_chosen(
    tmp_path: Path, chosen: str, options: dict[str, str], message: str
) -> None:
    header = "label,diagnosis,patient_id,part,age"
    rows = ("benign,x,p,train,1", "malignant,y,q,test,2")
    dataset = table(tmp_path, header, *rows, columns=(chosen,), **options)
    with pytest.raises(DataError, match=message):
        dataset.cases()


def test_a_word_that_may_be_a_value_is_asked_about(tmp_path: Path) -> None:
    dataset = table(tmp_path, "smoking", "former", "none", "current", columns=("smoking",))
    assert "smoking says 'none' in 1 row (line 3), which may be a value or stand for none" in (
        refusal(dataset)
    )
    numbers = table(tmp_path, "age", "61", "unknown", columns=("age",))
    assert [case.columns["age"] for case in numbers.cases()] == ["61", ""]


def test_doubtful_values_are_told(tmp_path: Path) -> None:
    rows = ("61,F", "62,f", "63,m", "999,m")
    dataset = table(tmp_path, "age,sex", *rows, columns=("age", "sex"))
    told = {problem.field: problem.message for problem in dataset.problems()}
    assert "age says '999' in 1 row (line 5), which may stand for no value" in told["age"]
    assert "sex says 'F', 'f', and each counts as a value of its own" in told["sex"]


def test_a_list_to_predict_needs_the_columns_that_views_saw(tmp_path: Path) -> None:
    text = "case_id,image.t1,image.t2,mask,label,age\na,a1,a2,m,benign,61.0\n"
    trained = manifest(tmp_path, text, columns=("age",), main_image="t2")
    (tmp_path / "new.csv").write_text("case_id,image.t1,image.t2,mask,age\nz,z1,z2,m,61\n")
    (new,) = trained.with_list(tmp_path / "new.csv").cases()
    assert (new.main, new.columns["age"], new.view_columns) == ("t2", "61", ("age",))
    assert new.columns["age"] == trained.cases()[0].columns["age"]
    (tmp_path / "new.csv").write_text("case_id,image.t1,image.t2,mask\nz,z1,z2,m\n")
    assert "has no column 'age'" in refusal(trained.with_list(tmp_path / "new.csv"))


def test_a_list_of_several_images_keeps_what_every_data_set_promises(tmp_path: Path) -> None:
    rows = []
    for name in "abc":
        for image in ("t1", "t2", "mask"):
            picture = np.random.default_rng(ord(name)).integers(0, 256, (9, 8), np.uint8)
            pixels = (picture > 99).astype(np.uint8) if image == "mask" else picture
            Image.fromarray(pixels).save(tmp_path / f"{name}.{image}.png")
        rows.append(f"{name},{name}.t1.png,{name}.t2.png,{name}.mask.png,benign,61\n")
    text = "case_id,image.t1,image.t2,mask,label,age\n" + "".join(rows)
    check_dataset(manifest(tmp_path, text, columns=("age",)))
