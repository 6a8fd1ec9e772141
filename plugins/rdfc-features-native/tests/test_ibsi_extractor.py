"""The extractor ``ibsi``: its contract, the digital phantom, and answers known another way.

The digital phantom's consensus values (ibsi_digital_phantom.json: tag → value and tolerance) are
those of the IBSI's reference manual, arXiv:1612.07003, as the files of the initiative list them.
"""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

from rdfc_core.case import Tumour, Volume
from rdfc_core.errors import DataError, StudyError
from rdfc_core.testing import check_feature_extractor
from rdfc_features_native.ibsi.autocorrelation import autocorrelation
from rdfc_features_native.ibsi.config import AGGREGATIONS, IbsiConfig
from rdfc_features_native.ibsi.enclosing import ellipsoid_body, smallest_box, smallest_ellipsoid
from rdfc_features_native.ibsi.extractor import IbsiExtractor
from rdfc_features_native.ibsi.local_intensity import RADIUS_MM, local_intensity_features
from rdfc_features_native.ibsi.preparation import prepared
from rdfc_features_native.ibsi.vocabulary import FAMILIES, TEXTURES

CONSENSUS = json.loads(Path(__file__).with_name("ibsi_digital_phantom.json").read_text("utf-8"))
OUTSIDE = 0
PHANTOM = np.array(
    [
        [[1, 4, 4, 1, 1], [1, 4, 6, 1, 1], [4, 1, 6, 4, 1], [4, 4, 6, 4, 1]],
        [[1, 4, 4, 1, 1], [1, 1, 6, 1, 1], [0, 1, 3, 1, 1], [4, 4, 6, 1, 1]],
        [[1, 4, 4, 0, 0], [1, 1, 1, 1, 1], [1, 1, 0, 1, 1], [1, 1, 6, 1, 1]],
        [[1, 4, 4, 0, 0], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 6, 1, 1]],
    ]
)
WHOLE = tuple(family for family in FAMILIES if family not in TEXTURES)


def measure(tumour, **options):
    extractor = IbsiExtractor(IbsiConfig(**options))
    features = extractor.extract(tumour)
    return dict(zip(extractor.names(tumour.ndim), features.values, strict=True))


@pytest.fixture(scope="module")
def phantom():
    # What lies outside the mask is another number than in the published file, and counts for peaks.
    image = np.where(PHANTOM == OUTSIDE, 9, PHANTOM)
    return Tumour(Volume.of(image, (2.0, 2.0, 2.0)), PHANTOM != OUTSIDE)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {
            "spacing_mm": (2, 2, 2),
            "interpolation": "cubic",
            "resegment_range": (0, None),
            "bin_width": 10,
            "ivh_bin_width": 5,
            "aggregation": "2.5d_merged",
        },
    ],
)
def test_it_keeps_the_contract(options):
    ndims = (3,) if "spacing_mm" in options else (2, 3)
    check_feature_extractor(IbsiExtractor(IbsiConfig(**options)), ndims)


def within(value, tag):
    consensus, tolerance = CONSENSUS[tag]
    return abs(float(f"{value:.2e}") - consensus) <= tolerance + 1e-9


def test_the_phantom_has_its_consensus_values(phantom):
    found = measure(phantom, families=WHOLE, bin_width=1, ivh_bin_count=None)
    compared = 0
    for family in WHOLE:
        for feature in FAMILIES[family]:
            if feature.tag in CONSENSUS and family != "local":
                value = found[f"original_{family}_{feature.name}"]
                assert within(value, feature.tag), (feature, value)
                compared += 1
    assert compared == 25 + 18 + 23 + 6


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_its_textures_have_theirs_in_every_aggregation(aggregation, phantom):
    found = measure(phantom, families=TEXTURES, bin_width=1, aggregation=aggregation)
    dimensions, _, way = aggregation.partition("_")
    suffix = "_" + dimensions.upper().replace(".", "_")
    both = suffix + ("_avg" if way in ("averaged", "direction_merged") else "_comb")
    compared = 0
    for family in TEXTURES:
        for feature in FAMILIES[family]:
            tag = feature.tag + (both if family in ("glcm", "glrlm") else suffix)
            value = found[f"original_{family}_{feature.name}"]
            assert within(value, tag), (feature, value)
            compared += 1
    assert compared == 25 + 16 + 16 + 16 + 5 + 17


