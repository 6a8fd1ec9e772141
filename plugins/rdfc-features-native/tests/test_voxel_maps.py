"""Maps of features are those that PyRadiomics 3.0.1 makes, at the same place in space."""

from __future__ import annotations

import importlib.util
import warnings
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from scipy import ndimage

from rdfc_core.case import Tumour, Volume
from rdfc_core.errors import DataError, StudyError
from rdfc_features_native import RadiomicsFeatureExtractor
from rdfc_features_native.voxels.eigenvalues import largest_size

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("radiomics") is None, reason="PyRadiomics is not installed"
    ),
    pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value encountered"),
]

CLASSES = ("firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm")
BY_ROUNDING = {"glcm_Imc1", "glcm_Imc2", "glcm_MCC", "glcm_Correlation"}
"""Of a window whose grey levels are independent along a direction, PyRadiomics leaves the direction
out or takes a number near 0, as its sums are rounded; here it is 0."""


def scan(shape, seed=0, spacing_mm=None, whole=False) -> tuple[sitk.Image, sitk.Image]:
    """A smooth random image turned in space, and an ellipsoid or a block."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 1)
    array = np.round((noise - noise.min()) / np.ptp(noise) * 255, 1)
    grid = np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij")
    mask = sum(g**2 for g in grid) < 0.4
    if whole:
        mask = np.zeros(shape, bool)
        mask[tuple(slice(2, n - 2) for n in shape)] = True
    images = []
    for one in (array, mask.astype(np.uint8)):
        image = sitk.GetImageFromArray(one)
        image.SetSpacing(spacing_mm or (1.0,) * len(shape))
        image.SetOrigin([5.0, -3.0, 2.0][: len(shape)])
        if len(shape) == 3:
            image.SetDirection((0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0))
        images.append(image)
    return images[0], images[1]


def both(images, parameters: dict[str, Any], **settings) -> tuple[dict, dict]:
    """The maps of PyRadiomics and ours."""
    import radiomics
    from radiomics.featureextractor import RadiomicsFeatureExtractor as Original

    radiomics.setVerbosity(60)
    maps = []
    for kind in (Original, RadiomicsFeatureExtractor):
        extractor = kind(parameters, **settings)
        extractor.addProvenance(False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            maps.append(extractor.execute(*images, voxelBased=True))
    radiomics.setVerbosity(30)
    return maps[0], maps[1]


def require_equal(theirs, ours, unequal=0.0, failed=()) -> int:
    """All voxels within 1e-6, but for a share of them; gives how many values were compared."""
    assert list(theirs) == list(ours)
    compared = 0
    for name in theirs:
        a, b = (sitk.GetArrayFromImage(one[name]) for one in (theirs, ours))
        assert ours[name].GetSize() == theirs[name].GetSize()
        for place in ("GetOrigin", "GetSpacing", "GetDirection"):
            np.testing.assert_allclose(getattr(ours[name], place)(), getattr(theirs[name], place)())
        kind = name.split("_", 1)[1]
        if kind in failed and not a.any():
            continue  # PyRadiomics leaves the whole map out if one window lacks one direction
        floor = 1e-6 if kind in BY_ROUNDING else 1e-9
        error = np.abs(a - b)
        equal = (error <= 1e-6 * np.maximum(np.abs(a), np.abs(b))) | (error <= floor)
        equal |= np.isnan(a) & np.isnan(b)
        if (
            kind == "glcm_JointAverage"
        ):  # the only mean of PyRadiomics' that NaN of a direction ends
            equal |= np.isnan(a)
        share = max(unequal, 0.02 if kind in BY_ROUNDING else 0.0)
        assert np.mean(~equal) <= share, (name, a[~equal][:3], b[~equal][:3])
        compared += equal.size
    return compared


def parameters(image_types=None, classes=CLASSES, voxel=None, **setting) -> dict[str, Any]:
    return {
        "imageType": image_types or {"Original": {}},
        "featureClass": {name: [] for name in classes},
        "setting": {"binWidth": 12, **setting},
        "voxelSetting": {"voxelBatch": 100, **(voxel or {})},
    }


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("radius", [1, 2])
@pytest.mark.parametrize("flat", [False, True])
def test_a_volume_with_every_class(masked, radius, flat):
    images = scan((7, 9, 8), spacing_mm=(0.7, 0.9, 2.0))
    voxel = {"kernelRadius": radius, "maskedKernel": masked, "initValue": -7.5}
    own = parameters(voxel=voxel, force2D=flat, force2Ddimension=1 if flat else 0)
    theirs, ours = both(images, own)
    assert require_equal(theirs, ours, failed=("glcm_MCC",)) > 90 * 100
    assert -7.5 in sitk.GetArrayFromImage(ours["original_firstorder_Mean"])


def test_a_window_without_some_direction_has_a_joint_average():
    """Where PyRadiomics gives NaN: half of SumAverage, which it gives."""
    own = parameters(classes=("glcm",), resegmentRange=[90, 180])
    theirs, ours = both(scan((7, 9, 8), seed=3), own)
    names = "original_glcm_JointAverage", "original_glcm_SumAverage"
    lost = np.isnan(sitk.GetArrayFromImage(theirs[names[0]]))
    mean, total = (sitk.GetArrayFromImage(ours[name]) for name in names)
    lost &= ~np.isnan(sitk.GetArrayFromImage(theirs[names[1]]))
    assert lost.sum() > 10
    np.testing.assert_allclose(mean[lost], total[lost] / 2)


def test_the_maximal_correlation_is_compared_where_pyradiomics_has_it():
    theirs, ours = both(scan((7, 8, 9), whole=True), parameters(classes=("glcm",)))
    name = "original_glcm_MCC"
    assert sitk.GetArrayFromImage(theirs[name]).any()
    require_equal({name: theirs[name]}, {name: ours[name]})


@pytest.mark.parametrize("masked", [True, False])
def test_a_picture_with_every_class_but_the_first(masked):
    # PyRadiomics' first-order maps of pictures fail: their offsets have three coordinates.
    classes = CLASSES[1:]
    images = scan((14, 16))
    theirs, ours = both(images, parameters(classes=classes, voxel={"maskedKernel": masked}))
    require_equal(theirs, ours, failed=("glcm_MCC",))


def test_first_order_of_a_picture_is_that_of_a_volume_of_one_slice():
    image, mask = scan((14, 16))
    one_slice = [sitk.JoinSeries([one]) for one in (image, mask)]
    theirs, _ = both(one_slice, parameters(classes=("firstorder",)))
    extractor = RadiomicsFeatureExtractor(parameters(classes=("firstorder",)))
    extractor.addProvenance(False)
    ours = extractor.execute(image, mask, voxelBased=True)
    for name, made in ours.items():
        a = sitk.GetArrayFromImage(theirs[name])[0]
        np.testing.assert_allclose(sitk.GetArrayFromImage(made), a, rtol=1e-6, atol=1e-9)


SETTINGS = [
    {"binCount": 16},
    {"distances": [1, 2]},
    {"distances": [2, 1, 2]},
    {"gldm_a": 2},
    {"symmetricalGLCM": False},
    {"weightingNorm": "euclidean"},
    {"weightingNorm": "manhattan", "symmetricalGLCM": False},
    {"weightingNorm": "no_weighting"},
    {"normalize": True, "normalizeScale": 100},
    {"resegmentRange": [90, 180]},
    {"voxelArrayShift": 1000, "preCrop": True, "padDistance": 4},
    {"resampledPixelSpacing": [0.8, 0.8, 0.8], "interpolator": "sitkLinear", "padDistance": 3},
]


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_a_setting(setting):
    radius = 2 if "distances" in setting else 1
    images = scan((7, 9, 8), seed=3)
    theirs, ours = both(images, parameters(voxel={"kernelRadius": radius}, **setting))
    require_equal(theirs, ours, failed=("glcm_MCC",))


@pytest.mark.parametrize(
    ("image_types", "unequal"),
    [
        ({"Wavelet": {"wavelet": "haar", "binWidth": 8}}, 0.0),
        ({"Gradient": {"binWidth": 4}, "Square": {}, "LBP2D": {}}, 0.0),
        # ITK computes it in single precision: a value at the border of two bins changes its windows
        ({"LoG": {"sigma": [1.0, 2.0], "binWidth": 4}}, 0.02),
    ],
    ids=["wavelet", "others", "log"],
)
def test_filtered_images(image_types, unequal):
    images = scan((9, 10, 11), seed=5)
    classes = CLASSES if unequal == 0 else CLASSES[1:]
    theirs, ours = both(images, parameters(image_types, classes))
    require_equal(theirs, ours, unequal, failed=("glcm_MCC",))


def test_settings_of_the_call_and_of_a_file_are_the_same(tmp_path):
    images = scan((6, 8, 8))
    content = parameters(classes=("ngtdm",), voxel={"kernelRadius": 2, "initValue": ".nan"})
    of_file = RadiomicsFeatureExtractor(content).execute(*images, voxelBased=True)
    del content["voxelSetting"]
    extractor = RadiomicsFeatureExtractor(content, kernelRadius=2, initValue=float("nan"))
    of_call = extractor.execute(*images, voxelBased=True)
    name = "original_ngtdm_Contrast"
    a, b = (sitk.GetArrayFromImage(one[name]) for one in (of_file, of_call))
    np.testing.assert_array_equal(a, b)
    assert np.isnan(a).any()


def test_threads_change_no_value(make_tumour, make_extractor):
    extractor = make_extractor(parameters())
    tumour = make_tumour((9, 12, 12))
    one, several = (dict(extractor.maps(tumour, threads)) for threads in (1, 3))
    for name, made in one.items():
        np.testing.assert_array_equal(made.array, several[name].array)


def test_a_map_lies_where_its_tumour_does_however_axes_are_stored(make_tumour, make_extractor):
    """Its axes are those of the file, and every value stays at its place in the patient."""
    upright = make_tumour((8, 12, 10), (2.0, 0.5, 0.7))
    image = upright.image
    turned = Volume(
        image.array.transpose(2, 0, 1),
        (0.7, 2.0, 0.5),
        image.origin_mm,
        image.direction[:, [2, 0, 1]],
    )
    extractor = make_extractor(parameters(classes=("firstorder",)))
    expected = dict(extractor.maps(upright))["original_firstorder_Mean"]
    found = dict(extractor.maps(Tumour(turned, upright.mask.transpose(2, 0, 1))))
    made = found["original_firstorder_Mean"]
    np.testing.assert_allclose(made.array.transpose(1, 2, 0), expected.array)
    np.testing.assert_allclose(made.origin_mm, expected.origin_mm)
    np.testing.assert_allclose(made.direction, turned.direction)
    assert made.spacing_mm == turned.spacing_mm


def test_what_has_no_map_is_refused(make_tumour, make_extractor):
    with pytest.raises(StudyError, match="shape alone"):
        list(make_extractor({"featureClass": {"shape": []}}).maps(make_tumour((8, 9, 9))))
    with pytest.raises(DataError, match="maps take up to 65,535"):
        list(make_extractor(parameters(binWidth=1e-3)).maps(make_tumour((8, 9, 9))))
    with pytest.raises(ValueError, match=r"kernelRadius.*greater than 0"):
        make_extractor(parameters(voxel={"kernelRadius": 0}))
    with pytest.raises(ValueError, match="Did you mean 'kernelRadius'"):
        make_extractor({"voxelSetting": {"kernelRadios": 1}})


def test_settings_of_maps_are_no_part_of_the_recipe(make_extractor):
    plain = parameters()
    del plain["voxelSetting"]
    own = make_extractor(parameters(voxel={"kernelRadius": 3}))
    assert own.recipe() == make_extractor(plain).recipe()


def test_the_largest_eigenvalue_is_lapack_s():
    rng = np.random.default_rng(0)
    for n in [*range(2, 20), 40, 90]:
        for kind in range(3):
            matrix = rng.normal(size=(n, n))
            matrix = np.round(matrix + matrix.T) if kind else matrix + matrix.T
            if kind == 2:  # equal eigenvalues
                matrix = np.diag(np.sign(rng.normal(size=n)))
            matrix /= np.abs(np.linalg.eigvalsh(matrix)).max() * rng.uniform(1, 2)
            expected = np.abs(np.linalg.eigvalsh(matrix)).max()
            found = largest_size(matrix.copy(), np.empty(n), np.empty(n))
            assert found == pytest.approx(expected, abs=1e-12)
