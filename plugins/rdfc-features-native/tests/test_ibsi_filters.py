"""The filters of the extractor ``ibsi``: properties of their definitions, and what is refused.

The reference response maps of the IBSI are compared in tests/radiomics/test_ibsi_reference.py.
"""

import math

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError
from scipy import fft, ndimage

from rdfc_core.errors import DataError, StudyError
from rdfc_core.testing import check_feature_extractor
from rdfc_features_native.ibsi.config import IbsiConfig
from rdfc_features_native.ibsi.extractor import IbsiExtractor
from rdfc_features_native.ibsi.filter_options import Filter
from rdfc_features_native.ibsi.filtered_images import response_map
from rdfc_features_native.ibsi.vocabulary import names_of

CUBES_MM = (1.0, 1.0, 1.0)


def respond(image, spacing_mm=CUBES_MM, **options):
    return response_map(image, spacing_mm, TypeAdapter(Filter).validate_python(options))


@pytest.fixture(scope="module")
def noise():
    # Of odd size, where the frequencies of the Simoncelli wavelet lie evenly around 0.
    return np.random.default_rng(0).normal(size=(13, 13, 13))


def test_the_mean_is_that_of_scipy(noise):
    expected = ndimage.uniform_filter(noise, (1, 5, 5), mode="reflect")
    np.testing.assert_allclose(respond(noise, kind="mean", support=5, dimensions=2), expected)


def test_the_laplacian_of_a_square_function_is_its_curvature():
    """Of a x² + b y² + c z², in mm, away from the border."""
    z, y, x = np.meshgrid(
        *(np.arange(n) * mm for n, mm in ((30, 2), (40, 1), (40, 1))), indexing="ij"
    )
    image = 0.5 * x**2 + 0.25 * y**2 + 0.125 * z**2
    found = respond(image, (2.0, 1.0, 1.0), kind="log", sigma_mm=2.0, cutoff=6)
    # In voxels: the second difference along z is four times that a mm.
    middle = found[12:18, 15:25, 15:25]
    assert middle == pytest.approx(1 + 0.5 + 0.25 * 4, rel=1e-3)


TURNED = [
    {"kind": "laws", "kernels": "L5E3S5", "pooling": "max"},
    {"kind": "laws", "kernels": "E5W5R5", "pooling": "average", "energy_reach": 2},
    {"kind": "wavelet", "wavelet": "db2", "bands": "LHL", "level": 2, "pooling": "average"},
    {"kind": "wavelet", "wavelet": "haar", "bands": "HHL", "pooling": "max"},
    {"kind": "gabor", "sigma_mm": 2, "wavelength_mm": 3, "directions": 4, "dimensions": 3},
    {"kind": "simoncelli", "level": 2},
]


@pytest.mark.parametrize("options", TURNED, ids=lambda options: options["kind"])
@pytest.mark.parametrize("plane", [(0, 1), (0, 2), (1, 2)])
def test_pooled_responses_turn_with_the_image(options, plane, noise):
    turned = respond(np.rot90(noise, axes=plane).copy(), **options)
    np.testing.assert_allclose(turned, np.rot90(respond(noise, **options), axes=plane), atol=1e-9)


def test_one_rotation_does_not(noise):
    options = {"kind": "laws", "kernels": "L5E3S5"}
    turned = respond(np.rot90(noise, axes=(1, 2)).copy(), **options)
    assert not np.allclose(turned, np.rot90(respond(noise, **options), axes=(1, 2)))


def test_a_gabor_filter_answers_to_waves_of_its_direction_and_length():
    columns = np.arange(64) * np.ones((1, 64, 1))
    wave = np.cos(2 * math.pi * columns / 8)
    options = {"kind": "gabor", "sigma_mm": 4, "wavelength_mm": 8, "boundary": "periodic"}
    along = respond(wave, theta_degrees=0, **options)
    across = respond(wave, theta_degrees=90, **options)
    # Half the kernel's weight, 2 π σ², for one of the wave's two frequencies.
    assert along == pytest.approx(math.pi * 4**2, rel=1e-3)
    assert across.max() < 0.01 * along.min()