def test_autocorrelation_is_the_sum_over_all_pairs():
    rng = np.random.default_rng(0)
    mask = rng.random((4, 5, 6)) < 0.6
    values = rng.normal(100, 10, int(mask.sum()))
    spacing_mm = (3.0, 1.0, 0.7)
    places = np.argwhere(mask) * spacing_mm
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    weights = np.where(apart > 0, 1 / np.where(apart > 0, apart, 1), 0)
    away = values - values.mean()
    count, total = len(values), weights.sum()
    found = autocorrelation(values, mask, spacing_mm)
    moran = count / total * (away @ weights @ away) / (away**2).sum()
    squared = (values[:, None] - values[None]) ** 2
    geary = (count - 1) / (2 * total) * (weights * squared).sum() / (away**2).sum()
    assert found == pytest.approx({"MoransI": moran, "GearysC": geary}, rel=1e-9)


def test_peaks_are_means_of_spheres_cut_off_at_the_image():
    rng = np.random.default_rng(1)
    image = rng.normal(-500, 100, (6, 14, 15))
    mask = np.zeros(image.shape, bool)
    mask[1:5, 3:9, 4:12] = rng.random((4, 6, 8)) < 0.7
    spacing_mm = (3.0, 1.0, 2.0)
    box = (slice(1, 5), slice(3, 9), slice(4, 12))
    centres = np.argwhere(np.ones_like(mask)) * spacing_mm
    means = np.array(
        [
            image.ravel()[np.linalg.norm(centres - place * spacing_mm, axis=1) <= RADIUS_MM].mean()
            for place in np.argwhere(mask)
        ]
    )
    found = local_intensity_features(image, mask[box], box, spacing_mm)
    assert found["GlobalPeak"] == pytest.approx(means.max())
    assert found["LocalPeak"] == pytest.approx(means[image[mask].argmax()])


def turned(points):
    return Rotation.from_euler("xyz", [0.3, -0.7, 1.1]).apply(np.asarray(points, float))


CORNERS = np.array([[x, y, z] for x in (0, 2) for y in (0, 3) for z in (0, 5)])


def test_the_smallest_box_of_a_turned_box_is_itself():
    volume, area = smallest_box(ConvexHull(turned(CORNERS)))
    assert (volume, area) == pytest.approx((30, 62))


def test_the_smallest_ellipsoid_around_a_box_is_that_of_its_corners():
    """Of a cube it is the sphere through its corners, and a box is a stretched cube."""
    volume, _ = smallest_ellipsoid(turned(CORNERS))
    assert volume == pytest.approx(4 / 3 * math.pi * (math.sqrt(3) / 2) ** 3 * 30, rel=1e-5)


def test_the_area_of_a_sphere_is_exact():
    assert ellipsoid_body((2, 2, 2)) == pytest.approx((32 / 3 * math.pi, 16 * math.pi))


def test_a_convex_mask_fills_its_hull_and_its_boxes():
    mask = np.zeros((14, 14, 14), bool)
    mask[2:12, 2:12, 2:12] = True
    image = np.random.default_rng(0).normal(size=mask.shape)
    found = measure(Tumour(Volume.of(image, (1.0, 1.0, 2.0)), mask), families=("shape",))
    for body in ("ConvexHull", "AABB", "OMBB"):
        # The mesh cuts edges and corners off, less than half a voxel of each.
        assert 0.95 < found[f"original_shape_VolumeDensity{body}"] <= 1 + 1e-9
    assert found["original_shape_VoxelVolume"] == 2000


