"""A perturbed tumour is a slightly other one: by how much, and the same for the same content."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from rdfc_core.case import Tumour, Volume
from rdfc_core.case.tumour import WhatWasAsked
from rdfc_core.errors import StudyError
from rdfc_core.radiomics.perturbation import (
    LETTERS,
    MOST_VOLUME_CHANGE,
    Perturbation,
    moved,
    noise_level,
    resized,
)
from rdfc_core.radiomics.supervoxels import random_contour, supervoxels


def ball(shape, radius_mm, spacing=None, seed=0, dtype=np.float32, contrast=60):
    """A brighter ball amid noise of 10, round in mm."""
    spacing = spacing or (1.0,) * len(shape)
    at = np.indices(shape).astype(float)
    middle = [(n - 1) / 2 for n in shape]
    squares = [((a - m) * s) ** 2 for a, m, s in zip(at, middle, spacing, strict=True)]
    mask = sum(squares) <= radius_mm**2
    grey = np.random.default_rng(seed).normal(100, 10, shape) + contrast * mask
    return Tumour(Volume.of(grey.astype(dtype), spacing), mask)


def dice(one, two):
    return 2 * (one & two).sum() / (one.sum() + two.sum())


@pytest.mark.parametrize("share", [-0.15, -0.02, 0.02, 0.15])
def test_a_volume_changes_by_what_is_asked_at_its_outline(share):
    tumour = ball((24, 40, 40), 9, (2.0, 1.0, 1.0))
    changed = resized(tumour, share, np.random.default_rng(0)).mask
    count = int(tumour.mask.sum())
    assert changed.sum() == round(count * (1 + share))
    inner, outer = sorted((tumour.mask, changed), key=np.sum)
    assert (outer | inner).sum() == outer.sum()  # one holds the other
    # The radius of a ball of so much volume, within a voxel's diagonal.
    at = np.argwhere(tumour.mask != changed) - (np.array(changed.shape) - 1) / 2
    radii = np.linalg.norm(at * (2.0, 1.0, 1.0), axis=1)
    reached = 9 * np.cbrt(1 + share)
    assert (np.abs(radii - (9 + reached) / 2) < np.sqrt(6)).all()


def test_a_shift_by_whole_voxels_moves_image_and_outline_as_they_are():
    tumour = ball((60, 70), 12)
    found = moved(tumour, 0.0, np.array([2.0, -3.0]))
    np.testing.assert_array_equal(found.mask, np.roll(tumour.mask, (2, -3), (0, 1)))
    rolled = np.roll(tumour.image.array, (2, -3), (0, 1))
    inside = found.mask
    np.testing.assert_allclose(found.image.array[inside], rolled[inside], atol=1e-3)


def test_a_shift_by_part_of_a_voxel_moves_the_brightness_by_it():
    at = np.indices((80, 80)).astype(float)
    grey = 200 * np.exp(-(((at - 40) ** 2).sum(axis=0)) / (2 * 6**2))
    tumour = Tumour(Volume.of(grey), grey > 20)
    found = moved(tumour, 0.0, np.array([0.4, -0.25])).image.array
    middle = [float((found * axis).sum() / found.sum()) for axis in at]
    assert middle == pytest.approx([40.4, 39.75], abs=1e-3)


def test_a_right_angle_turns_a_picture_as_numpy_does():
    tumour = ball((41, 41), 9, seed=1)
    mask = tumour.mask.copy()
    mask[20:, 20:] = False
    mask[25:30, 15:20] = True
    tumour = replace(tumour, mask=mask)
    found = moved(tumour, 90.0, np.zeros(2))
    centre = np.argwhere(mask).mean(axis=0)
    turned = np.argwhere(found.mask) - centre
    # The same voxels, each turned by a quarter about the centre.
    expected = (np.argwhere(mask) - centre) @ np.array([[0, -1], [1, 0]])
    other = (np.argwhere(mask) - centre) @ np.array([[0, 1], [-1, 0]])
    near = [
        np.linalg.norm(turned[:, None] - way[None], axis=2).min(axis=1).max()
        for way in (expected, other)
    ]
    assert min(near) < 1.0 < max(near)


def test_turning_keeps_what_is_round_in_mm_on_voxels_that_are_not():
    tumour = ball((8, 60, 120), 12, (3.0, 1.0, 0.5))
    found = moved(tumour, 15.0, np.zeros(3))
    assert dice(found.mask, tumour.mask) > 0.98
    stick = np.zeros((8, 60, 120), bool)
    stick[3:5, 28:32, 20:100] = True
    turned = moved(replace(tumour, mask=stick), 15.0, np.zeros(3)).mask
    at = np.argwhere(turned) * (3.0, 1.0, 0.5)
    at -= at.mean(axis=0)
    along = np.linalg.svd(at, full_matrices=False)[2][0]
    assert np.rad2deg(np.arctan(abs(along[1] / along[2]))) == pytest.approx(15, abs=0.7)
    assert np.ptp(np.argwhere(turned)[:, 0]) == 1  # within slices


def test_the_level_of_normal_noise_is_its_deviation_and_that_of_a_slope_is_none():
    rng = np.random.default_rng(0)
    slope = np.add.outer(np.arange(200.0), 3 * np.arange(200.0))
    assert noise_level(slope, (0, 1)) == pytest.approx(0, abs=1e-9)
    assert noise_level(slope + rng.normal(0, 7, slope.shape), (0, 1)) == pytest.approx(7, rel=0.03)
    volume = rng.normal(0, 3, (20, 60, 60)) + 50 * np.arange(20.0)[:, None, None]
    assert noise_level(volume, (1, 2)) == pytest.approx(3, rel=0.03)
    assert noise_level(np.zeros((1, 5)), (0, 1)) == 0


def test_noise_doubles_the_variance_and_leaves_the_outline():
    tumour = ball((160, 160), 50)
    found = Perturbation("N").of(tumour)
    np.testing.assert_array_equal(found.mask, tumour.mask)
    before, after = (one.image.array[one.mask].std() for one in (tumour, found))
    assert after / before == pytest.approx(np.sqrt(2), rel=0.05)


@pytest.mark.parametrize("shape", [(90, 90), (30, 48, 48)])
def test_a_random_contour_differs_where_the_edge_is_faint_and_not_where_it_is_sharp(shape):
    faint, sharp = ball(shape, 12, contrast=5), ball(shape, 12, contrast=90)
    found = [random_contour(faint, np.random.default_rng(n)).mask for n in range(6)]
    overlaps = [dice(one, faint.mask) for one in found]
    assert min(overlaps) > 0.75
    assert max(overlaps) < 0.98
    assert all((a != b).any() for a, b in itertools.pairwise(found))
    assert all(one[tuple(n // 2 for n in shape)] for one in found)
    assert not any(one[(0,) * len(shape)] for one in found)
    for number in range(3):
        followed = random_contour(sharp, np.random.default_rng(number)).mask
        assert dice(followed, sharp.mask) > 0.98


def test_supervoxels_end_at_an_edge_of_the_image():
    grey = np.zeros((40, 40))
    grey[:, 17:] = 100.0
    labels = supervoxels(grey, np.ones(2), 8.0, np.random.default_rng(0))
    assert not set(labels[:, :17].ravel()) & set(labels[:, 17:].ravel())
    assert 15 < len(np.unique(labels)) < 45


def test_perturbations_follow_content_seed_and_number():
    tumour = ball((50, 50), 12)
    again = ball((50, 50), 12)
    first = Perturbation("NRTVC", seed=3, number=1).of(tumour)
    same = Perturbation("CVTRN", seed=3, number=1).of(again)
    np.testing.assert_array_equal(first.image.array, same.image.array)
    np.testing.assert_array_equal(first.mask, same.mask)
    others = [
        Perturbation("NRTVC", seed=4, number=1).of(tumour),
        Perturbation("NRTVC", seed=3, number=2).of(tumour),
        Perturbation("NRTVC", seed=3, number=1).of(ball((50, 50), 12, seed=9)),
    ]
    assert all((one.mask != first.mask).any() for one in others)
    # A step draws the same, whatever other steps there are.
    alone, longer = Perturbation("V").of(tumour), Perturbation("NV").of(tumour)
    np.testing.assert_array_equal(alone.mask, longer.mask)


def test_a_tumour_is_never_changed_in_place_nor_lost():
    grey = np.random.default_rng(0).integers(0, 256, (30, 30)).astype(np.uint8)
    mask = np.zeros((30, 30), bool)
    mask[0, 0] = True  # a single pixel, in the corner
    for chain in (*LETTERS, LETTERS):
        for number in range(5):
            tumour = Tumour(Volume.of(grey.copy()), mask.copy())
            found = Perturbation(chain, number=number).of(tumour)
            assert found.mask.any()
            assert found.image.array.min() >= 0
            assert found.image.array.max() <= 255
            np.testing.assert_array_equal(tumour.image.array, grey)
            np.testing.assert_array_equal(tumour.mask, mask)


def test_a_thin_volume_that_fills_its_image_can_be_perturbed():
    grey = np.random.default_rng(0).normal(0, 1, (2, 12, 12)).astype(np.float32)
    tumour = Tumour(Volume.of(grey, (2.5, 0.7, 0.7)), np.ones(grey.shape, bool))
    sizes = [Perturbation("NRTVC", number=n).of(tumour).mask.sum() for n in range(8)]
    assert min(sizes) > 0.6 * grey.size
    most = [Perturbation("V", number=n).of(tumour).mask.mean() for n in range(20)]
    assert min(most) >= 1 - MOST_VOLUME_CHANGE - 0.01
    assert max(most) <= 1


def test_colours_move_with_the_grey_values():
    colour = np.random.default_rng(0).integers(0, 256, (40, 40, 3)).astype(np.uint8)
    image = replace(Volume.of(colour[..., 0]), colour=colour)
    mask = np.zeros((40, 40), bool)
    mask[10:30, 12:28] = True
    found = Perturbation("RT").of(Tumour(image, mask)).image
    assert found.colour is not None
    np.testing.assert_allclose(found.colour[..., 0], found.array, atol=1e-4)
    assert (found.colour[..., 1] != found.colour[..., 0]).any()


def test_images_of_one_case_are_moved_alike():
    first, second = ball((50, 50), 12), ball((50, 50), 12, seed=5)
    case = replace(first, images=WhatWasAsked("image", {"t1": first, "t2": second}))
    found = Perturbation("RTV").of(case)
    np.testing.assert_array_equal(found.images["t1"].mask, found.images["t2"].mask)
    np.testing.assert_array_equal(found.mask, found.images["t1"].mask)
    assert (found.images["t2"].image.array != second.image.array).any()


@pytest.mark.parametrize("chain", ["", "NN", "NX", "noise"])
def test_a_chain_of_other_letters_is_refused(chain):
    with pytest.raises(StudyError, match=r"Write NTVC, say\."):
        Perturbation(chain)
    assert Perturbation("vct").chain == "TVC"
