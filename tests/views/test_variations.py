"""Random variations of pictures in training: each does what it says, and as strongly."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy import ndimage, stats

from rdfc_core import testing
from rdfc_core.views.augmentation import augment_pictures
from rdfc_core.views.blur import blur
from rdfc_core.views.elastic import CONTROL_POINTS, displacements
from rdfc_core.views.image_view import ImageView
from rdfc_core.views.intensity import vary_brightness, vary_contrast, vary_gamma
from rdfc_core.views.noise import add_noise, add_speckle
from rdfc_core.views.options import ImageViewConfig
from rdfc_core.views.variations import OF_INTENSITIES, augment
from tests.support.small_parts import SmallCnn, SmallCnnConfig, SmallVolumeCnn

STRONG = {
    "elastic": 0.05,
    "blur": 2.0,
    "gamma": 0.5,
    "contrast": 0.5,
    "brightness": 0.3,
    "speckle": 0.3,
    "noise": 0.2,
}
WHOLE = {"crop_scale": (1.0, 1.0), "flip": ()}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*shape: int, seed: int = 9) -> torch.Tensor:
    return torch.rand(shape, generator=seeded(seed))


def varied(batch: torch.Tensor, seed: int = 0, **options: Any) -> torch.Tensor:
    return augment(batch, ImageViewConfig(**options), seeded(seed))


def is_uniform(values: torch.Tensor, low: float, high: float, error: float = 1e-4) -> bool:
    """By the test of Kolmogorov and Smirnov; no value lies outside by more than its own error."""
    inside = low - error <= float(values.min()) and float(values.max()) <= high + error
    return inside and stats.kstest(values.numpy(), "uniform", (low, high - low)).pvalue > 1e-3


# All of them


def test_by_default_pictures_are_cropped_and_flipped_and_no_number_more_is_drawn() -> None:
    batch, generator = noise(5, 1, 20, 24), seeded()
    plain = augment_pictures(batch, (0.4, 1.0), ("horizontal",), generator)
    ours = seeded()
    assert torch.equal(augment(batch, ImageViewConfig(), ours), plain)
    assert torch.equal(torch.rand(4, generator=ours), torch.rand(4, generator=generator))


@pytest.mark.parametrize("name", OF_INTENSITIES)
def test_at_strength_0_nothing_happens(name: str) -> None:
    batch = noise(4, 2, 12, 10)
    same = OF_INTENSITIES[name](batch, 0.0, seeded())
    torch.testing.assert_close(same, batch, rtol=0, atol=1e-6)


def test_a_deformation_of_strength_0_displaces_nothing() -> None:
    batch = noise(4, 1, 12, 10)
    assert float(displacements(batch, 0.0, seeded()).abs().max()) == 0
    plain = augment_pictures(batch, (0.4, 1.0), ("vertical",), seeded())
    still = augment_pictures(batch, (0.4, 1.0), ("vertical",), seeded(), torch.zeros(4, 2, 12, 10))
    torch.testing.assert_close(still, plain, rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", [(6, 1, 32, 24), (4, 2, 5, 16, 20)])
@pytest.mark.parametrize(
    "options", [{name: one} for name, one in STRONG.items()] + [STRONG], ids=str
)
def test_a_seed_means_one_variation_and_each_case_has_its_own(
    shape: tuple[int, ...], options: dict[str, float]
) -> None:
    batch = noise(*shape[1:]).expand(shape).clone()
    before = batch.clone()
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    first = varied(batch, **options, **WHOLE)
    assert torch.equal(torch.rand(1), expected)  # the global generator is not touched
    assert torch.equal(batch, before)
    assert first.shape == batch.shape
    assert first.dtype == torch.float32
    assert torch.isfinite(first).all()
    assert torch.equal(first, varied(batch, **options, **WHOLE))
    assert not torch.equal(first, varied(batch, seed=1, **options, **WHOLE))
    for place in range(1, len(batch)):  # the cases were the same picture
        assert not torch.equal(first[0], first[place])


def test_the_outline_follows_the_picture_through_space_and_keeps_its_values() -> None:
    # One intensity inside and outside: picture and outline are the same in both channels.
    outline = (noise(8, 1, 30, 30) > 0.6).float()
    batch = outline.expand(-1, 2, -1, -1).clone()
    moved = varied(batch, mask_channel=True, elastic=0.05)
    assert torch.equal(moved[:, 0], moved[:, 1])
    assert not torch.equal(moved, varied(batch, mask_channel=True))
    result = varied(batch, mask_channel=True, **STRONG)
    assert torch.equal(result[:, 1], moved[:, 1])
    assert not torch.allclose(result[:, 0], moved[:, 0], atol=0.05)


@pytest.mark.parametrize("mask_channel", [False, True])
@pytest.mark.parametrize("ndim", [2, 3])
def test_a_view_with_all_variations_keeps_what_every_view_promises(
    ndim: int, mask_channel: bool
) -> None:
    encoder = SmallCnn(SmallCnnConfig()) if ndim == 2 else SmallVolumeCnn(SmallCnnConfig())
    size = (12, 12) if ndim == 2 else (4, 12, 12)
    config = ImageViewConfig(encoder="any", size=size, mask_channel=mask_channel, **STRONG)
    testing.check_view(ImageView(config, encoder), ndim=ndim)


@pytest.mark.parametrize("name", ["elastic", "blur"])
def test_all_planes_of_a_volume_are_changed_alike(name: str) -> None:
    batch = noise(3, 1, 1, 20, 16).expand(-1, -1, 4, -1, -1).clone()
    result = varied(batch, **{name: STRONG[name]}, **WHOLE)
    for plane in range(1, 4):
        torch.testing.assert_close(result[:, :, plane], result[:, :, 0])


@pytest.mark.parametrize("name", STRONG)
def test_strengths_out_of_bounds_are_refused(name: str) -> None:
    for wrong in (-0.1, 9.0, math.nan, math.inf):
        with pytest.raises(ValidationError):
            ImageViewConfig(**{name: wrong})


# Intensities


def test_brightness_adds_one_number_to_each_case() -> None:
    batch = noise(2000, 2, 4, 4)
    shift = (vary_brightness(batch, 0.2, seeded()) - batch).flatten(1)
    assert float((shift.amax(1) - shift.amin(1)).max()) < 1e-5
    assert is_uniform(shift[:, 0], -0.2, 0.2)


def test_contrast_scales_the_distances_from_the_mean_which_stays() -> None:
    batch = noise(2000, 2, 4, 4)
    result = vary_contrast(batch, 0.4, seeded()).flatten(1)
    plain = batch.flatten(1)
    torch.testing.assert_close(result.mean(1), plain.mean(1))
    factors = result.std(1) / plain.std(1)
    assert is_uniform(factors.log(), -0.4, 0.4)
    expected = (
        plain.mean(1, keepdim=True) + (plain - plain.mean(1, keepdim=True)) * factors[:, None]
    )
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-5)


def test_gamma_is_a_power_that_keeps_black_white_and_the_order() -> None:
    levels = torch.linspace(0, 1, 21).reshape(1, 1, 3, 7).expand(2000, -1, -1, -1)
    result = vary_gamma(levels, 0.5, seeded())
    assert float(result[:, 0, 0, 0].abs().max()) == 0
    assert float((result[:, 0, 2, 6] - 1).abs().max()) == 0
    assert (result.flatten(1).diff(dim=1) > 0).all()
    exponents = result[:, 0, 1, 3].log() / levels[:, 0, 1, 3].log()
    assert is_uniform(exponents.log(), -0.5, 0.5)


# Noise


def test_noise_has_mean_0_and_each_case_its_own_deviation() -> None:
    flat = torch.full((1000, 1, 40, 40), 0.5)
    added = (add_noise(flat, 0.1, seeded()) - flat).flatten(1)
    assert is_uniform(added.std(1), 0, 0.1, error=0.007)
    assert abs(float(added.mean())) < 1e-3
    standard = added / added.std(1, keepdim=True)
    assert abs(float((standard[:, 1:] * standard[:, :-1]).mean())) < 0.01  # no grain
    assert stats.kstest(standard[::20].flatten().numpy(), "norm").statistic < 0.02


def test_speckle_grows_with_the_signal_and_leaves_black_black() -> None:
    levels = torch.tensor([0.0, 0.25, 0.5, 1.0]).reshape(1, 4, 1, 1).expand(1000, 4, 40, 40)
    added = (add_speckle(levels, 0.3, seeded()) - levels).flatten(2)
    deviation = added.std(2)
    assert float(deviation[:, 0].max()) == 0
    assert is_uniform(deviation[:, 3], 0, 0.3, error=0.02)
    torch.testing.assert_close(deviation[:, 1] * 4, deviation[:, 3], rtol=0.15, atol=1e-3)
    assert abs(float(added.mean())) < 1e-3


# Blur and deformation


def test_blur_is_that_of_scipy_by_widths_that_are_uniform() -> None:
    point = torch.zeros(500, 1, 41, 41)
    point[:, :, 20, 20] = 1
    spread = blur(point, 3.0, seeded())
    offsets = torch.arange(41) - 20.0
    widths = (spread.sum((1, 2)) * offsets**2).sum(1).sqrt()
    assert is_uniform(widths, 0, 3)
    pictures = noise(6, 1, 41, 33)
    soft = blur(pictures, 3.0, seeded(1))
    drawn = blur(point[:6], 3.0, seeded(1))  # the same widths
    for picture, result, dot in zip(pictures, soft, drawn, strict=True):
        width = float((dot.sum((0, 1)) * offsets**2).sum().sqrt())
        if width < 0.5:  # scipy samples so narrow a Gaussian in the same way, the moment does not
            continue
        inside, whole = (
            ndimage.gaussian_filter(one, width, mode="constant", truncate=9)
            for one in (picture[0].numpy().astype(np.float64), np.ones((41, 33)))
        )
        np.testing.assert_allclose(result[0].numpy(), inside / whole, atol=2e-3)


def test_blur_keeps_what_is_flat_up_to_the_border() -> None:
    flat = torch.full((20, 1, 16, 24), 0.7)
    torch.testing.assert_close(blur(flat, 4.0, seeded()), flat)


def test_a_deformation_takes_pixels_from_where_the_field_says() -> None:
    batch = noise(5, 1, 40, 40)
    field = displacements(batch, 0.05, seeded())
    result = augment_pictures(batch, (1.0, 1.0), (), seeded(2), field)
    rows, columns = np.meshgrid(np.arange(40.0), np.arange(40.0), indexing="ij")
    for case in range(5):
        # Where an undisturbed crop would look, read from ramps that it is applied to.
        ramps = torch.from_numpy(np.stack([rows, columns])).float().expand(5, 2, 40, 40)
        down, right = augment_pictures(ramps, (1.0, 1.0), (), seeded(2))[case].double().numpy()
        size = [np.ptp(one) + 1 for one in (down, right)]
        x, y = field[case].double().numpy()
        place = [down + y * size[0] / 40 * 39, right + x * size[1] / 40 * 39]
        expected = ndimage.map_coordinates(
            batch[case, 0].double().numpy(), place, order=1, mode="nearest"
        )
        np.testing.assert_allclose(result[case, 0].numpy(), expected, atol=1e-3)


def test_displacements_are_smooth_bounded_and_never_fold_the_picture() -> None:
    field = displacements(torch.zeros(1500, 1, 65, 65), 0.05, seeded())
    step = 64 // (CONTROL_POINTS - 1)
    points = field[:, :, ::step, ::step]
    largest = points.abs().flatten(1).amax(1)
    assert float(largest.max()) <= 0.05
    assert 0.02 < float(largest.mean()) < 0.026  # nearly all of a share that is uniform to 0.05
    assert abs(float(points.mean())) < 1e-3
    along_y, along_x = torch.gradient(field, spacing=1 / 64, dim=(2, 3))
    area = (1 + along_x[:, 0]) * (1 + along_y[:, 1]) - along_y[:, 0] * along_x[:, 1]
    assert float(area.min()) > 0