def test_the_new_grid_has_the_centre_of_the_old_one():
    """A linear image stays one: the value of a voxel tells where it lies."""
    z, y, x = np.meshgrid(*map(np.arange, (9, 20, 21)), indexing="ij")
    image = 100.0 * z + 10 * y + x
    mask = np.zeros(image.shape, bool)
    mask[3:6, 5:15, 5:15] = True
    tumour = Tumour(Volume.of(image, (3.0, 0.9, 1.1)), mask)
    roi = prepared(tumour, IbsiConfig(spacing_mm=(2, 2, 2)), None)
    assert roi.image.shape == (math.ceil(27 / 2), 18 / 2, math.ceil(23.1 / 2))
    middle = roi.image[1:-1, 1:-1, 1:-1]
    assert middle.mean() == pytest.approx(image.mean())
    steps = [np.diff(middle, axis=axis) for axis in range(3)]
    for step, expected in zip(steps, (100 * 2 / 3, 10 * 2 / 0.9, 2 / 1.1), strict=True):
        np.testing.assert_allclose(step, expected)


def test_what_is_cropped_is_the_same_part(make_tumour):
    tumour = make_tumour((20, 40, 44), (2.0, 1.0, 1.0))
    for interpolation in ("nearest", "linear", "cubic"):
        config = IbsiConfig(spacing_mm=(1.3, 1.3, 1.3), interpolation=interpolation)
        whole, part = prepared(tumour, config, None), prepared(tumour, config, 4)
        np.testing.assert_array_equal(whole.outline[whole.box], part.outline[part.box])
        np.testing.assert_allclose(whole.image[whole.box], part.image[part.box], atol=1e-6)


def test_intensities_are_left_out_of_textures_and_not_of_shape(make_tumour):
    tumour = make_tumour((12, 16, 16))
    options = {"families": ("shape", "firstorder"), "ivh_bin_count": 10}
    whole = measure(tumour, **options)
    part = measure(tumour, **options, resegment_range=(100, 150))
    assert part["original_shape_MeshVolume"] == whole["original_shape_MeshVolume"]
    assert part["original_firstorder_Minimum"] >= 100
    assert part["original_firstorder_Maximum"] <= 150


def test_a_picture_is_one_slice(make_tumour):
    tumour = make_tumour((40, 44))
    spaces = [
        measure(tumour, families=TEXTURES, aggregation=name)
        for name in ("2d_averaged", "2.5d_direction_merged", "3d_averaged")
    ]
    assert spaces[0] == pytest.approx(spaces[1], rel=1e-12)
    assert spaces[0] == pytest.approx(spaces[2], rel=1e-12)
    assert not any(
        "_shape_" in name or "_local_" in name for name in IbsiExtractor(IbsiConfig()).names(2)
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"bin_width": 5, "bin_count": 8}, "not both"),
        ({"resegment_range": (400, -500)}, "the least"),
        ({"families": ("glcn",)}, "glcm"),
        ({"aggregation": "2d"}, "2d_averaged"),
    ],
)
def test_options_that_contradict_themselves_are_refused(options, told):
    with pytest.raises(ValueError, match=told):
        IbsiConfig(**options)


def test_options_that_do_not_fit_the_cases_are_refused(make_tumour):
    with pytest.raises(StudyError, match="spacing_mm has 3 values and pictures have 2 axes"):
        IbsiExtractor(IbsiConfig(spacing_mm=(1, 1, 1))).names(2)
    with pytest.raises(StudyError, match="asks for nothing that pictures have"):
        IbsiExtractor(IbsiConfig(families=("shape",))).names(2)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"resegment_range": (1000, None)}, "re-segmentation leaves 0 of"),
        ({"ivh_bin_count": None}, "not whole numbers"),
        ({"bin_width": 1e-9}, "bin_width of 1e-09 makes"),
        ({"ivh_bin_width": 1e-9}, "ivh_bin_width of 1e-09 makes"),
        ({"spacing_mm": (90, 90, 90)}, "after interpolation the mask's box is"),
        ({"spacing_mm": (1e-3, 1e-3, 1e-3)}, "more than the limit"),
    ],
)
def test_tumours_that_do_not_fit_are_refused_before_they_are_measured(options, told, make_tumour):
    with pytest.raises(DataError, match=told):
        IbsiExtractor(IbsiConfig(**options)).check(make_tumour((10, 12, 12)))
