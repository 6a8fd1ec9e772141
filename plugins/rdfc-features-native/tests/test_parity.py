"""Names, order and values are PyRadiomics 3.0.1's own, on tumours and parameters of every kind."""

from importlib.resources import files

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import ndimage

from rdfc_core.case import Tumour, Volume
from rdfc_core.radiomics import vocabulary

pytestmark = pytest.mark.filterwarnings("ignore:Applying `local_binary_pattern`")

CLASSES = ("firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm")
IMAGE_TYPES = tuple(name for name in vocabulary.IMAGE_TYPES if name != "LBP3D")
PICTURE, VOLUME = (40, 49), (9, 24, 27)
ANISOTROPIC_MM = (2.0, 0.9, 0.7)
NOISE = {"Imc1", "Imc2", "MCC"}
"""Where grey levels are independent these are 0, and rounding decides what is given for it."""


def assert_equal_to_pyradiomics(names, ours, theirs, undecided=()):
    """At least 99.7 % (or all but 3) within 1e-6, relative, and all within 1e-4.

    A value that is 0 but for rounding has no relative error. ITK computes the Laplacian of
    Gaussian in single precision: its values are only good to some 1e-6 of the image's largest.
    """
    assert names == tuple(theirs)
    expected = np.array(list(theirs.values()))
    np.testing.assert_array_equal(np.isfinite(ours), np.isfinite(expected))
    scale = np.maximum(np.abs(ours), np.abs(expected))
    error = np.abs(ours - expected)
    floor = np.full(len(names), 1e-9)
    for k, name in enumerate(names):
        image, kind, feature = name.split("_")
        if image.startswith("log-") and kind == "firstorder":
            largest = max(abs(theirs.get(f"{image}_firstorder_{f}", 1.0)) for f in EXTREMES)
            floor[k] = 1e-6 * max(largest, 1e-3) if feature in LINEAR else 1e-9
        if feature in NOISE and scale[k] < 1e-6:
            floor[k] = 1e-6
        if feature in undecided:
            floor[k] = np.inf
    within = (error <= 1e-6 * scale) | (error <= floor) | ~np.isfinite(expected)
    worst = np.argsort(np.where(within, 0, error / np.maximum(scale, 1e-300)))[-3:]
    report = [(names[k], ours[k], expected[k]) for k in worst if not within[k]]
    assert np.sum(~within) <= max(3, 0.003 * len(names)), report
    assert np.all(within | (error <= 1e-4 * scale)), report


EXTREMES = ("Maximum", "Minimum")
LINEAR = {"10Percentile", "90Percentile", "Mean", "Median", "Minimum", "Maximum"}


def check(tumour, content, make_extractor, call_pyradiomics):
    extractor = make_extractor(content)
    found = extractor.extract(tumour)
    if tumour.ndim == 2 and isinstance(content, dict):
        # A picture is its own slice.
        content = {**content, "setting": {**content.get("setting", {}), "force2D": False}}
    theirs = call_pyradiomics(tumour, content)
    assert_equal_to_pyradiomics(extractor.names(tumour.ndim), found.values, theirs)


@pytest.mark.parametrize(
    ("name", "shape", "spacing_mm"),
    [
        ("ultrasound", PICTURE, (0.5, 0.6)),
        ("ct", VOLUME, ANISOTROPIC_MM),
        ("ct-3d", VOLUME, ANISOTROPIC_MM),
    ],
)
def test_a_bundled_set(name, shape, spacing_mm, make_tumour, make_extractor, call_pyradiomics):
    tumour = make_tumour(shape, spacing_mm)
    extractor = make_extractor(name)
    found = extractor.extract(tumour)
    text = files("rdfc_core.radiomics.parameter_sets").joinpath(f"{name}.yaml").read_text("utf-8")
    theirs = call_pyradiomics(tumour, yaml.safe_load(text))
    assert_equal_to_pyradiomics(extractor.names(tumour.ndim), found.values, theirs)
    assert not found.missing


