"""What cells and headers mean: missing values, numbers written two ways, columns nearly named."""

from __future__ import annotations

import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from rdfc_core.errors import DataError
from rdfc_core.interfaces import Problem
from rdfc_dataset_manifest.config import ManifestConfig
from rdfc_dataset_manifest.dataset import Manifest

CERTAIN = ("nan", "NaN", "NA", "<NA>", "N/A", "null", "NULL", "#N/A", "NaT", "n/a", "-nan")
DOUBTFUL = ("None", "unknown", "Unknown", "-", "?", "\N{EN DASH}", "missing", "undefined")


def manifest(folder: Path, text: str, **options: Any) -> Manifest:
    (folder / "manifest.csv").write_text(text, encoding="utf-8")
    return Manifest(ManifestConfig(root=folder, **options))


def table(folder: Path, columns: str, *rows: str, **options: Any) -> Manifest:
    """A list of cases c0, c1, …, each with files of its own; the rows hold the further columns."""
    lines = [f"c{i},c{i}.png,m{i}.png,{row}" for i, row in enumerate(rows)]
    return manifest(folder, "\n".join([f"case_id,image,mask,{columns}", *lines, ""]), **options)


def only(dataset: Manifest) -> Problem:
    (problem,) = dataset.problems()
    return problem


def refusal(dataset: Manifest) -> str:
    with pytest.raises(DataError) as caught:
        dataset.cases()
    assert any(problem.severity == "error" for problem in dataset.problems())
    return str(caught.value)


# Labels


@pytest.mark.parametrize("word", [*CERTAIN, *DOUBTFUL])
def test_a_word_for_no_value_is_no_class_and_is_told_with_its_rows(
    tmp_path: Path, word: str
) -> None:
    dataset = table(tmp_path, "label", "benign", "malignant", word, word, "")
    assert [case.label for case in dataset.cases()] == ["benign", "malignant", None, None, None]
    assert dataset.classes == ("benign", "malignant")
    problem = only(dataset)
    assert problem.severity == "warning"
    assert problem.message == (
        f"label says {word!r} in 2 rows (lines 4, 5), which stands for no value: unlabelled"
    )


@pytest.mark.parametrize(("word", "other"), [("none", "tumour"), ("-", "+"), ("unknown", "known")])
def test_a_word_that_may_be_the_second_class_is_asked_about(
    tmp_path: Path, word: str, other: str
) -> None:
    assert "may be a class or stand for no value" in refusal(
        table(tmp_path, "label", other, word, word, other)
    )
    named = table(tmp_path, "label", other, word, word, other, classes=[word, other])
    assert Counter(case.label for case in named.cases()) == {other: 2, word: 2}
    assert list(named.problems()) == []
    left = table(tmp_path, "label", other, word, word, other, classes=[other])
    assert Counter(case.label for case in left.cases()) == {other: 2, None: 2}


def test_nan_beside_one_class_is_no_second_class(tmp_path: Path) -> None:
    dataset = table(tmp_path, "label", "benign", "nan")
    assert [case.label for case in dataset.cases()] == ["benign", None]


@pytest.mark.parametrize("spelling", ["1.0", "1.", "1.00", "1,0"])
def test_a_number_written_two_ways_is_one_class(tmp_path: Path, spelling: str) -> None:
    dataset = table(tmp_path, "label", "0", "1", f'"{spelling}"', "0.0", "nan")
    assert [case.label for case in dataset.cases()] == ["0", "1", "1", "0", None]
    assert dataset.classes == ("0", "1")
    for classes in ([0, 1], [0.0, 1.0], ["0.0", spelling]):
        same = table(tmp_path, "label", "0", "1", f'"{spelling}"', "0.0", classes=classes)
        assert [case.label for case in same.cases()] == ["0", "1", "1", "0"]
        assert same.classes == ("0", "1")


def test_numbers_with_decimals_that_count_stay_what_they_are(tmp_path: Path) -> None:
    dataset = table(tmp_path, "label", "4.5", "4", "10", "4.5")
    assert dataset.classes == ("4", "4.5", "10")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([str(40 + i) for i in range(24)], "24 different numbers for 24 cases"),
        ([f"{i}.5" for i in range(4)] * 20, "4 different numbers for 80 cases"),
        ([str(30 + i % 40) for i in range(400)], "40 different numbers for 400 cases"),
        ([f"a note on case {i}" for i in range(24)], "24 different texts"),
    ],
)
def test_a_column_of_measurements_or_notes_is_no_class(
    tmp_path: Path, labels: list[str], message: str
) -> None:
    sentence = refusal(table(tmp_path, "label", *labels))
    assert message in sentence
    assert "Name another label_column" in sentence
    named = table(tmp_path, "label", *labels, classes=labels[:2])
    assert {case.label for case in named.cases()} == {*labels[:2], None}


