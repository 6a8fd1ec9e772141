"""Answers known another way: geometry, NumPy, SciPy, SimpleITK and PyWavelets."""

import math

import numpy as np
import pytest
import pywt
import SimpleITK as sitk  # noqa: N813
from scipy import ndimage
from scipy.spatial.distance import pdist

from rdfc_core.case import Tumour, Volume
from rdfc_features_native.directions import directions
from rdfc_features_native.features.firstorder import quantiles_of
from rdfc_features_native.features.hulls import diameters, vertices_of
from rdfc_features_native.features.shape import shape_features
from rdfc_features_native.features.shape2d import shape2d_features
from rdfc_features_native.filters import log
from rdfc_features_native.filters.wavelet import wavelet_bands
from rdfc_features_native.region import Region, box_of
from rdfc_features_native.zones import find_zones


def random_mask(shape, seed, share=0.5):
    blobs = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 1)
    return blobs > np.quantile(blobs, 1 - share)


def ball(radius, ndim):
    grid = np.ogrid[(slice(-radius - 1, radius + 2),) * ndim]
    return sum(g**2 for g in grid) <= radius**2


def test_a_ball_has_the_volume_surface_and_diameter_of_a_ball():
    found = shape_features(ball(20, 3), (0.5, 0.5, 0.5))
    assert found["MeshVolume"] == pytest.approx(4 / 3 * math.pi * 10**3, rel=0.02)
    assert found["SurfaceArea"] == pytest.approx(4 * math.pi * 10**2, rel=0.1)
    assert found["Maximum3DDiameter"] == pytest.approx(20, rel=0.03)
    assert found["MajorAxisLength"] == pytest.approx(4 * 10 / math.sqrt(5), rel=0.02)
    assert found["Elongation"] == pytest.approx(1, rel=1e-6)


def test_a_disc_has_the_area_perimeter_and_diameter_of_a_disc():
    found = shape2d_features(ball(40, 2), (0.25, 0.25))
    assert found["MeshSurface"] == pytest.approx(math.pi * 10**2, rel=0.02)
    assert found["Perimeter"] == pytest.approx(2 * math.pi * 10, rel=0.1)
    assert found["MaximumDiameter"] == pytest.approx(20, rel=0.03)


def test_a_cuboid_has_known_sides():
    mask = np.ones((2, 3, 5), bool)
    found = shape_features(mask, (3.0, 2.0, 1.0))
    assert found["VoxelVolume"] == pytest.approx(180)
    assert found["LeastAxisLength"] == pytest.approx(4 * math.sqrt((5**2 - 1) / 12))


@pytest.mark.parametrize("seed", range(6))
def test_diameters_are_those_of_all_pairs_of_vertices(seed):
    spacing = (1.7, 0.6, 0.9)
    vertices = vertices_of(np.pad(random_mask((6, 9, 8), seed, 0.3), 1))
    points = vertices * np.array(spacing) / 2
    expected = [
        max(
            pdist(points[vertices[:, axis] == plane]).max(initial=0)
            for plane in np.unique(vertices[:, axis])
        )
        for axis in range(3)
    ]
    assert diameters(vertices, spacing) == pytest.approx((*expected, pdist(points).max()))


@pytest.mark.parametrize("size", [1, 2, 5, 100, 5000])
@pytest.mark.parametrize("kind", ["normal", "skewed", "few values", "float32"])
def test_quantiles_are_numpy_s(size, kind):
    rng = np.random.default_rng(size)
    values = rng.normal(size=size)
    values = {
        "normal": values,
        "skewed": np.exp(6 * values),
        "few values": np.round(values),
        "float32": values.astype(np.float32),
    }[kind]
    wanted = np.array([0.0, 0.1, 0.25, 0.5, 0.9, 1.0])
    found = quantiles_of(values, float(values.min()), float(values.max()), wanted)
    np.testing.assert_allclose(found, np.percentile(values.astype(np.float64), 100 * wanted))


@pytest.mark.parametrize("fixed_axis", [None, 0, 2])
@pytest.mark.parametrize("seed", range(4))
def test_zones_are_the_connected_components_of_each_level(seed, fixed_axis):
    rng = np.random.default_rng(seed)
    shape = (4, 7, 6) if seed else (1, 7, 6)
    mask = random_mask(shape, seed, 0.7)
    codes = np.where(mask, rng.integers(1, 4, shape), 0).astype(np.uint8)
    region = Region(tuple(slice(n) for n in shape), mask, (1.0, 1.0, 1.0))
    lattice = region.lattice((1,), fixed_axis)
    grid = np.zeros(lattice.size, np.uint8)
    grid[lattice.places] = codes[mask]
    found = find_zones(grid, lattice.places, lattice.runs, lattice.hub)
    touching = np.ones((3, 3, 3), bool)
    if fixed_axis is not None:
        np.moveaxis(touching, fixed_axis, 0)[[0, 2]] = False
    expected = []
    for code in range(1, 4):
        labels, _ = ndimage.label(codes == code, touching)
        expected += [(code, int(n)) for n in np.bincount(labels.ravel())[1:]]
    assert sorted(zip(*(part.tolist() for part in found), strict=True)) == sorted(expected)


