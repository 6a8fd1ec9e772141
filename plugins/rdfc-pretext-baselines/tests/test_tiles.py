"""Tiles: where they are cut, what is evened out, and where they end."""

import pytest
import torch

from rdfc_pretext_baselines.permutations import distant_permutations
from rdfc_pretext_baselines.tiles import cut_tiles, even_out, reorder, tile_size


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def coordinates(cases, height, width):
    """Pictures of two channels: each sample holds its own row and column."""
    grid = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack(grid).float().expand(cases, 2, height, width)


@pytest.mark.parametrize("size", [(64, 64), (196, 160), (49, 40), (12, 14)], ids=str)
@pytest.mark.parametrize("gap", [0.0, 0.15, 0.5])
def test_each_tile_is_a_piece_of_its_own_ninth(size, gap) -> None:
    tiles = cut_tiles(coordinates(20, *size), gap, generator())
    height, width = tile_size(*size, gap)
    assert tiles.shape == (20, 9, 2, height, width)
    # In one piece, upright: rows go down by one, columns to the right by one.
    assert (tiles[:, :, 0].diff(dim=2) == 1).all()
    assert (tiles[:, :, 0].diff(dim=3) == 0).all()
    assert (tiles[:, :, 1].diff(dim=3) == 1).all()
    for place in range(9):
        for axis, part in ((0, place // 3), (1, place % 3)):
            ninth = tiles[:, place, axis]
            assert ninth.min() >= part * size[axis] // 3
            assert ninth.max() < (part + 1) * size[axis] // 3


def test_tiles_of_the_paper_s_proportions_move_within_their_gap() -> None:
    """Cells of 75, tiles of 64, every place from 0 to 11 taken; each tile on its own."""
    corners = cut_tiles(coordinates(400, 225, 225), 11 / 75, generator())[:, :, :, 0, 0]
    assert tile_size(225, 225, 11 / 75) == (64, 64)
    origin = torch.tensor([[75 * (p // 3), 75 * (p % 3)] for p in range(9)])
    shifts = corners - origin
    assert set(shifts.flatten().tolist()) == set(range(12))
    # Neighbours are 11 apart on average, but not always: where one ends does not say who follows.
    gaps = corners[:, 1, 1] - corners[:, 0, 1] - 64
    assert gaps.min() < 5 < 10 < gaps.mean() < 12 < 17 < gaps.max()
    correlation = torch.corrcoef(shifts.flatten(1).T)
    assert (correlation - torch.eye(18)).abs().max() < 0.25


def test_without_a_gap_the_tiles_make_up_the_picture() -> None:
    picture = torch.rand(2, 3, 12, 18, generator=generator())
    tiles = cut_tiles(picture, 0.0, generator())
    rows = [torch.cat(tuple(tiles[:, 3 * row : 3 * row + 3].unbind(1)), dim=3) for row in range(3)]
    assert torch.equal(torch.cat(rows, dim=2), picture)


def test_tiles_end_where_the_permutation_says() -> None:
    letters = torch.arange(9.0).reshape(3, 3).repeat_interleave(4, 0).repeat_interleave(4, 1)
    tiles = cut_tiles(letters.expand(2, 1, 12, 12), 0.25, generator())
    orders = torch.tensor([[3, 1, 4, 0, 5, 8, 2, 6, 7], [8, 7, 6, 5, 4, 3, 2, 1, 0]])
    shown = reorder(tiles, orders)
    assert shown.shape == tiles.shape
    assert shown.amax(dim=(2, 3, 4)).tolist() == orders.tolist()
    assert torch.equal(shown.amin(dim=(2, 3, 4)), shown.amax(dim=(2, 3, 4)))  # whole tiles moved
    back = reorder(shown, orders.argsort(dim=1))
    assert torch.equal(back, tiles)


def test_no_tile_s_brightness_or_contrast_says_where_it_was() -> None:
    pictures = torch.rand(5, 2, 30, 30, generator=generator())
    pictures = pictures * torch.linspace(0.1, 1, 30) + torch.linspace(0, 2, 30)[:, None]
    tiles = cut_tiles(pictures, 0.2, generator())
    assert tiles.mean(dim=(3, 4)).std(dim=1).min() > 0.3
    even = even_out(tiles, pictures)
    mean, deviation = pictures.mean(dim=(2, 3)), pictures.std(dim=(2, 3), correction=0)
    torch.testing.assert_close(even.mean(dim=(3, 4)), mean[:, None].expand(5, 9, 2))
    torch.testing.assert_close(
        even.std(dim=(3, 4), correction=0), deviation[:, None].expand(5, 9, 2), rtol=1e-4, atol=0
    )
    # What a tile shows stays: each is a straight line of what it was.
    pairs = torch.stack([tiles[0, 4, 1].flatten(), even[0, 4, 1].flatten()])
    assert torch.corrcoef(pairs)[0, 1].item() == pytest.approx(1, abs=1e-5)


def test_a_flat_tile_becomes_the_picture_s_mean() -> None:
    pictures = torch.zeros(1, 1, 12, 12)
    pictures[..., 6:] = 1
    even = even_out(cut_tiles(pictures, 0.0, generator()), pictures)
    assert torch.equal(even[0, 0], torch.full((1, 4, 4), 0.5))
    assert torch.isfinite(even).all()


def test_every_case_is_cut_in_its_own_way_by_the_generator_alone() -> None:
    pictures = coordinates(8, 48, 48)
    same, again, other = (cut_tiles(pictures, 0.3, generator(seed)) for seed in (0, 0, 1))
    assert torch.equal(same, again)
    assert not torch.equal(same, other)
    assert len({tuple(case.flatten().tolist()) for case in same[:, :, :, 0, 0]}) == 8


def test_a_set_of_orders_shows_every_tile_in_every_place() -> None:
    tiles = torch.arange(9.0).expand(100, 9)
    orders = torch.tensor(distant_permutations(100), dtype=torch.long)
    shown = reorder(tiles, orders).long()
    counts = torch.stack([shown[:, place].bincount(minlength=9) for place in range(9)])
    assert 5 < counts.min() <= counts.max() < 20  # 11 on average