def test_grades_and_many_classes_with_cases_are_classes(tmp_path: Path) -> None:
    assert len(table(tmp_path, "label", *[str(i % 5) for i in range(9)]).classes) == 5
    assert len(table(tmp_path, "label", *[str(i % 10) for i in range(60)]).classes) == 10


def test_labels_beside_the_named_classes_are_left_out_and_told_with_the_nearest(
    tmp_path: Path,
) -> None:
    dataset = table(tmp_path, "label", "a1", "b2", "A1", "normal", "normal", classes=["a1", "b2"])
    assert [case.label for case in dataset.cases()] == ["a1", "b2", None, None, None]
    first, second = dataset.problems()
    assert first.message.startswith("1 case has the label 'A1', which is none of the classes")
    assert first.fix.startswith("Did you mean 'a1'? ")
    assert second.message.startswith("2 cases have the label 'normal'")
    assert {first.severity, second.severity} == {"warning"}


# Patients and ids


@pytest.mark.parametrize("word", [*CERTAIN, *DOUBTFUL])
def test_a_patient_that_is_no_value_is_nobody(tmp_path: Path, word: str) -> None:
    dataset = table(tmp_path, "patient_id", "anna", word, word)
    assert [case.patient_id for case in dataset.cases()] == ["anna", "c1", "c2"]
    assert f"patient_id says {word!r} in 2 rows (lines 3, 4)" in only(dataset).message


def test_patients_and_cases_that_are_numbers_are_read_alike(tmp_path: Path) -> None:
    text = "case_id,patient_id,image,mask\n1,7,a.png,m.png\n2.0,7.0,b.png,n.png\n"
    cases = manifest(tmp_path, text).cases()
    assert [(case.case_id, case.patient_id) for case in cases] == [("1", "7"), ("2", "7")]
    assert "both are the case '1'" in refusal(manifest(tmp_path, text.replace("2.0", "1.0")))


def test_letters_composed_in_two_ways_name_one_patient_and_one_class(tmp_path: Path) -> None:
    composed, apart = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    dataset = table(tmp_path, "patient_id,label", f"{composed},{apart}", f"{apart},{composed}")
    assert len({case.patient_id for case in dataset.cases()}) == 1
    assert dataset.classes == (composed,)


def test_one_image_written_in_two_ways_makes_one_patient(tmp_path: Path) -> None:
    text = "case_id,image,mask\na,d/1.png,m.png\nb,./d/x/../1.png,n.png\nc,d\\1.png,o.png\n"
    assert {case.patient_id for case in manifest(tmp_path, text).cases()} == {"a"}


@pytest.mark.parametrize("name", ["PatientID", "patient", "Patient ID", "patient-id", "PATIENT_ID"])
def test_the_patients_column_is_known_by_its_common_names(tmp_path: Path, name: str) -> None:
    dataset = table(tmp_path, name, "p", "p", "q")
    assert [case.patient_id for case in dataset.cases()] == ["p", "p", "q"]
    assert list(dataset.problems()) == []


@pytest.mark.parametrize("name", ["subject_id", "pateint_id", "Patient Name", "PID", "patients_id"])
def test_a_column_that_looks_like_the_patients_is_asked_about(tmp_path: Path, name: str) -> None:
    sentence = refusal(table(tmp_path, name, "p", "p", "q"))
    assert f"no column 'patient_id', and {name!r} looks like it. Set patient_column to" in sentence
    named = table(tmp_path, name, "p", "p", "q", patient_column=name)
    assert [case.patient_id for case in named.cases()] == ["p", "p", "q"]
    declined = table(tmp_path, name, "p", "p", "q", patient_column="case_id")
    assert [case.patient_id for case in declined.cases()] == ["c0", "c1", "c2"]


def test_of_two_columns_of_patients_the_one_with_the_exact_name_counts(tmp_path: Path) -> None:
    dataset = table(tmp_path, "patient,patient_id", "x,p", "y,p")
    assert [case.patient_id for case in dataset.cases()] == ["p", "p"]
    assert only(dataset).message == (
        "two columns may be patient_id: 'patient_id' is used, and 'patient' is not"
    )
    second = table(tmp_path, "mask_value,Mask Value", "2,1")
    assert [case.mask_value for case in second.cases()] == [2]
    assert "'mask_value' is used, and 'Mask Value' is not" in only(second).message
    assert "'PatientID' and 'patient' both look like it" in refusal(
        table(tmp_path, "PatientID,patient", "x,p")
    )


