"""The autoencoder: what is corrupted, how the decoder is made, and that it learns to restore."""

import pytest
import torch

from rdfc_pretext_baselines.autoencoder import corrupt, explained
from rdfc_pretext_baselines.decoder import Decoder, halvings


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_a_share_of_samples_is_set_to_what_the_network_sees_as_zero() -> None:
    pictures = torch.rand(20, 3, 32, 32, generator=generator(1))
    damaged = corrupt(pictures, 0.25, 0.0, generator())
    changed = damaged != pictures
    assert (damaged[changed] == 0.5).all()
    assert changed.float().mean().item() == pytest.approx(0.25, abs=0.01)
    shares = changed.float().mean(dim=(0, 2, 3))  # each channel loses its own samples
    assert shares.tolist() == pytest.approx([0.25] * 3, abs=0.02)
    assert not torch.equal(changed[:, 0], changed[:, 1])


def test_noise_has_the_deviation_that_was_asked_for_and_no_mean() -> None:
    pictures = torch.rand(20, 1, 32, 32, generator=generator(1))
    noise = corrupt(pictures, 0.0, 0.1, generator()) - pictures
    assert noise.std().item() == pytest.approx(0.1, rel=0.03)
    assert noise.mean().item() == pytest.approx(0, abs=0.003)


def test_nothing_is_corrupted_where_nothing_is_asked_for() -> None:
    pictures = torch.rand(2, 1, 8, 8, generator=generator(1))
    assert torch.equal(corrupt(pictures, 0.0, 0.0, generator()), pictures)


def test_the_generator_alone_decides_what_is_lost() -> None:
    pictures = torch.rand(2, 1, 8, 8, generator=generator(1))
    same, again, other = (corrupt(pictures, 0.3, 0.1, generator(seed)) for seed in (0, 0, 1))
    assert torch.equal(same, again)
    assert not torch.equal(same, other)


@pytest.mark.parametrize(
    ("size", "sizes"),
    [
        ((64, 64), [(64, 64), (32, 32), (16, 16), (8, 8), (4, 4)]),
        ((196, 160), [(196, 160), (98, 80), (49, 40), (25, 20), (13, 10), (7, 5), (4, 3)]),
        ((10, 64, 64), [(10, 64, 64), (5, 32, 32), (3, 16, 16), (3, 8, 8), (3, 4, 4)]),
        ((3, 4), [(3, 4)]),
    ],
)
def test_sizes_are_halved_until_no_side_is_longer_than_four(size, sizes) -> None:
    assert halvings(size) == sizes


@pytest.mark.parametrize("shape", [(1, 64, 64), (10, 33, 50), (2, 6, 20, 24), (1, 3, 4)], ids=str)
def test_the_decoder_gives_exactly_the_picture_s_shape_in_0_to_1(shape) -> None:
    restored = Decoder(8, shape, 20)(torch.randn(3, 8, generator=generator()))
    assert restored.shape == (3, *shape)
    assert 0 < restored.min() <= restored.max() < 1


def test_channels_are_halved_down_to_sixteen_and_never_grow() -> None:
    def channels(width):
        return [stage[0].out_channels for stage in Decoder(8, (1, 64, 64), width).stages]

    assert channels(128) == [64, 32, 16, 16]
    assert channels(20) == [16, 16, 16, 16]
    assert channels(5) == [5, 5, 5, 5]


def test_what_is_explained_is_counted_from_the_mean_picture() -> None:
    pictures = torch.rand(50, 1, 6, 6, generator=generator())
    mean = pictures.mean(dim=0, keepdim=True).expand_as(pictures)
    assert explained((mean - pictures).square().mean(), pictures).item() == pytest.approx(
        0, abs=1e-5
    )
    halfway = (mean + pictures) / 2
    error = (halfway - pictures).square().mean()
    assert explained(error, pictures).item() == pytest.approx(0.75)


def test_the_loss_is_the_error_against_the_undamaged_picture(task_of, batch, pictures_of) -> None:
    task = task_of("autoencoder", 1, 24, 24, masking=0.5, noise=0.05)
    pictures = pictures_of(5, 1, 24, 24)
    output = task(batch(pictures, 6))
    replay = batch(pictures, 6)
    drawn = replay.draw("image")
    damaged = corrupt(drawn, 0.5, 0.05, replay.generator)
    with torch.no_grad():
        restored = task.decoder(task.tower(damaged))
    errors = [(r - d) ** 2 for r, d in zip(restored.flatten(), drawn.flatten(), strict=True)]
    assert output.loss.item() == pytest.approx(float(sum(errors)) / len(errors), rel=1e-3)
    assert output.logs["mse"] == output.loss
    assert (damaged - drawn).abs().max() > 0.1  # so that the two could be told apart


def test_pictures_are_restored_better_than_by_their_mean_after_training(
    task_of, pictures_of, train
) -> None:
    task, pictures = task_of("autoencoder", 1, 16, 16, width=8), pictures_of(16, 1, 16, 16)
    outputs = train(task, pictures, 80, 0.01)
    assert outputs[-1].loss < 0.5 * outputs[0].loss
    assert outputs[0].logs["explained"] < 0.1
    assert outputs[-1].logs["explained"] > 0.3
