"""Pictures with a map of heat over them."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from rdfc_core.views.outline import OUTLINE
from rdfc_core.views.overlay import HEAT, STRONGEST, overlays


def drawn(heat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    picture = np.full((40, 80), 0.5)
    mask = np.zeros((40, 80))
    mask[10:30, 20:60] = 1
    pictures = overlays(picture, mask, heat, size=80)
    return tuple(np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), int) for png in pictures)


def test_heat_colours_the_half_it_lies_on_and_leaves_the_other_and_the_plain_picture_grey():
    heat = np.zeros((4, 8))
    heat[:, :4] = 1
    plain, warm = drawn(heat)
    assert plain.shape == warm.shape == (40, 80, 3)
    hot = (1 - STRONGEST) * 127.5 + STRONGEST * np.array(HEAT)
    np.testing.assert_allclose(warm[3, 3], hot, atol=1)
    np.testing.assert_allclose(warm[3, 76], 127.5, atol=1)
    np.testing.assert_allclose(plain[3, 3], 127.5, atol=1)


def test_outline_is_drawn_over_the_heat_at_the_mask_s_edge_alone():
    _, warm = drawn(np.ones((4, 8)))
    yellow = (warm == OUTLINE).all(axis=2)
    assert yellow[10, 20:60].all()
    assert yellow[10:30, 20].all()
    assert yellow.sum() == 2 * 40 + 2 * 18  # the rim of 20 × 40
