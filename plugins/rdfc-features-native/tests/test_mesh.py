"""The mesh of every way in which a cube's corners can be inside."""

from collections import Counter

import numpy as np
import pytest

from rdfc_core.case import Tumour, Volume
from rdfc_features_native.features.marching_cubes import (
    CORNERS,
    FACES,
    surface_and_volume,
    triangles_of,
)
from rdfc_features_native.features.shape2d import shape2d_features

SPACING_MM = (1.0, 1.3, 1.7)


def cube(case):
    """The mask of 2 × 2 × 2 voxels whose corners are inside as the case says."""
    mask = np.zeros((2, 2, 2), bool)
    mask[tuple(CORNERS.T)] = [case >> corner & 1 for corner in range(8)]
    return mask


def sides_of(case):
    return Counter(
        (corners[k], corners[(k + 1) % 3]) for corners in triangles_of(case) for k in range(3)
    )


@pytest.mark.parametrize("case", range(256))
def test_triangles_meet_at_edges_that_are_crossed_and_are_open_only_at_the_faces(case):
    sides = sides_of(case)
    inside = [bool(case >> corner & 1) for corner in range(8)]
    for crossing in {end for side in sides for end in side}:
        assert inside[crossing[0]] != inside[crossing[1]]
    for (start, end), times in sides.items():
        assert times == 1
        on_a_face = any({*start, *end} <= set(face) for face in FACES)
        assert (end, start) in sides or on_a_face


def test_the_volume_of_a_mask_without_diagonal_contacts_does_not_depend_on_its_place():
    # Of a closed surface only.
    grid = np.ogrid[-5:6, -6:7, -4:5]
    mask = np.pad(sum((g / r) ** 2 for g, r in zip(grid, (4, 5, 3), strict=True)) <= 1, 1)
    moved = np.pad(mask, ((5, 0), (0, 3), (2, 0)))
    assert surface_and_volume(moved, SPACING_MM) == pytest.approx(
        surface_and_volume(mask, SPACING_MM), rel=1e-12
    )


def test_one_voxel_is_an_octahedron():
    mask = np.pad(np.ones((1, 1, 1), bool), 1)
    area, volume = surface_and_volume(mask, (1.0, 1.0, 1.0))
    assert volume == pytest.approx(1 / 6)  # two pyramids of height 1/2 over a square of area 1/2
    assert area == pytest.approx(8 * np.sqrt(3) / 4 / 2)  # sides of √(1/2)


def test_every_cube_has_the_area_and_the_volume_that_pyradiomics_gives_it(
    measure, call_pyradiomics
):
    content = {"featureClass": {"shape": ["SurfaceArea", "MeshVolume"]}}
    image = np.pad(100 * np.arange(8.0).reshape(2, 2, 2), 1)
    for case in range(256):
        mask = np.pad(cube(case), 1)
        if not case or np.sum(np.ptp(np.argwhere(mask), axis=0) > 0) < 2:
            continue  # PyRadiomics measures no lines
        tumour = Tumour(Volume.of(image, SPACING_MM), mask)
        expected = call_pyradiomics(tumour, content)
        assert measure(content, tumour) == pytest.approx(expected, rel=1e-12), case


@pytest.mark.parametrize("case", range(1, 16))
def test_a_square_is_cut_at_its_edges_middles(case):
    mask = np.array([[case & 1, case >> 1 & 1], [case >> 3 & 1, case >> 2 & 1]], bool)
    found = shape2d_features(mask, (1.0, 1.0))
    # A lone pixel is a square of area 1/2; two that share a side have 1/2 more between them.
    pixels = int(mask.sum())
    shared = int((mask[0] & mask[1]).sum() + (mask[:, 0] & mask[:, 1]).sum())
    whole = pixels == 4
    assert found["MeshSurface"] == pytest.approx(pixels / 2 + shared / 2 - whole / 2)
