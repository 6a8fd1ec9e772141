"""What the distribution announces, as core finds and builds it."""

from pathlib import Path

import pytest
import torch
import yaml

from rdfc_core.config.load import load_study
from rdfc_core.config.resolve import resolve_part
from rdfc_core.errors import StudyError
from rdfc_core.plugin.component import Part
from rdfc_core.plugin.registry import installed
from rdfc_core.testing import check_plugin, check_pretext

NAMES = ("autoencoder", "jigsaw", "simclr")


def resolved(name, **options):
    return resolve_part("pretext", Part(name=name, options=options), installed(), "pretext")


def test_the_distribution_keeps_core_s_promises() -> None:
    check_plugin("rdfc-pretext-baselines")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("autoencoder", {}),
        ("autoencoder", {"masking": 0.0, "noise": 0.1, "width": 8, "view": "image"}),
        ("jigsaw", {}),
        ("jigsaw", {"permutations": 20, "gap": 0.0, "tile_size": [32, 32]}),
        ("simclr", {}),
        ("simclr", {"temperature": 0.5, "width": 16, "hidden": 24}),
    ],
    ids=str,
)
def test_the_tasks_keep_the_promises_of_their_kind(name, options) -> None:
    check_pretext(resolved(name, **options).build(installed()))


@pytest.mark.parametrize("name", NAMES)
def test_a_dumped_task_resolves_to_itself(name) -> None:
    dump = resolved(name).dump()
    assert dump["name"] == name
    assert resolved(**dump).dump() == dump


def test_a_misspelt_option_is_named_with_its_path() -> None:
    with pytest.raises(StudyError, match=r"pretext.permutation: .*'permutations'"):
        resolved("jigsaw", permutation=30)


def test_the_readme_s_study_is_one() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    study = load_study(yaml.safe_load(readme.split("```yaml\n")[1].split("```")[0]))
    assert resolved(study.pretext.name, **study.pretext.options).dump()["temperature"] == 0.1


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_names_every_option_with_its_default(name) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    section = readme.split(f"## `{name}`")[1].split("\n## ")[0]
    for option, default in resolved(name).dump().items():
        if option not in ("name", "view"):
            shown = "null" if default is None else default
            assert f"| `{option}` | {shown} |" in section


@pytest.mark.parametrize("name", NAMES)
def test_every_part_of_a_step_is_batched(name, task_of, batch, pictures_of) -> None:
    """One call of the encoder a step, however many cases, draws and tiles there are."""
    task = task_of(name, 1, 24, 24)
    task.tower.seen.clear()
    task(batch(pictures_of(6, 1, 24, 24)))
    rows = {"autoencoder": 6, "jigsaw": 54, "simclr": 12}[name]
    assert [shape[0] for shape in task.tower.seen] == [rows]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(1, 64, 64), (10, 64, 64), (3, 49, 40), (1, 20, 35)], ids=str)
def test_any_number_of_channels_and_any_size_will_do(
    name, shape, task_of, batch, pictures_of
) -> None:
    task = task_of(name, *shape)
    output = task(batch(pictures_of(4, *shape)))
    output.loss.backward()
    assert output.embeddings["image"].shape[0] == 4
    assert all(torch.isfinite(p.grad).all() for p in task.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_reaches_every_weight_of_encoder_and_head(
    name, task_of, batch, pictures_of
) -> None:
    task = task_of(name, 1, 24, 24)
    task(batch(pictures_of(6, 1, 24, 24))).loss.backward()
    still = [key for key, p in task.named_parameters() if p.grad is None or not p.grad.any()]
    assert still == []
    assert any(key.startswith("tower.") for key, _ in task.named_parameters())
    assert any(not key.startswith("tower.") for key, _ in task.named_parameters())


@pytest.mark.parametrize("name", NAMES)
def test_the_generator_alone_decides_a_step(name, task_of, batch, pictures_of) -> None:
    task, pictures = task_of(name, 1, 24, 24), pictures_of(6, 1, 24, 24)
    losses = []
    for torch_seed, seed in ((1, 0), (2, 0), (1, 3)):
        torch.manual_seed(torch_seed)
        before = torch.get_rng_state()
        losses.append(task(batch(pictures, seed)).loss.item())
        assert torch.equal(torch.get_rng_state(), before)  # torch's own is not touched
    assert losses[0] == losses[1] != losses[2]


@pytest.mark.parametrize("name", ["autoencoder", "jigsaw"])
def test_what_is_drawn_on_the_cpu_follows_the_pictures_to_their_device(
    name, task_of, batch, pictures_of
) -> None:
    """On torch's device without numbers, which refuses tensors of the CPU like any other."""
    pictures = pictures_of(6, 1, 24, 24).to("meta")
    output = task_of(name, 1, 24, 24).to("meta")(batch(pictures))
    assert output.loss.device.type == "meta"
    assert {value.device.type for value in output.logs.values()} == {"meta"}


@pytest.mark.parametrize("name", NAMES)
def test_a_task_from_a_saved_state_goes_on_bit_for_bit(
    name, task_of, batch, pictures_of, train
) -> None:
    pictures = pictures_of(6, 1, 24, 24)
    first, second = task_of(name, 1, 24, 24), task_of(name, 1, 24, 24)
    train(first, pictures, 3)
    second.load_state_dict(first.state_dict())
    losses = [[output.loss for output in train(task, pictures, 2)] for task in (first, second)]
    assert torch.equal(torch.stack(losses[0]), torch.stack(losses[1]))
    assert losses[0][0] != losses[0][1]


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_gives_the_loss_of_full_precision_but_for_rounding(
    name, task_of, batch, pictures_of
) -> None:
    task, pictures = task_of(name, 1, 24, 24), pictures_of(6, 1, 24, 24)
    full = task(batch(pictures)).loss
    with torch.autocast("cpu", torch.bfloat16):
        half = task(batch(pictures)).loss
    assert half.dtype == torch.float32
    assert half.item() == pytest.approx(full.item(), rel=0.03)
