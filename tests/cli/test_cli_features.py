"""``rdfc features``: PyRadiomics' command line, on any extractor."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk  # noqa: N813

PARAMETERS = """
setting: {binWidth: 20, label: 2}
imageType: {Original: {}}
featureClass: {firstorder: [Mean, Entropy]}
"""
MEAN, ENTROPY = "original_firstorder_Mean", "original_firstorder_Entropy"


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    for place in range(2):
        mask = np.zeros((8, 16, 16), np.uint8)
        mask[2:6, 2:7, 3:9], mask[2:6, 9:14, 3:9] = 1, 2
        image = rng.normal(100, 20, mask.shape) + 50 * (mask == 2)
        for name, array in (("image", image), ("mask", mask)):
            sitk.WriteImage(sitk.GetImageFromArray(array), str(tmp_path / f"{name}{place}.nrrd"))
    (tmp_path / "p.yaml").write_text(PARAMETERS)
    return tmp_path


def told(out: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(out)))


def test_an_image_and_its_mask(files, rdfc_here):
    pair = files / "image0.nrrd", files / "mask0.nrrd"
    done = rdfc_here("features", *pair, "-p", files / "p.yaml", "-j", 0)
    assert done.code == 0, done.err
    (row,) = told(done.out)
    assert set(row) == {"case_id", "patient_id", "label", MEAN, ENTROPY}
    image, mask = (sitk.GetArrayFromImage(sitk.ReadImage(str(path))) for path in pair)
    assert float(row[MEAN]) == pytest.approx(image[mask == 2].mean())
    (other,) = told(rdfc_here("features", *pair, "-p", files / "p.yaml", "-l", 1, "-j", 0).out)
    assert float(other[MEAN]) == pytest.approx(image[mask == 1].mean())
    finer = ("-s", "binWidth=1")
    (fine,) = told(rdfc_here("features", *pair, "-p", files / "p.yaml", *finer, "-j", 0).out)
    assert float(fine[ENTROPY]) > float(row[ENTROPY])


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_a_batch_of_pyradiomics_into_each_format(files, rdfc_here, ending):
    (files / "batch.csv").write_text(
        "Image,Mask,Label\nimage0.nrrd,mask0.nrrd,1\nimage1.nrrd,mask1.nrrd,2\n"
    )
    out = files / f"table.{ending}"
    done = rdfc_here("features", files / "batch.csv", "-p", "ct-3d", "-o", out, "-j", 0)
    assert done.code == 0, done.err
    table = {
        "csv": pd.read_csv,
        "json": lambda path: pd.DataFrame(json.loads(path.read_text())),
        "parquet": pd.read_parquet,
    }[ending](out)
    assert list(table["case_id"]) == ["image0", "image1"]
    assert table[MEAN].iloc[1] > table[MEAN].iloc[0] + 30
    again = rdfc_here("features", files / "batch.csv", "-p", "ct-3d", "-o", out, "-j", 0)
    again.refused("exists. Choose another --out, or replace it with --overwrite")


def test_what_cannot_be_measured_costs_itself_if_that_is_asked_for(files, rdfc_here):
    (files / "batch.csv").write_text(
        "Image,Mask,Label\nimage0.nrrd,mask0.nrrd,1\nimage1.nrrd,mask1.nrrd,7\n"
    )
    call = ("features", files / "batch.csv", "-p", "ct-3d", "-j", 0)
    assert "say --skip-failed" in rdfc_here(*call).err
    done = rdfc_here(*call, "--skip-failed")
    assert [row["case_id"] for row in told(done.out)] == ["image0"]
    assert "image1" in done.err


def test_an_image_without_a_mask_is_asked_for_it(files, rdfc_here):
    done = rdfc_here("features", files / "image0.nrrd")
    done.refused("image0.nrrd is no list: give the mask of the image as well")


@pytest.mark.parametrize(
    ("arguments", "say"),
    [
        (["-s", "binWith=3", "-p", "ct-3d"], "Did you mean 'binWidth'"),
        (["-s", "binWidth", "-p", "ct-3d"], "write NAME=VALUE"),
        (["-s", "binWidth=3"], "--setting needs parameters that it changes"),
        (["-o", "table.txt"], "CSV, Parquet and JSON can be written"),
        (["--features", "natve"], "Did you mean 'native'"),
    ],
)
def test_what_does_not_fit_is_one_sentence(files, rdfc_here, arguments, say):
    pair = files / "image0.nrrd", files / "mask0.nrrd"
    rdfc_here("features", *pair, *arguments, "-j", 0).refused(say)


@pytest.mark.parametrize("ending", [".nrrd", ".nii.gz"])
def test_maps_of_one_image_lie_where_it_does(files, rdfc_here, ending):
    image = sitk.ReadImage(str(files / "image0.nrrd"))
    image.SetOrigin((10.0, -4.0, 3.0))
    image.SetSpacing((0.5, 0.5, 2.0))
    mask = sitk.ReadImage(str(files / "mask0.nrrd"))
    mask.CopyInformation(image)
    for name, one in (("i", image), ("m", mask)):
        sitk.WriteImage(one, str(files / f"{name}.nrrd"))
    pair = files / "i.nrrd", files / "m.nrrd"
    where = ("--voxel-based", "--out-dir", files / "maps", "--format", ending)
    done = rdfc_here("features", *pair, "-p", files / "p.yaml", "-s", "kernelRadius=2", *where)
    assert done.code == 0, done.err
    assert "2 maps in" in done.out
    names = sorted(path.name for path in (files / "maps").iterdir())
    assert names == [f"{ENTROPY}{ending}", f"{MEAN}{ending}"]
    made = sitk.ReadImage(str(files / "maps" / f"{MEAN}{ending}"))
    assert made.GetPixelID() == sitk.sitkFloat64
    assert made.GetSize() == (10, 9, 8)  # the mask's box of 6 x 5 x 4 and 2 voxels around it
    corner = image.TransformIndexToPhysicalPoint((1, 7, 0))
    assert made.GetOrigin() == pytest.approx(corner)
    values, inside = sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(mask) == 2
    window = (slice(1, 6), slice(9, 14), slice(3, 8))  # around (3, 11, 5)
    expected = values[window][inside[window]].mean()
    assert sitk.GetArrayFromImage(made)[3, 11 - 7, 5 - 1] == pytest.approx(expected)
    again = rdfc_here("features", *pair, "-p", files / "p.yaml", *where)
    assert again.code == 2
    assert "--overwrite" in again.err
    assert rdfc_here("features", *pair, "-p", files / "p.yaml", *where, "--overwrite").code == 0


def test_maps_of_a_list_have_a_folder_a_case_and_failed_ones_are_told(files, rdfc_here):
    (files / "batch.csv").write_text(
        "Image,Mask,Label\nimage0.nrrd,mask0.nrrd,1\nimage1.nrrd,mask1.nrrd,7\n"
    )
    command = ("features", files / "batch.csv", "-p", "ct-3d", "--voxel-based")
    assert "--out-dir" in rdfc_here(*command).err
    (files / "q.yaml").write_text("featureClass: {ngtdm: [Contrast]}\nsetting: {binWidth: 20}\n")
    command = ("features", files / "batch.csv", "-p", files / "q.yaml", "--voxel-based")
    where = ("--out-dir", files / "maps")
    failed = rdfc_here(*command, *where)
    assert failed.code == 2
    assert "Case image1" in failed.err
    assert "say --skip-failed" in failed.err
    done = rdfc_here(*command, *where, "--skip-failed", "--overwrite", "-j", 2)
    assert done.code == 0, done.err
    assert [path.name for path in sorted((files / "maps").rglob("*.nrrd"))] == [
        "original_ngtdm_Contrast.nrrd"
    ]
    assert (files / "maps" / "image0").is_dir()


def test_maps_need_an_extractor_that_makes_them(files, rdfc_here):
    pair = files / "image0.nrrd", files / "mask0.nrrd"
    where = ("--voxel-based", "--out-dir", files / "maps")
    done = rdfc_here("features", *pair, "-p", files / "p.yaml", "--features", "pyradiomics", *where)
    assert done.code == 2
    assert "makes no maps" in done.err
    other = rdfc_here("features", *pair, "--out-dir", files / "maps")
    assert other.code == 2
    assert "--voxel-based" in other.err
    ending = rdfc_here("features", *pair, "-p", files / "p.yaml", *where, "--format", ".png")
    assert ending.code == 2
    assert ".nii.gz" in ending.err
