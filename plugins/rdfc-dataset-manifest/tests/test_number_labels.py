"""Labels of a list that are numbers to predict."""

from __future__ import annotations

from pathlib import Path

import pytest

from rdfc_core import StudyError
from rdfc_core.errors import DataError
from rdfc_dataset_manifest.config import ManifestConfig
from rdfc_dataset_manifest.dataset import Manifest


def listed(folder: Path, *labels: str, **options: object) -> Manifest:
    rows = [f'c{i},p{i},c{i}.png,m{i}.png,"{label}"' for i, label in enumerate(labels)]
    text = "\n".join(["case_id,patient_id,image,mask,label", *rows])
    (folder / "manifest.csv").write_text(text, encoding="utf-8")
    return Manifest(ManifestConfig(root=folder, **options))


def test_numbers_are_labels_as_they_are_written(tmp_path: Path) -> None:
    dataset = listed(tmp_path, "12.50", "-3", "1e2").with_numbers()
    assert [case.label for case in dataset.cases()] == ["12.50", "-3", "1e2"]
    assert dataset.classes == ()


def test_without_the_task_they_are_refused_and_the_option_is_named(tmp_path: Path) -> None:
    dataset = listed(tmp_path, *(f"{i}.5" for i in range(15)))
    with pytest.raises(DataError, match="set task=regression"):
        dataset.cases()
    assert len(dataset.with_numbers().cases()) == 15


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("high", "line 3: label is 'high', which is not a finite number"),
        ("1,5", "line 3: label is '1,5', which has a comma"),
        ("inf", "is not a finite number"),
    ],
)
def test_what_is_no_number_is_refused_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    dataset = listed(tmp_path, "1.5", text, "2.5").with_numbers()
    with pytest.raises(DataError) as caught:
        dataset.cases()
    assert says in str(caught.value)
    assert "Case c1" in str(caught.value)


def test_words_for_no_value_and_empty_cells_leave_cases_unlabelled(tmp_path: Path) -> None:
    dataset = listed(tmp_path, "1.5", "nan", "", "unknown", "2.5").with_numbers()
    assert [case.label for case in dataset.cases()] == ["1.5", None, None, None, "2.5"]
    [warning] = list(dataset.problems())
    assert warning.severity == "warning"
    assert "'nan', 'unknown'" in warning.message


def test_a_list_to_predict_needs_no_numbers(tmp_path: Path) -> None:
    other = tmp_path / "new"
    other.mkdir()
    listed(other, "7.5", "high")
    dataset = listed(tmp_path, "1.5", "2.5").with_numbers().with_list(other)
    assert [case.label for case in dataset.cases()] == ["7.5", None]


def test_named_classes_are_refused_beside_numbers(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"dataset\.classes"):
        listed(tmp_path, "1", "2", classes=("1", "2")).with_numbers()
