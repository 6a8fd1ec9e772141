"""RTSTRUCT: contours become the mask that MIRP makes of them, and that analysis predicts."""

from __future__ import annotations

import logging
import re
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.path import Path as Polygon

from rdfc_core import Case, DataError, Volume, extract_features
from rdfc_reader_dicom.config import DicomReaderConfig
from rdfc_reader_dicom.contours import fill, planes_for
from rdfc_reader_dicom.reader import DicomReader

sys.path.append(str(Path(__file__).parent))
import dicom_trees as trees

dicom = DicomReader()
ANGLES = np.linspace(0, 2 * np.pi, 60, endpoint=False)


def circle(row: float, column: float, radius: float) -> np.ndarray:
    """(60, 2) vertices in samples."""
    return np.stack([row + radius * np.sin(ANGLES), column + radius * np.cos(ANGLES)], axis=1)


def keyhole(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """One contour that goes around, in along a channel, around the hole, and back."""
    return np.concatenate([outer, outer[:1], inner[::-1], inner[-1:], outer[:1]])


@pytest.fixture(params=["axial", "oblique"])
def tree(request, tmp_path):
    """A series on disk: its volume and its images."""
    volume = trees.scan(direction=None if request.param == "axial" else trees.oblique())
    images = trees.slices(volume)
    trees.write_series(tmp_path / "CT", images)
    return volume, images


def written(folder: Path, tree, regions) -> Path:
    """An RTSTRUCT of regions: name → [(plane, polygon)]."""
    volume, images = tree
    contours = {
        name: [trees.points(volume, plane, polygon) for plane, polygon in drawn]
        for name, drawn in regions.items()
    }
    return trees.save(trees.structures(images, contours), folder / "rs" / "rs.dcm")


def inside_of(shape, drawn) -> np.ndarray:
    """By matplotlib, another implementation: the even-odd rule over all contours of a plane."""
    found = np.zeros(shape, bool)
    centres = np.stack(np.indices(shape[1:]), axis=-1).reshape(-1, 2)
    for plane, polygon in drawn:
        found[plane] ^= Polygon(polygon).contains_points(centres).reshape(shape[1:])
    return found


LESION = [(plane, circle(14.2, 17.6, 3.3 + plane)) for plane in range(2, 6)]
HOLED = [*LESION, *((plane, circle(13.3, 18.1, 2.2)) for plane in (3, 4))]


@pytest.mark.parametrize("drawn", [LESION, HOLED], ids=["solid", "with holes"])
def test_the_mask_is_where_voxel_centres_lie_inside(tmp_path, tree, drawn):
    path = written(tmp_path, tree, {"GTV": drawn})
    mask = dicom.read_mask(path, dicom.read_image(tmp_path / "CT"))
    np.testing.assert_array_equal(mask.array, inside_of(tree[0].array.shape, drawn))
    assert mask.notes == ()


def test_a_keyhole_is_a_hole(tmp_path, tree):
    rings = [(plane, keyhole(circle(14.2, 17.6, 9), circle(13.3, 18.1, 4))) for plane in (3, 4)]
    path = written(tmp_path, tree, {"GTV": rings})
    mask = dicom.read_mask(path, dicom.read_image(tmp_path / "CT")).array
    drawn = [(p, circle(14.2, 17.6, 9)) for p in (3, 4)]
    drawn += [(p, circle(13.3, 18.1, 4)) for p in (3, 4)]
    np.testing.assert_array_equal(mask, inside_of(mask.shape, drawn))


def mirp_mask(folder: Path, structures: Path, name: str) -> np.ndarray:
    mirp = pytest.importorskip("mirp")
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _, masks = mirp.extract_images(
                image=str(folder),
                mask=str(structures.parent),
                roi_name=name,
                image_export_format="native",
                write_images=False,
            )[0]
    finally:
        logging.disable(logging.NOTSET)
    return np.asarray(masks[0].roi.get_voxel_grid()) > 0


ON_CENTRES = [
    (plane, np.array([[5, 6], [5, 20], [9, 20], [9, 14], [21, 14], [21, 6]])) for plane in (2, 3, 4)
]
"""Every vertex on a voxel's centre, and every edge through such centres."""
LEAVING = [(plane, circle(14.2, 27.6, 9)) for plane in (3, 4)]
RANDOM = np.random.default_rng(3)
SPIKES = [
    (p, circle(14, 17, 1) * 1.0 + RANDOM.uniform(1, 8, (60, 1)) * (circle(0, 0, 1))) for p in (3, 4)
]


@pytest.mark.parametrize(
    "drawn",
    [LESION, HOLED, ON_CENTRES, SPIKES, LEAVING],
    ids=["solid", "holes", "on centres", "spikes", "near the edge"],
)
def test_the_mask_is_that_of_mirp_voxel_for_voxel(tmp_path, drawn):
    # square pixels: MIRP 2.7 takes the spacing of rows for that of columns
    volume = replace(trees.scan((8, 30, 38)), spacing_mm=(3.0, 0.8, 0.8))
    tree = volume, trees.slices(volume)
    trees.write_series(tmp_path / "CT", tree[1])
    path = written(tmp_path, tree, {"GTV": drawn})
    mask = dicom.read_mask(path, dicom.read_image(tmp_path / "CT"))
    np.testing.assert_array_equal(mask.array != 0, mirp_mask(tmp_path / "CT", path, "GTV"))


def test_features_are_those_of_mirps_mask(tmp_path):
    import SimpleITK as sitk  # noqa: N813

    volume = replace(trees.scan(), spacing_mm=(3.0, 0.8, 0.8))
    tree = volume, trees.slices(volume)
    trees.write_series(tmp_path / "CT", tree[1])
    path = written(tmp_path, tree, {"GTV": HOLED})
    inside = mirp_mask(tmp_path / "CT", path, "GTV").astype(np.uint8)
    other = Volume(inside, volume.spacing_mm, volume.origin_mm, volume.direction)
    for name, one in (("i.nii.gz", volume), ("m.nii.gz", other)):
        sitk.WriteImage(one.to_sitk(), str(tmp_path / name))
    files = tmp_path / "i.nii.gz", tmp_path / "m.nii.gz"
    cases = [Case("a", "a", tmp_path / "CT", path), Case("b", "b", *files)]
    table = extract_features(cases, {"setting": {"binWidth": 25}}, store=tmp_path / "store")
    ours, theirs = table.drop(columns=["case_id", "patient_id", "label"]).to_numpy(float)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_filling_agrees_with_another_implementation_on_random_polygons(seed):
    random = np.random.default_rng(seed)
    polygons = [random.uniform(-3, 25, (random.integers(3, 40), 2)) for _ in range(3)]
    centres = np.stack(np.indices((20, 24)), axis=-1).reshape(-1, 2)
    # matplotlib fills by winding, so that each triangle of a fan is asked for by itself
    expected = np.zeros((20, 24), bool)
    for polygon in polygons:
        for one, other in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
            triangle = Polygon([polygon[0], one, other])
            if len({tuple(p) for p in triangle.vertices}) == 3:
                expected ^= triangle.contains_points(centres).reshape(20, 24)
    np.testing.assert_array_equal(fill(polygons, (20, 24)), expected)


def test_regions_are_named_or_matched(tmp_path, tree):
    other = [(plane, circle(8.3, 9.2, 4)) for plane in (2, 3)]
    path = written(tmp_path, tree, {"GTV (1)": LESION, "GTV 2": other, "Lung": other})
    image = dicom.read_image(tmp_path / "CT")
    shape = image.array.shape

    def chosen(roi: str) -> Volume:
        return dicom.read_mask(Path(f"{path}#roi={roi}"), image)

    np.testing.assert_array_equal(chosen("GTV (1)").array, inside_of(shape, LESION))
    np.testing.assert_array_equal(chosen("G.V 2").array, inside_of(shape, other))
    joined = chosen("GTV.*")
    both = inside_of(shape, LESION) | inside_of(shape, other)
    np.testing.assert_array_equal(joined.array, both)
    assert joined.notes == ("2 regions of rs.dcm were joined: 'GTV (1)', 'GTV 2'.",)
    configured = DicomReader(DicomReaderConfig(roi="Lung"))
    np.testing.assert_array_equal(configured.read_mask(path, image).array, inside_of(shape, other))
    with pytest.raises(DataError) as caught:
        chosen("PTV")
    assert "has no region 'PTV'. It holds 'GTV (1)', 'GTV 2', 'Lung'." in str(caught.value)
    with pytest.raises(DataError, match=r"holds 3 regions .* Name one: rs\.dcm#roi=NAME"):
        dicom.read_mask(path, image)
    names = {dicom.mask_identity(Path(f"{path}#roi={name}")) for name in ("Lung", "GTV 2")}
    assert len(names) == 2


def test_contours_between_planes_go_to_the_nearest(tmp_path, tree):
    drawn = [(plane + 0.4, polygon) for plane, polygon in LESION]
    path = written(tmp_path, tree, {"GTV": drawn})
    mask = dicom.read_mask(path, dicom.read_image(tmp_path / "CT"))
    np.testing.assert_array_equal(mask.array, inside_of(mask.array.shape, LESION))
    assert "4 of 4 contour planes of 'GTV' lie between planes" in mask.notes[0]


def test_planes_without_a_contour_are_filled_or_left_empty_and_said(tmp_path, tree):
    drawn = [(plane, circle(14.2, 17.6, 3 + plane)) for plane in (1, 3, 5)]
    path = written(tmp_path, tree, {"GTV": drawn})
    image = dicom.read_image(tmp_path / "CT")
    mask = dicom.read_mask(path, image)
    # each contour stands for half the distance to its neighbours, the first and last outwards too
    expected = inside_of(image.array.shape, drawn)
    for plane, like in ((0, 1), (2, 1), (4, 3), (6, 5)):
        expected[plane] = expected[like]
    np.testing.assert_array_equal(mask.array, expected)
    assert mask.notes[0].startswith("4 planes without a contour of 'GTV' were filled")
    kept = DicomReader(DicomReaderConfig(contours="drawn"))
    mask = kept.read_mask(path, image)
    np.testing.assert_array_equal(mask.array, inside_of(image.array.shape, drawn))
    assert mask.notes == ("2 planes within 'GTV' have no contour and are empty.",)
    assert kept.mask_identity(path) != dicom.mask_identity(path)


def test_which_contour_a_plane_takes():
    take = planes_for(np.array([0.0, 3.0, 6.0]), 8, True)
    assert take.tolist() == [0, 0, 1, 1, 1, 2, 2, 2]
    assert planes_for(np.array([0.0, 3.0, 6.0]), 8, False).tolist() == [0, -1, -1, 1, -1, -1, 2, -1]
    finer = np.arange(0, 6, 0.4)  # several contours a plane: the nearest
    assert planes_for(finer, 3, True).tolist() == [0, 2, 5]
    two = np.array([1.0, 6.0])  # too few to tell their usual distance
    assert planes_for(two, 8, True).tolist() == [-1, 0, -1, -1, -1, -1, 1, -1]


def test_contours_of_another_series_are_taken_in_the_same_frame_of_reference(tmp_path, tree):
    volume, images = tree
    frame = images[0].FrameOfReferenceUID
    others = trees.slices(volume, FrameOfReferenceUID=frame)
    contours = {"GTV": [trees.points(volume, plane, polygon) for plane, polygon in LESION]}
    path = trees.save(trees.structures(others, contours), tmp_path / "rs.dcm")
    image = dicom.read_image(tmp_path / "CT")
    mask = dicom.read_mask(path, image)
    np.testing.assert_array_equal(mask.array, inside_of(image.array.shape, LESION))
    assert mask.notes == (
        "rs.dcm was drawn on another series than the image's, in the same frame of reference.",
    )
    foreign = trees.structures(trees.slices(volume), contours)
    trees.save(foreign, path)
    with pytest.raises(DataError, match=r"rs\.dcm refers to another series than the image's"):
        dicom.read_mask(path, image)


def test_contours_outside_the_image_are_refused(tmp_path, tree):
    image_path = tmp_path / "CT"
    for drawn in ([(3, circle(14, 33, 6))], [(7, circle(14, 17, 4)), (8, circle(14, 17, 4))]):
        path = written(tmp_path, tree, {"GTV": drawn})
        with pytest.raises(DataError, match="has contours of 'GTV' outside the image"):
            dicom.read_mask(path, dicom.read_image(image_path))


def test_what_is_no_closed_contour_is_left_out_or_refused(tmp_path, tree):
    volume, images = tree
    contours = {"GTV": [trees.points(volume, plane, polygon) for plane, polygon in LESION]}
    made = trees.structures(images, contours)
    made.ROIContourSequence[0].ContourSequence[0].ContourGeometricType = "OPEN_PLANAR"
    path = trees.save(made, tmp_path / "rs.dcm")
    image = dicom.read_image(tmp_path / "CT")
    mask = dicom.read_mask(path, image)
    np.testing.assert_array_equal(mask.array, inside_of(image.array.shape, LESION[1:]))
    assert mask.notes == ("1 open contours or points of 'GTV' were left out of the mask.",)
    for contour in made.ROIContourSequence[0].ContourSequence:
        contour.ContourGeometricType = "POINT"
    trees.save(made, path)
    with pytest.raises(DataError, match="has only open contours or points"):
        dicom.read_mask(path, image)
    with pytest.raises(DataError, match="which become a mask on the grid of their image"):
        dicom.read_mask(path)
    made.ROIContourSequence = []
    trees.save(made, path)
    with pytest.raises(DataError, match="has no contour of the region 'GTV'"):
        dicom.read_mask(path, image)


def test_contours_across_the_planes_are_refused(tmp_path):
    volume = trees.scan()
    turned = trees.scan(direction=trees.oblique())
    images = trees.slices(volume)
    trees.write_series(tmp_path / "CT", images)
    contours = {"GTV": [trees.points(turned, 3, circle(14, 17, 5))]}
    path = trees.save(trees.structures(images, contours), tmp_path / "rs.dcm")
    with pytest.raises(DataError, match=re.escape("do not lie in planes of the image")):
        dicom.read_mask(path, dicom.read_image(tmp_path / "CT"))