@pytest.mark.parametrize("shape", [PICTURE, VOLUME])
def test_every_image_type_with_every_class(shape, make_tumour, make_extractor, call_pyradiomics):
    content = {
        "imageType": {name: {"sigma": [1, 2.5]} if name == "LoG" else {} for name in IMAGE_TYPES},
        "setting": {"binWidth": 12.5, "voxelArrayShift": 300},
    }
    check(make_tumour(shape), content, make_extractor, call_pyradiomics)


SETTINGS = [
    {"binCount": 32},
    {"binWidth": 0.3},
    {"distances": [1, 2]},
    {"distances": [3, 1]},
    {"distances": [2, 2]},
    {"force2D": True, "force2Ddimension": 1},
    {"force2D": True, "force2Ddimension": 2, "distances": [1, 3]},
    {"gldm_a": 2},
    {"normalize": True, "normalizeScale": 100},
    {"normalize": True, "normalizeScale": 80, "removeOutliers": 1.5},
    {"preCrop": True, "padDistance": 3},
    {"resampledPixelSpacing": [1, 1, 1], "interpolator": "sitkLinear"},
    {"resampledPixelSpacing": [1.3, 0.5, 0], "padDistance": 8},
    {"resampledPixelSpacing": [0.7, 0.9, 2.0]},
    {"resegmentRange": [90, 180]},
    {"resegmentRange": [90, 180], "resegmentShape": True},
    {"resegmentRange": [-1.2, 1.2], "resegmentMode": "sigma"},
    {"resegmentRange": [0.5], "resegmentMode": "relative"},
    {"symmetricalGLCM": False},
    {"weightingNorm": "euclidean"},
    {"weightingNorm": "infinity"},
    {"weightingNorm": "manhattan"},
    {"weightingNorm": "no_weighting", "symmetricalGLCM": False},
]


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_a_setting(setting, make_tumour, make_extractor, call_pyradiomics):
    content = {
        "imageType": {"Original": {}, "LoG": {"sigma": [1.5]}, "Gradient": {}},
        "featureClass": {name: [] for name in (*CLASSES, "shape")},
        "setting": {"binWidth": 16, **setting},
    }
    tumour = make_tumour((9, 20, 23), ANISOTROPIC_MM, seed=3)
    check(tumour, content, make_extractor, call_pyradiomics)


@pytest.mark.parametrize("name", vocabulary.INTERPOLATORS.values())
def test_an_interpolator(name, make_tumour, make_extractor, call_pyradiomics):
    setting = {"binWidth": 16, "resampledPixelSpacing": [1.1, 0.8, 1.5], "interpolator": name}
    content = {"featureClass": {"firstorder": [], "glszm": []}, "setting": setting}
    check(make_tumour(VOLUME, ANISOTROPIC_MM), content, make_extractor, call_pyradiomics)


@pytest.mark.parametrize("wavelet", ["haar", "db5", "bior3.9", "dmey"])
@pytest.mark.parametrize("levels", [{"level": 2}, {"level": 1, "start_level": 1}])
def test_a_wavelet(wavelet, levels, make_tumour, make_extractor, call_pyradiomics):
    content = {
        "imageType": {"Wavelet": {"wavelet": wavelet, **levels}},
        "featureClass": {"firstorder": [], "glcm": ["Contrast"]},
        "setting": {"binWidth": 8},
    }
    for shape in ((9, 11, 16), (15, 22)):
        check(make_tumour(shape), content, make_extractor, call_pyradiomics)


def test_a_large_tumour(make_tumour, make_extractor, call_pyradiomics):
    content = {
        "imageType": {"Original": {}, "Wavelet": {}, "LoG": {"sigma": [2.0]}},
        "featureClass": {name: [] for name in (*CLASSES, "shape")},
        "setting": {"binWidth": 10},
    }
    check(make_tumour((40, 70, 80), (1.5, 0.8, 0.8)), content, make_extractor, call_pyradiomics)