def test_bands_of_the_simoncelli_wavelet_tile_the_spectrum():
    size = 65  # of odd size: the frequency 0 is among the samples
    impulse = np.zeros((1, size, size))
    impulse[0, 0, 0] = 1
    levels = [respond(impulse, kind="simoncelli", level=n, dimensions=2) for n in (1, 2, 3)]
    power = sum(np.abs(fft.fftn(level)) ** 2 for level in levels)[0]
    axis = fft.ifftshift(np.linspace(-1, 1, size))
    radius = np.hypot(axis[:, None], axis[None])
    between = (radius > 0.126) & (radius < 0.499)
    np.testing.assert_allclose(power[between], 1, atol=1e-9)


FILTERS = (
    {"kind": "mean", "support": 3},
    {"kind": "log", "sigma_mm": 1.5},
    {"kind": "laws", "kernels": "L3E3S3", "pooling": "max", "energy_reach": 2},
)


def test_it_keeps_the_contract_with_filters():
    check_feature_extractor(
        IbsiExtractor(IbsiConfig(filters=FILTERS, families=("firstorder",))), (3,)
    )


def test_filtered_images_have_their_own_families_and_names(make_tumour):
    extractor = IbsiExtractor(
        IbsiConfig(filters=FILTERS[:2], families=("glcm",), filtered_families=("glcm", "ngtdm"))
    )
    images = ["original", "mean-support-3", "log-sigma-mm-1-5"]
    names = extractor.names(3)
    assert list(dict.fromkeys(name.split("_")[0] for name in names)) == images
    assert len(names) == 3 * len(names_of("glcm")) + 2 * len(names_of("ngtdm"))
    values = extractor.extract(make_tumour((12, 16, 16))).values
    assert np.isfinite(values).all()


def test_a_filtered_image_is_measured_where_the_original_is(make_tumour):
    """Re-segmentation is by intensities of the original: the mean of a mean of one voxel tells."""
    tumour = make_tumour((12, 16, 16))
    config = IbsiConfig(
        filters=({"kind": "mean", "support": 1},),
        families=("firstorder",),
        resegment_range=(100, 150),
    )
    values = IbsiExtractor(config).extract(tumour).values
    half = len(values) // 2
    np.testing.assert_allclose(values[:half], values[half:])


def test_pictures_are_filtered_in_their_plane(make_tumour):
    tumour = make_tumour((40, 44))
    flat = {"kind": "laws", "kernels": "L5E5", "dimensions": 2}
    extractor = IbsiExtractor(IbsiConfig(filters=(flat,), families=("firstorder",)))
    assert np.isfinite(extractor.extract(tumour).values).all()
    with pytest.raises(StudyError, match="pictures have one slice"):
        IbsiExtractor(IbsiConfig(filters=FILTERS)).names(2)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"kind": "mean", "support": 4}, "odd"),
        ({"kind": "laws", "kernels": "L5E5"}, "for each of 3 axes"),
        ({"kind": "laws", "kernels": "L5E5X5"}, "names one of L3"),
        ({"kind": "wavelet", "wavelet": "dbb2", "bands": "LLH"}, "Did you mean"),
        ({"kind": "wavelet", "wavelet": "db2", "bands": "LAH"}, "an L or an H"),
        ({"kind": "median"}, "mean"),
    ],
)
def test_filters_that_do_not_exist_are_refused(options, told):
    with pytest.raises(ValidationError, match=told):
        IbsiConfig(filters=(options,))


def test_a_filter_that_stands_twice_is_refused():
    with pytest.raises(ValidationError, match="stands twice"):
        IbsiConfig(filters=(FILTERS[0], FILTERS[0]))


def test_filters_that_do_not_fit_the_spacing_are_refused():
    image = np.zeros((4, 6, 6))
    gabor = {"kind": "gabor", "sigma_mm": 2, "wavelength_mm": 3}
    with pytest.raises(DataError, match="one spacing along both axes"):
        respond(image, (1.0, 1.0, 2.0), **gabor)
    with pytest.raises(DataError, match="choose a smaller sigma_mm"):
        respond(image, (1e-3, 1e-3, 1e-3), kind="log", sigma_mm=5)