def test_there_are_thirteen_directions_in_space_and_four_in_a_slice():
    assert len(directions((5, 5, 5), [1], None, both_ways=False)) == 13
    assert len(directions((5, 5, 5), [1], None, both_ways=True)) == 26
    assert len(directions((5, 5, 5), [1], 1, both_ways=False)) == 4
    assert len(directions((1, 5, 5), [1, 2], None, both_ways=False)) == 12
    assert len(directions((1, 1, 1), [1], None, both_ways=True)) == 0


def itk_s_laplacian(image, spacing_mm, sigma_mm):
    recursive = sitk.LaplacianRecursiveGaussianImageFilter()
    recursive.SetSigma(sigma_mm)
    recursive.SetNormalizeAcrossScale(True)
    return sitk.GetArrayFromImage(recursive.Execute(Volume.of(image, spacing_mm).to_sitk()))


SHAPES = [(12, 31), (7, 12, 15), (4, 5, 6)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("sigma_mm", [0.4, 1.0, 3.0])
def test_log_of_a_small_image_is_itk_s_to_the_last_bit(shape, sigma_mm):
    image = np.round(100 * np.random.default_rng(0).normal(size=shape))
    image[: shape[0] // 2] = 0  # where rounding decides
    spacing_mm = (1.5, 0.8, 0.7)[-len(shape) :]
    expected = itk_s_laplacian(image, spacing_mm, sigma_mm)
    for box in (tuple(slice(0, n) for n in shape), tuple(slice(1, n - 2) for n in shape)):
        found = log.laplacian_of_gaussian(image, box, spacing_mm, sigma_mm)
        np.testing.assert_array_equal(found, expected[box])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("sigma_mm", [0.4, 1.0, 3.0])
def test_log_of_a_large_image_is_itk_s_in_single_precision(shape, sigma_mm, monkeypatch):
    monkeypatch.setattr(log, "RECURSIVE", 0)
    image = 100 * np.random.default_rng(0).normal(size=shape)
    spacing_mm = (1.5, 0.8, 0.7)[-len(shape) :]
    expected = itk_s_laplacian(image, spacing_mm, sigma_mm)
    for box in (tuple(slice(0, n) for n in shape), tuple(slice(1, n - 2) for n in shape)):
        found = log.laplacian_of_gaussian(image, box, spacing_mm, sigma_mm)
        np.testing.assert_allclose(found, expected[box], atol=3e-6 * np.abs(expected).max())


def test_log_looks_no_farther_than_its_tails_reach():
    image = np.round(100 * np.random.default_rng(0).random((40, 900)))
    box = (slice(10, 20), slice(440, 460))
    found = log.laplacian_of_gaussian(image, box, (1.0, 1.0), 1.0)
    np.testing.assert_array_equal(found, itk_s_laplacian(image, (1.0, 1.0), 1.0)[box])


@pytest.mark.parametrize("shape", [(20, 30), (21, 31), (9, 14, 15)])
@pytest.mark.parametrize("name", ["coif1", "haar", "db3"])
def test_wavelets_are_pywavelets_to_the_last_bit(shape, name):
    image = np.random.default_rng(0).integers(0, 256, shape).astype(np.float64)
    axes = tuple(reversed(range(image.ndim)))
    padded = np.pad(image, [(0, n % 2) for n in shape], "wrap")
    expected = pywt.swtn(padded, name, level=1, start_level=0, axes=axes)[0]
    for box in (tuple(slice(0, n) for n in shape), tuple(slice(3, n) for n in shape)):
        bands = dict(wavelet_bands(image, box, name, 1, 0, axes))
        for band, found in bands.items():
            letters = band.removeprefix("wavelet-").replace("L", "a").replace("H", "d")
            np.testing.assert_array_equal(found, expected[letters][box])


def test_the_box_is_the_smallest_around_the_mask():
    mask = np.zeros((6, 7, 8), bool)
    mask[2, 3, 4] = mask[4, 1, 4] = True
    assert box_of(mask) == (slice(2, 5), slice(1, 4), slice(4, 5))
    assert box_of(np.zeros((3, 3), bool)) is None


def test_a_checkerboard_has_known_textures(measure):
    board = np.indices((8, 8)).sum(axis=0) % 2 * 10.0
    mask = np.ones((8, 8), bool)
    content = {
        "featureClass": {"glcm": ["Contrast", "MCC"], "glrlm": ["LongRunEmphasis"]},
        "setting": {"binWidth": 5},
    }
    found = measure(content, Tumour(Volume.of(board), mask))
    # Neighbours along rows and columns differ by two levels, along diagonals by none.
    assert found["original_glcm_Contrast"] == pytest.approx((4 + 4 + 0 + 0) / 4)
    assert found["original_glcm_MCC"] == pytest.approx(1)
    diagonal = np.array([8, *(n for n in range(1, 8) for _ in range(2))])
    along = np.mean([1, 1, (diagonal**2).mean(), (diagonal**2).mean()])
    assert found["original_glrlm_LongRunEmphasis"] == pytest.approx(along)


@pytest.mark.parametrize("shape", [(20, 24), (8, 12, 14)])
def test_a_mask_that_covers_the_picture_is_measured_as_the_picture(shape, make_extractor):
    image = Volume.of(np.random.default_rng(8).normal(100, 40, shape))
    extractor = make_extractor({"featureClass": {"firstorder": ["Mean"]}})
    features = extractor.extract(Tumour(image, np.ones(shape, bool)))
    assert features.values[0] == pytest.approx(image.array.mean(), rel=1e-12)
