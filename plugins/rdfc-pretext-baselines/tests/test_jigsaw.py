"""The puzzle: what the encoder sees, what is asked, and that it can be learnt."""

import math

import pytest
import torch

from rdfc_core.errors import StudyError
from rdfc_pretext_baselines.permutations import distant_permutations
from rdfc_pretext_baselines.tiles import cut_tiles, even_out


def test_the_encoder_sees_each_tile_alone_at_its_own_size_or_resized(
    task_of, batch, pictures_of
) -> None:
    for options, size in (({}, (18, 8)), ({"tile_size": [32, 24]}, (32, 24))):
        task = task_of("jigsaw", 2, 64, 32, **options)
        task.tower.seen.clear()
        task(batch(pictures_of(3, 2, 64, 32)))
        assert task.tower.seen == [(27, 2, *size)]


def test_an_encoder_that_takes_no_tiles_is_told_of_beforehand(tower, task_of) -> None:
    class OneSize(tower):
        def forward(self, batch):
            if batch.shape[-2:] != (24, 24):
                raise AssertionError("made for 24 × 24")
            return super().forward(batch)

    with pytest.raises(StudyError, match=r"tiles of 7 × 7 \(made for 24 × 24\).*\[24, 24\]"):
        task_of("jigsaw", towers={"image": OneSize(1, 24, 24)})
    whole = OneSize(1, 24, 24)
    task_of("jigsaw", towers={"image": whole}, tile_size=[24, 24])
    assert whole.training


def test_an_untrained_task_guesses(task_of, batch, pictures_of) -> None:
    task = task_of("jigsaw", 1, 24, 24, permutations=50)
    output = task(batch(pictures_of(64, 1, 24, 24)))
    assert output.loss.item() == pytest.approx(math.log(50), rel=0.02)
    assert output.logs["accuracy"] < 0.15


def test_loss_and_accuracy_are_those_of_the_order_that_is_shown(
    task_of, batch, pictures_of
) -> None:
    """Replay the draws: the same tiles in the drawn orders, and the classifier's own word."""
    task, pictures = task_of("jigsaw", 1, 24, 24, permutations=5), pictures_of(12, 1, 24, 24)
    with torch.no_grad():
        for layer in (task.project, task.classifier[0], task.classifier[2]):
            layer.weight.mul_(8)  # an untrained classifier hardly tells one order from another
    output = task(batch(pictures, 4))
    replay = batch(pictures, 4)
    drawn = replay.draw("image")
    tiles = even_out(cut_tiles(drawn, 0.15, replay.generator), drawn)
    truth = torch.randint(5, (12,), generator=replay.generator).tolist()
    losses, right = [], []
    with torch.no_grad():
        for case, answer in enumerate(truth):
            order = distant_permutations(5)[answer].tolist()
            rows = [task.tower(tiles[case, tile][None]) for tile in order]
            seen = torch.cat([task.project(row).relu() for row in rows], dim=1)
            said = task.classifier(seen)[0].softmax(0)
            losses.append(-math.log(said[answer]))
            right.append(int(said.argmax()) == answer)
    assert output.loss.item() == pytest.approx(sum(losses) / 12, rel=1e-4)
    assert output.logs["accuracy"].item() == pytest.approx(sum(right) / 12)
    assert len(set(truth)) > 2


def test_what_it_embeds_does_not_depend_on_the_order(task_of, batch, pictures_of) -> None:
    task, pictures = task_of("jigsaw", 1, 24, 24), pictures_of(4, 1, 24, 24)
    output = task(batch(pictures, 2))
    replay = batch(pictures, 2)
    drawn = replay.draw("image")
    tiles = even_out(cut_tiles(drawn, 0.15, replay.generator), drawn)
    with torch.no_grad():
        mean = task.encode(tiles).mean(dim=1)
    expected = mean / mean.norm(dim=1, keepdim=True)
    torch.testing.assert_close(output.embeddings["image"], expected)


def test_the_orders_are_saved_with_the_classifier_that_stands_for_them(task_of) -> None:
    state = task_of("jigsaw", 1, 24, 24, permutations=30).state_dict()
    assert torch.equal(state["orders"], torch.tensor(distant_permutations(30)).long())


def test_puzzles_are_solved_far_above_chance_after_training(task_of, pictures_of, train) -> None:
    """On pictures whose nine parts look different, with other gaps and orders at every step."""
    grid = torch.meshgrid(torch.arange(24), torch.arange(24), indexing="ij")
    stripes = [
        (math.pi * (grid[0] * down + grid[1] * right) / 3).sin()
        for down, right in (
            (0, 1),
            (1, 0),
            (1, 1),
            (1, -1),
            (0, 2),
            (2, 0),
            (2, 2),
            (2, -2),
            (1, 2),
        )
    ]
    parts = (grid[0] // 8) * 3 + grid[1] // 8
    picture = sum(stripe * (parts == place) for place, stripe in enumerate(stripes))
    pictures = (0.5 + 0.3 * picture).expand(32, 1, 24, 24)
    task = task_of("jigsaw", 1, 24, 24, permutations=10, hidden=64)
    outputs = train(task, pictures, 80, 0.01)
    last = torch.stack([output.logs["accuracy"] for output in outputs[-10:]]).mean()
    assert outputs[0].logs["accuracy"] < 0.4
    assert last > 0.6  # 0.1 by chance
    assert outputs[-1].loss < 0.5 * math.log(10)
