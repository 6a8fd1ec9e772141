"""Both views look at axial slices, though the files store their slices first."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
import torch

from rdfc_core.case import Tumour
from rdfc_core.data.readers.volumes import VolumeReader
from rdfc_core.views.augmentation import resize
from rdfc_core.views.crop import picture
from rdfc_core.views.options import ImageViewConfig
from rdfc_dataset_kits19.config import Kits19Config
from rdfc_dataset_kits19.dataset import Kits19

PAPER = ImageViewConfig(size=(64, 64), slices=10, window=(-200, 300))
ENVIRONMENT = "RDFC_KITS19"


def load(dataset: Kits19, place: int = 0) -> Tumour:
    return replace(dataset.cases()[place], reader=VolumeReader()).load()


def written(layout: Any, image: np.ndarray, first: int, last: int) -> Tumour:
    """A tumour in slices ``first`` to ``last``, rows 4 … 9 and columns 6 … 15."""
    mask = np.zeros(image.shape, np.uint8)
    mask[:, 1:18, 1:20] = 1
    mask[first : last + 1, 4:10, 6:16] = 2
    (case_id,) = layout.of("papillary", 1)
    layout.write(case_id, image, mask)
    return load(layout.dataset(allow_missing=True))


def test_the_generated_files_are_as_the_official_ones(layout):
    layout.write_small("case_00000")
    header = sitk.ImageFileReader()
    header.SetFileName(str(layout.data / "case_00000" / "imaging.nii.gz"))
    header.ReadImageInformation()
    assert header.GetSize() == (8, 20, 24)  # slices, height, width
    assert header.GetSpacing() == pytest.approx((3.0, 0.7, 0.7))
    # The affine of the official files: slices along −z, rows along −y, columns along −x.
    for key, row in (("srow_x", "0 0 -0.7 0"), ("srow_y", "0 -0.7 0 0"), ("srow_z", "-3 0 0 0")):
        found = [float(n) for n in header.GetMetaData(key).split()]
        assert found == pytest.approx([float(n) for n in row.split()], abs=1e-6)


@pytest.mark.parametrize(
    ("first", "last", "slices"),
    [
        # Repeated from the middle: three times each, the middle one once more.
        (4, 6, [4, 4, 4, 5, 5, 5, 5, 6, 6, 6]),
        # 7 slices: once each, and the three in the middle twice.
        (3, 9, [3, 4, 5, 5, 6, 6, 7, 7, 8, 9]),
        (2, 11, [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
        (1, 19, [1, 3, 5, 7, 9, 11, 13, 15, 17, 19]),  # uniformly over 19
    ],
)
def test_ten_slices_of_the_tumour_become_channels_in_the_window(layout, first, last, slices):
    s, h, w = np.mgrid[:20, :20, :24]
    image = (20 * s + 3 * h + w - 150).astype(np.int16)
    image[:, 4, 6], image[:, 9, 15] = -900, 2000
    found = picture(written(layout, image, first, last), PAPER, 2, None)
    # The file counts slices from the head, a picture from the feet; rows and columns stay.
    expected = np.clip((image[slices[::-1], 4:10, 6:16] + 200.0) / 500, 0, 1)
    assert found.shape == (10, 6, 10)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert (found[:, 0, 0] == 0).all()
    assert (found[:, -1, -1] == 1).all()
    assert resize(torch.from_numpy(found), PAPER.size).shape == (10, 64, 64)


def contrast(tumour: Tumour, **settings: Any) -> float:
    """The contrast of neighbours, slice by slice, as the paper's CT settings measure it."""
    config = pytest.importorskip("rdfc_features_pyradiomics.config")
    extractor = pytest.importorskip("rdfc_features_pyradiomics.extractor")
    parameters = {
        "imageType": {"Original": {}},
        "featureClass": {"glcm": ["Contrast"]},
        "setting": {
            "binWidth": 20,
            "resampledPixelSpacing": [0.8, 0.8, 0],
            "padDistance": 10,
            "force2D": True,
            **settings,
        },
    }
    made = extractor.PyRadiomicsExtractor(config.PyRadiomicsConfig(parameters=parameters))
    return float(made.extract(tumour).values[0])


def test_radiomics_looks_for_neighbours_within_axial_slices_alone(layout):
    """Slices that are even in themselves have no contrast; across them it would be large."""
    s, _, _ = np.mgrid[:20, :20, :24]
    # In the middle of a bin: resampling rounds.
    tumour = written(layout, (100 * (s % 3) + 10).astype(np.int16), 4, 9)
    assert contrast(tumour) == pytest.approx(0, abs=1e-9)
    assert contrast(tumour, force2Ddimension=0, resampledPixelSpacing=None) > 1


def real() -> Kits19:
    """The data set that the environment names.

    Its scans may be simulated: grids, masks and list are what counts.
    """
    root = os.environ.get(ENVIRONMENT)
    if not root:
        pytest.skip(f"{ENVIRONMENT} names no folder with KiTS19's layout and some scans")
    return Kits19(Kits19Config(root=Path(root), allow_missing=True))


def test_real_grids_and_masks_give_axial_pictures_and_features():
    dataset = real()
    assert dataset.cases()
    config = pytest.importorskip("rdfc_features_pyradiomics.config")
    extractor = pytest.importorskip("rdfc_features_pyradiomics.extractor")
    made = extractor.PyRadiomicsExtractor(config.PyRadiomicsConfig(parameters="ct"))
    for place, case in enumerate(dataset.cases()):
        tumour = load(dataset, place)
        header = sitk.ImageFileReader()
        header.SetFileName(str(case.mask))
        header.ReadImageInformation()
        slices, height, width = header.GetSize()
        order, turned = tumour.image.axial
        assert np.transpose(tumour.mask, order)[turned].shape == (slices, height, width)
        listed = case.columns["tumor_histologic_subtype"]
        assert case.label in (None, listed)
        found = picture(tumour, PAPER, 2, None)
        rows, columns = (np.ptp(np.nonzero(tumour.mask)[axis]) + 1 for axis in order[1:])
        assert found.shape == (10, rows, columns)
        assert np.isfinite(found).all()
        assert found.max() > found.min()
        features = made.extract(tumour)
        assert features.values.shape == (1001,)
        assert np.isfinite(features.values).mean() > 0.9
