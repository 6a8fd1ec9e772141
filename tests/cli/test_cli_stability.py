"""``rdfc stability``: perturbed cases, images of one case, and tables."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

PARAMETERS = """
setting: {binWidth: 2}
imageType: {Original: {}, Gradient: {}}
featureClass: {firstorder: [Mean, Minimum, Skewness], shape2D: [MeshSurface], shape: [VoxelVolume]}
"""
QUIET = ("--perturbations", 4, "-j", 0)


@pytest.fixture
def files(tmp_path):
    """Six patients with two scans each, which differ by noise; the last has a second case."""
    rng = np.random.default_rng(0)
    (tmp_path / "p.yaml").write_text(PARAMETERS)
    lists = ["case_id,patient_id,image.test,mask.test,image.retest,mask.retest"]
    plain = ["case_id,patient_id,image,mask"]
    for n in range(7):
        mask = np.zeros((6, 24, 24), np.uint8)
        mask[1:5, 4 : 12 + n, 5 : 14 + n] = 1
        scan = rng.normal(100 + 15 * n, 5, mask.shape)
        noisy = scan + rng.normal(0, 1, mask.shape)
        for name, array in (("test", scan), ("retest", noisy), ("mask", mask)):
            sitk.WriteImage(sitk.GetImageFromArray(array), str(tmp_path / f"{name}{n}.nrrd"))
        patient = f"p{min(n, 5)}"
        lists.append(f"c{n},{patient},test{n}.nrrd,mask{n}.nrrd,retest{n}.nrrd,mask{n}.nrrd")
        plain.append(f"c{n},{patient},test{n}.nrrd,mask{n}.nrrd")
    (tmp_path / "pairs.csv").write_text("\n".join(lists) + "\n")
    (tmp_path / "cases.csv").write_text("\n".join(plain) + "\n")
    return tmp_path


def told(text: str) -> dict[str, dict[str, str]]:
    return {row["feature"]: row for row in csv.DictReader(io.StringIO(text))}


def test_perturbed_cases_give_a_row_a_feature_and_a_summary(files, rdfc_here):
    done = rdfc_here("stability", files / "cases.csv", "-p", files / "p.yaml", *QUIET)
    assert done.code == 0, done.err
    rows = told(done.out)
    mean = rows["original_firstorder_Mean"]
    assert set(mean) == {"feature", "icc", "ci_low", "ci_high", "cases", "stable"}
    assert mean["cases"] == "6"  # one case of each patient
    assert float(mean["ci_low"]) < float(mean["icc"]) < float(mean["ci_high"])
    assert mean["stable"] == "True"
    volume = float(rows["original_shape_VoxelVolume"]["icc"])
    assert 0.8 < volume < 1  # grows and shrinks by up to 15 %
    stable = sum(row["stable"] == "True" for row in rows.values())
    assert f"{stable} of {len(rows)} features are stable" in done.err
    assert "By image: original" in done.err
    again = rdfc_here("stability", files / "cases.csv", "-p", files / "p.yaml", *QUIET)
    assert again.out == done.out
    every = rdfc_here(
        "stability", files / "cases.csv", "-p", files / "p.yaml", *QUIET, "--every-case"
    )
    assert told(every.out)["original_firstorder_Mean"]["cases"] == "7"


def test_images_of_a_case_are_compared_as_tables_of_them_are(files, rdfc_here):
    parameters = ("-p", files / "p.yaml", "-j", 0)
    pairs = rdfc_here(
        "stability", files / "pairs.csv", *parameters, "--images", "test,retest", "--every-case"
    )
    assert pairs.code == 0, pairs.err
    tables = []
    for name in ("test", "retest"):
        listing = files / f"{name}.csv"
        rows = [f"c{n},p{n},{name}{n}.nrrd,mask{n}.nrrd" for n in range(7)]
        listing.write_text("\n".join(["case_id,patient_id,image,mask", *rows]) + "\n")
        tables.append(files / f"{name}-features.csv")
        done = rdfc_here("features", listing, *parameters, "-o", tables[-1])
        assert done.code == 0, done.err
    both = rdfc_here("stability", *tables)
    assert both.code == 0, both.err
    one, other = told(pairs.out), told(both.out)
    assert one.keys() == other.keys()
    for name, row in one.items():
        assert float(row["icc"] or 9) == pytest.approx(float(other[name]["icc"] or 9), abs=1e-9)
    out = files / "s.parquet"
    assert rdfc_here("stability", *tables, "-o", out, "--icc", "3,1").code == 0
    from pyarrow import parquet

    assert parquet.read_table(out)["feature"].to_pylist() == list(one)


def test_what_cannot_be_compared_is_refused(files, rdfc_here):
    rdfc_here("stability").refused("Name a list of images and masks, two tables, or one --dataset")
    cases = files / "cases.csv"
    rdfc_here("stability", cases, "--chain", "NX", "-j", 0).refused("is not of the letters N")
    rdfc_here("stability", cases, "--images", "a,b", "-j", 0).refused(
        "the cases have one each, without a name"
    )
    rdfc_here("stability", files / "pairs.csv", "--images", "test,second", "-j", 0).refused(
        "the cases have test, retest"
    )
    rdfc_here("stability", cases, cases, "--images", "a,b").refused("leave --images out")
    rdfc_here("stability", cases, "--cases", 3, "-p", files / "none.yaml", "-j", 0).refused("none")
    two = files / "two.csv"
    two.write_text("\n".join(cases.read_text().splitlines()[:3]) + "\n")
    rdfc_here("stability", two, "-p", files / "p.yaml", *QUIET).refused("Of 2 cases")