def test_columns_about_patients_are_not_taken_for_them(tmp_path: Path) -> None:
    dataset = table(tmp_path, "patient_age,patient_sex,label", "60,f,a", "61,m,b")
    assert [case.patient_id for case in dataset.cases()] == ["c0", "c1"]
    assert list(dataset.problems()) == []


def test_an_id_that_a_spreadsheet_has_shortened_is_doubted(tmp_path: Path) -> None:
    assert "has cut the digits" in only(table(tmp_path, "patient_id", "1.23E+12", "p")).message


# Other cells and columns


@pytest.mark.parametrize("role", ["case_id", "image", "mask"])
@pytest.mark.parametrize("word", ["nan", "NA", "null"])
def test_a_case_without_id_or_file_is_refused(tmp_path: Path, role: str, word: str) -> None:
    cells = {"case_id": "a", "image": "a.png", "mask": "m.png", role: word}
    sentence = refusal(manifest(tmp_path, f"{','.join(cells)}\n{','.join(cells.values())}\n"))
    assert f"line 2: {role} is {word!r}, which stands for no value" in sentence


def test_a_mask_value_that_is_no_value_leaves_the_options_one(tmp_path: Path) -> None:
    dataset = table(tmp_path, "Mask Value", "nan", "2.0", "", mask_value=7)
    assert [case.mask_value for case in dataset.cases()] == [7, 2, 7]
    assert "Mask Value says 'nan' in 1 row (line 2)" in only(dataset).message


@pytest.mark.parametrize("error", ["#NAME?", "#REF!", "#DIV/0!", "#WERT!", "####"])
def test_an_error_of_a_spreadsheet_is_refused(tmp_path: Path, error: str) -> None:
    sentence = refusal(table(tmp_path, "label", "a", error))
    assert f"line 3: label is {error!r}, an error of the spreadsheet" in sentence


@pytest.mark.parametrize(
    ("name", "role", "field"),
    [
        ("diagnosis", "label", "label_column"),
        ("Class", "label", "label_column"),
        ("lable", "label", "label_column"),
        ("mask_values", "mask_value", "mask_value"),
    ],
)
def test_a_column_that_may_be_meant_for_a_role_is_named(
    tmp_path: Path, name: str, role: str, field: str
) -> None:
    problem = only(table(tmp_path, name, "1", "2"))
    assert (problem.field, problem.severity) == (field, "warning")
    assert f"no column {role!r}; {name!r} may be it, and is not used" in problem.message


# The split


def test_parts_of_a_split_are_read_in_capitals_too(tmp_path: Path) -> None:
    words = ("train", "Train", "TEST", "Pretext", "nan", "")
    dataset = table(tmp_path, "Part", *words, split_column="part")
    assert [case.columns["Part"] for case in dataset.cases()] == [
        *("train", "train", "test", "pretext", "", "")
    ]
    assert list(dataset.problems()) == []


@pytest.mark.parametrize("word", ["val", "trian", "training", "0", "1"])
def test_a_part_that_means_nothing_is_refused_with_its_rows(tmp_path: Path, word: str) -> None:
    sentence = refusal(table(tmp_path, "part", "train", word, "test", word, split_column="part"))
    assert f"part says {word!r} in 2 rows (lines 3, 5), which is none of train, test" in sentence


def test_a_column_of_parts_that_is_not_used_is_named(tmp_path: Path) -> None:
    problem = only(table(tmp_path, "set", "Train", "test", "val"))
    assert problem.severity == "warning"
    assert problem.message == "the column 'set' says test and train and val, and is not used"
    assert "Set split_column to 'set'" in problem.fix


# Lists to predict


def test_a_list_to_predict_is_not_refused_for_classes_patients_or_splits(tmp_path: Path) -> None:
    lists = tmp_path / "lists"
    lists.mkdir()
    own = table(
        tmp_path,
        "who,what,part",
        *("p,a,train", "q,b,test"),
        patient_column="who",
        label_column="what",
        split_column="part",
        mask_value=2,
    )
    columns = "subject_id,label,set"
    for rows in (
        ["x,malignant,train", "y,none,val"],
        ["x,#NAME?,train", "#REF!,1,test"],
        [f"{i},{i}.5,x" for i in range(30)],
    ):
        table(lists, columns, *rows)
        other = own.with_list(lists)
        assert [case.case_id for case in other.cases()] == [f"c{i}" for i in range(len(rows))]
        assert {case.mask_value for case in other.cases()} == {2}
        assert {problem.severity for problem in other.problems()} <= {"warning"}
    table(lists, columns, *rows)
    with pytest.raises(DataError, match="patient_column"):
        Manifest(ManifestConfig(root=lists)).cases()
