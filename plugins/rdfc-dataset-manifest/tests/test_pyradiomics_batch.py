"""PyRadiomics' batch files, taken as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rdfc_core.case import Case
from rdfc_core.errors import DataError
from rdfc_dataset_manifest.config import ManifestConfig
from rdfc_dataset_manifest.dataset import Manifest


def manifest(folder: Path, text: str, **options: Any) -> Manifest:
    (folder / "manifest.csv").write_text(text, encoding="utf-8")
    return Manifest(ManifestConfig(root=folder, **options))


def test_a_batch_file_of_pyradiomics_is_taken_unchanged(tmp_path: Path) -> None:
    text = "Image,Mask,Label,Diagnosis\n/d/brain1_image.nrrd,/d/brain1_label.nrrd,1,glioma\n"
    text += "lung1_image.nii.gz,lung1_label.nii.gz,,nodule\n"
    dataset = manifest(tmp_path, text)
    assert dataset.cases() == [
        Case("brain1_image", "brain1_image", Path("/d/brain1_image.nrrd"),
             Path("/d/brain1_label.nrrd"), None, 1, columns={"Diagnosis": "glioma"}),
        Case("lung1_image", "lung1_image", tmp_path / "lung1_image.nii.gz",
             tmp_path / "lung1_label.nii.gz", None, None, columns={"Diagnosis": "nodule"}),
    ]  # fmt: skip
    assert manifest(tmp_path, text, label_column="diagnosis").classes == ("glioma", "nodule")


def test_an_id_and_a_patient_of_a_batch_file_are_used(tmp_path: Path) -> None:
    text = "ID,Patient,Image,Mask,Label\n7,anna,a.nrrd,m.nrrd,2\n8,anna,b.nrrd,m.nrrd,2\n"
    cases = manifest(tmp_path, text).cases()
    assert [(c.case_id, c.patient_id, c.mask_value) for c in cases] == [
        ("7", "anna", 2),
        ("8", "anna", 2),
    ]


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        (["p1/ct.nii.gz,m.nii,1", "p2/ct.nii.gz,m.nii,1"], ["p1_ct", "p2_ct"]),
        (["ct.nii,m1.nii,1", "ct.nii,m2.nii,1"], ["ct_m1", "ct_m2"]),
        (["ct.nii,m.nii,1", "ct.nii,m.nii,2"], ["ct_m_1", "ct_m_2"]),
        (["scan.1.nii,m.nii,1", "scan.2.nii,m.nii,1"], ["scan.1", "scan.2"]),
    ],
)
def test_cases_of_a_batch_file_are_named_by_what_tells_them_apart(
    tmp_path: Path, rows: list[str], names: list[str]
) -> None:
    cases = manifest(tmp_path, "\n".join(["Image,Mask,Label", *rows])).cases()
    assert [case.case_id for case in cases] == names
    assert len({case.patient_id for case in cases}) == len({case.image for case in cases})


@pytest.mark.parametrize("label", ["benign", "0", "1.5", "-1"])
def test_a_label_that_cannot_be_a_mask_value_is_refused_with_both_ways_out(
    tmp_path: Path, label: str
) -> None:
    dataset = manifest(tmp_path, f"Image,Mask,Label\na.png,m.png,{label}\n")
    with pytest.raises(DataError, match="set label_column or add case_id") as caught:
        dataset.cases()
    assert f"line 2: Label is {label!r}" in str(caught.value)


def test_naming_the_label_column_makes_it_the_class(tmp_path: Path) -> None:
    text = "image,mask,label\na.png,m.png,benign\n"
    (case,) = manifest(tmp_path, text, label_column="label").cases()
    assert (case.label, case.mask_value) == ("benign", None)
