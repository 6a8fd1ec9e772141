"""Lists as people write them, and as spreadsheets and PyRadiomics do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from rdfc_core.case import Case
from rdfc_core.data.readers.pictures import PictureReader
from rdfc_core.errors import DataError
from rdfc_core.plugin.registry import installed
from rdfc_core.testing import check_dataset, check_plugin
from rdfc_dataset_manifest.config import ManifestConfig
from rdfc_dataset_manifest.dataset import Manifest

LIST = """case_id,patient_id,image,mask,label,age
a,p1,image/a.png,mask/a.png,benign,61
b,p1,image/b.png,mask/b.png,malignant,61
c,,image/c.png,/data/c_mask.png,,48
"""


def manifest(folder: Path, text: str | bytes, **options: Any) -> Manifest:
    data = text.encode() if isinstance(text, str) else text
    (folder / "manifest.csv").write_bytes(data)
    return Manifest(ManifestConfig(root=folder, **options))


def only_problem(dataset: Manifest) -> str:
    (problem,) = dataset.problems()
    assert problem.severity == "error"
    sentence = f"{problem.message}. {problem.fix}"
    with pytest.raises(DataError) as caught:
        dataset.cases()
    assert str(caught.value) == sentence
    return sentence


def test_the_plugin_keeps_what_every_plugin_promises() -> None:
    check_plugin("rdfc-dataset-manifest")
    assert installed().get("dataset", "manifest").load() is Manifest


def test_it_keeps_what_every_data_set_promises(tmp_path: Path) -> None:
    rows = []
    for name in "abc":
        picture = np.random.default_rng(ord(name)).integers(0, 256, (9, 8), np.uint8)
        Image.fromarray(picture).save(tmp_path / f"{name}.png")
        Image.fromarray((picture > 99).astype(np.uint8)).save(tmp_path / f"{name}_mask.png")
        rows.append(f"{name},{name}.png,{name}_mask.png,benign,train\n")
    text = "case_id,image,mask,label,part\n" + "".join(rows)
    check_dataset(manifest(tmp_path, text, split_column="part"))


# Our own lists


def test_a_list_becomes_cases(tmp_path: Path) -> None:
    dataset = manifest(tmp_path, LIST)
    assert dataset.cases() == [
        Case("a", "p1", tmp_path / "image/a.png", tmp_path / "mask/a.png", "benign",
             columns={"age": "61"}),
        Case("b", "p1", tmp_path / "image/b.png", tmp_path / "mask/b.png", "malignant",
             columns={"age": "61"}),
        Case("c", "c", tmp_path / "image/c.png", Path("/data/c_mask.png"), None,
             columns={"age": "48"}),
    ]  # fmt: skip
    assert dataset.classes == ("benign", "malignant")
    assert list(dataset.problems()) == []
    assert dataset.protocol().kind == "holdout"


def test_listed_files_are_read(tmp_path: Path) -> None:
    picture = np.arange(30, dtype=np.uint8).reshape(5, 6)
    Image.fromarray(picture).save(tmp_path / "a.png")
    Image.fromarray((picture > 20).astype(np.uint8)).save(tmp_path / "m.png")
    (case,) = manifest(tmp_path, "case_id,image,mask\na,a.png,m.png\n").cases()
    assert case.reader is None  # a study chooses it
    tumour = Case(case.case_id, "p", case.image, case.mask, reader=PictureReader()).load()
    assert tumour.mask.sum() == 9


@pytest.mark.parametrize(
    "text",
    [
        LIST.replace(",", ";"),
        LIST.replace(",", "\t"),
        LIST.replace("\n", "\r\n"),
        LIST.replace("\n", "\r"),
        "\ufeff" + LIST,
        LIST + "\n\n,,,,,\n",
        "\n" + LIST,
        LIST.replace("case_id,patient_id,image", " Case_ID ,PATIENT_ID,Image"),
        LIST.replace("a,p1,image/a.png", '"a","p1","image/a.png"').replace("c,,", 'c,"",'),
        "".join(f"{place},{line}\n" for place, line in enumerate(["", *LIST.split()])).replace(
            "0,\n1,", ",", 1
        ),  # as pandas writes it, with an index that has no name
    ],
    ids=[
        "semicolon",
        "tab",
        "crlf",
        "cr",
        "bom",
        "blank",
        "first-blank",
        "case",
        "quotes",
        "index",
    ],
)
def test_a_list_means_the_same_however_it_was_saved(tmp_path: Path, text: str) -> None:
    expected = manifest(tmp_path, LIST).cases()
    assert manifest(tmp_path, text).cases() == expected


def test_the_list_may_be_named_itself_and_lie_elsewhere(tmp_path: Path) -> None:
    inside = manifest(tmp_path, LIST).cases()
    elsewhere = tmp_path / "lists" / "mine.csv"
    elsewhere.parent.mkdir()
    elsewhere.write_text(LIST)
    by_file = Manifest(ManifestConfig(root=tmp_path / "manifest.csv"))
    assert by_file.cases() == inside
    by_csv = Manifest(ManifestConfig(csv=elsewhere))
    assert by_csv.cases()[0].image == tmp_path / "lists/image/a.png"
    assert Manifest(ManifestConfig(csv=elsewhere, root=tmp_path)).cases() == inside


def test_paths_written_on_windows_are_understood(tmp_path: Path) -> None:
    (case,) = manifest(tmp_path, "case_id,image,mask\na,image\\a.png,mask\\a.png\n").cases()
    assert case.image == tmp_path / "image" / "a.png"


def test_the_component_of_a_row_goes_before_that_of_the_options(tmp_path: Path) -> None:
    rows = ["a,a.png,m.png,", "b,b.png,m.png,2", "c,c.png,m.png,Largest", "d,d.png,m.png,1.0"]
    text = "case_id,image,mask,Component\n" + "\n".join(rows) + "\n"
    dataset = manifest(tmp_path, text, component="largest")
    assert [case.component for case in dataset.cases()] == ["largest", 2, "largest", 1]
    assert "component" not in {name.casefold() for name in dataset.cases()[0].columns}


@pytest.mark.parametrize("cell", ["0", "-1", "1.5", "second"])
def test_a_component_that_means_nothing_is_refused_by_its_line(tmp_path: Path, cell: str) -> None:
    text = f"case_id,image,mask,component\na,a.png,m.png,{cell}\n"
    say = only_problem(manifest(tmp_path, text))
    assert f"line 2: component is '{cell}'" in say
    assert "the n-th largest component" in say


def test_the_mask_value_of_a_row_goes_before_that_of_the_options(tmp_path: Path) -> None:
    text = "case_id,image,mask,mask_value\na,a.png,m.png,\nb,b.png,m.png,255\nc,c.png,m.png,2.0\n"
    dataset = manifest(tmp_path, text, mask_value=7, component="largest")
    assert [case.mask_value for case in dataset.cases()] == [7, 255, 2]
    assert {case.component for case in dataset.cases()} == {"largest"}
    assert [c.mask_value for c in manifest(tmp_path, text).cases()] == [None, 255, 2]


def test_cases_of_one_image_without_a_patient_share_one(tmp_path: Path) -> None:
    text = "case_id,patient_id,image,mask\na,,1.png,m1.png\nb,,1.png,m2.png\nc,,2.png,m3.png\n"
    assert [case.patient_id for case in manifest(tmp_path, text).cases()] == ["a", "a", "c"]
    known = text.replace("b,,", "b,anna,")
    assert [case.patient_id for case in manifest(tmp_path, known).cases()] == ["anna", "anna", "c"]


# Classes and split


def test_labels_are_sorted_numbers_by_size(tmp_path: Path) -> None:
    rows = "".join(f"{i},{i}.png,m.png,{label}\n" for i, label in enumerate(["10", "2", "9", ""]))
    assert manifest(tmp_path, "case_id,image,mask,label\n" + rows).classes == ("2", "9", "10")


def test_the_order_of_classes_can_be_set(tmp_path: Path) -> None:
    dataset = manifest(tmp_path, LIST, classes=["malignant", "benign"])
    assert dataset.classes == ("malignant", "benign")
    assert ManifestConfig(root=tmp_path, classes=[1, 0]).classes == ("1", "0")
    with pytest.raises(ValidationError, match="each class once"):
        ManifestConfig(root=tmp_path, classes=["a", "a"])
    with pytest.raises(ValidationError, match="in quotes"):
        ManifestConfig(root=tmp_path, classes=[True, False])


def test_one_class_or_none_is_no_problem(tmp_path: Path) -> None:
    dataset = manifest(tmp_path, LIST.replace("malignant", "benign"))
    assert len(dataset.cases()) == 3
    assert dataset.classes == ("benign",)
    assert manifest(tmp_path, "case_id,image,mask\na,a.png,m.png\n").classes == ()


def test_another_column_can_hold_the_class(tmp_path: Path) -> None:
    dataset = manifest(tmp_path, LIST, label_column="AGE")
    assert [case.label for case in dataset.cases()] == ["61", "61", "48"]
    assert dataset.cases()[0].columns == {"label": "benign"}


def test_the_split_column_is_passed_on_as_the_header_writes_it(tmp_path: Path) -> None:
    text = "case_id,image,mask,Part\na,a.png,m.png,train\nb,b.png,m.png,test\n"
    dataset = manifest(tmp_path, text, split_column="part")
    spec = dataset.protocol()
    assert (spec.kind, spec.column) == ("column", "Part")
    assert [case.columns[spec.column] for case in dataset.cases()] == ["train", "test"]


# What is wrong with a list


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LIST + "a,p9,image/x.png,mask/x.png,benign,\n", r"lines 2 and 5: both are the case 'a'"),
        (LIST.replace("image,", "imgae,"), r"no column 'image'; it has .*Did you mean 'imgae'\?"),
        (LIST.replace("mask,label", "outline,label"), r"no column 'mask'; it has case_id,"),
        (LIST + "d,p,i.png,m.png\n", r"line 5: 4 fields, and the header has 6"),
        (LIST + "d,p,i.png,m.png,benign,50,,x\n", r"line 5: 8 fields, and the header has 6"),
        (LIST + ",p,i.png,m.png,benign,50\n", r"line 5: case_id is empty"),
        (LIST + "d,p,,m.png,benign,50\n", r"line 5: image is empty. Name the file"),
        (LIST + "d,p,i.png,,benign,50\n", r"line 5: mask is empty"),
        (LIST.replace(",age", ",Label"), r"two columns for one name: 'label' and 'Label'"),
        (LIST.replace(",age", ",mask_value").replace("48", "0"), r"line 4: mask_value is '0'"),
        (LIST + 'd,p,"i.png,m.png,benign,50\n', r"line 5: unexpected end of data. Check"),
        ("", r"is empty. Start it with the line: case_id,"),
        ("\n,,\n", r"is empty"),
    ],
)  # fmt: skip
def test_each_fault_is_named_with_its_line_and_a_way_out(
    tmp_path: Path, text: str, message: str
) -> None:
    dataset = manifest(tmp_path, text)
    (problem,) = dataset.problems()
    with pytest.raises(DataError, match=message):
        dataset.cases()
    assert problem.severity == "error"


def test_a_line_number_counts_lines_of_the_file_also_after_a_quoted_line_break(
    tmp_path: Path,
) -> None:
    text = 'case_id,image,mask,note\na,i.png,m.png,"two\nlines"\nb,,m.png,\n'
    assert "line 4: image is empty" in only_problem(manifest(tmp_path, text))


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_list_that_is_not_utf8_is_refused_with_the_remedy(tmp_path: Path, encoding: str) -> None:
    text = LIST.replace("benign", "gutärtig").encode(encoding)
    message = only_problem(manifest(tmp_path, text))
    line = 2 if encoding == "latin-1" else 1
    assert f"manifest.csv is not UTF-8 (line {line}). Save it again as UTF-8" in message


def test_all_problems_are_told_at_once_and_the_first_is_raised(tmp_path: Path) -> None:
    text = LIST + "a,p,i.png,m.png,,\n\nd,p,i.png,m.png\ne,p,,,,\n"
    dataset = manifest(tmp_path, text)
    assert [(p.case_id, p.field) for p in dataset.problems()] == [
        ("", "csv"),
        ("e", "image"),
        ("e", "mask"),
        ("a", "case_id"),
    ]
    with pytest.raises(DataError, match=r"4 fields.*\(3 more: rdfc datasets check manifest\.\)"):
        dataset.cases()


def test_a_missing_list_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    message = only_problem(Manifest(ManifestConfig(root=tmp_path)))
    assert "manifest.csv cannot be read: no such file or directory. Correct the path" in message
    (tmp_path / "cases.csv").write_text(LIST)
    assert "Name one of the lists there: cases.csv" in only_problem(
        Manifest(ManifestConfig(root=tmp_path))
    )


@pytest.mark.parametrize("option", ["label_column", "split_column"])
def test_a_column_that_the_options_name_must_be_there(tmp_path: Path, option: str) -> None:
    message = only_problem(manifest(tmp_path, LIST, **{option: "lable"}))
    assert "no column 'lable'" in message
    assert f"Did you mean 'label'? Correct {option}" in message


def test_options_must_say_where_the_list_is() -> None:
    with pytest.raises(ValidationError, match=r"manifest\.csv"):
        ManifestConfig()