@st.composite
def tumours(draw, ndim):
    """Smooth noise, and a mask of any make: holes, several parts, flat, at the border."""
    shape = tuple(draw(st.integers(4 if ndim == 3 else 8, 16)) for _ in range(ndim))
    spacing_mm = tuple(draw(st.sampled_from([0.5, 0.7, 1.0, 2.0])) for _ in range(ndim))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    noise = ndimage.gaussian_filter(rng.normal(size=shape), draw(st.sampled_from([0.5, 1, 2])))
    image = (noise - noise.min()) / np.ptp(noise) * 400 - 100
    if draw(st.booleans()):
        image = np.round(image)
    blobs = ndimage.gaussian_filter(rng.normal(size=shape), draw(st.sampled_from([0.3, 1, 2])))
    mask = blobs > np.quantile(blobs, draw(st.floats(0.1, 0.8)))
    if draw(st.booleans()):
        axis = draw(st.integers(0, ndim - 1)) if ndim == 3 else None
        if axis is not None:  # one voxel thick
            place = draw(st.integers(0, shape[axis] - 1))
            mask &= np.moveaxis(np.arange(shape[axis])[:, None, None] == place, 0, axis)
    return Tumour(Volume.of(image, spacing_mm), mask)


@st.composite
def parameter_files(draw):
    """Any image types, classes and settings that both engines take."""
    own = {
        "LoG": {"sigma": draw(st.sampled_from([[0.5], [1, 2.0], [3]]))},
        "Wavelet": {
            "level": draw(st.integers(1, 2)),
            "wavelet": draw(st.sampled_from(["haar", "coif1", "db3"])),
        },
        "Square": {"binWidth": draw(st.sampled_from([5, 12.5]))},
        "LBP2D": {"lbp2DRadius": draw(st.sampled_from([1, 2])), "lbp2DMethod": "default"},
        "Gradient": {"gradientUseSpacing": draw(st.booleans())},
    }
    types = draw(st.lists(st.sampled_from(IMAGE_TYPES), min_size=1, max_size=3, unique=True))
    classes = draw(st.lists(st.sampled_from(CLASSES), min_size=1, max_size=4, unique=True))
    setting = {
        "binWidth": draw(st.sampled_from([3, 10, 25.0])),
        "distances": draw(st.sampled_from([[1], [1, 2], [2]])),
        "weightingNorm": draw(st.sampled_from([None, "euclidean", "manhattan", "infinity"])),
        "force2D": draw(st.booleans()),
        "symmetricalGLCM": draw(st.booleans()),
        "gldm_a": draw(st.sampled_from([0, 0, 1])),
        "voxelArrayShift": draw(st.sampled_from([0, 1000])),
    }
    if draw(st.booleans()):
        setting["binCount"] = draw(st.sampled_from([4, 16, 100]))
    return {
        "imageType": {name: own.get(name, {}) for name in types},
        "featureClass": {name: [] for name in classes},
        "setting": setting,
    }


@pytest.mark.parametrize("ndim", [2, 3])
@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
@given(data=st.data())
def test_any_tumour_with_any_parameters(ndim, data, make_extractor, call_pyradiomics):
    tumour = data.draw(tumours(ndim))
    content = data.draw(parameter_files())
    extents = [np.ptp(along) + 1 for along in np.nonzero(tumour.mask)] if tumour.mask.any() else [0]
    if sum(n > 1 for n in extents) < 2 or np.ptp(tumour.image.array[tumour.mask]) == 0:
        return  # refused; see test_refusals.py
    extractor = make_extractor(content)
    found = extractor.extract(tumour)
    if ndim == 2:
        content["setting"]["force2D"] = False
    theirs = call_pyradiomics(tumour, content)
    names = extractor.names(ndim)
    theirs = {name: theirs.get(name, np.nan) for name in names}  # images too small for a filter
    # With pairs counted one way all first voxels may have one level: the correlation is 1 then, but
    # rounding decides whether PyRadiomics sees it.
    undecided = () if content["setting"]["symmetricalGLCM"] else ("Correlation",)
    assert_equal_to_pyradiomics(names, found.values, theirs, undecided)
