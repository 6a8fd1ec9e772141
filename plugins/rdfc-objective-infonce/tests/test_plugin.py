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
from rdfc_core.testing import check_memory_store, check_objective, check_plugin, check_pretext
from rdfc_objective_infonce.bank import MemoryBank
from rdfc_objective_infonce.config import InfoNCEConfig, MemoryBankConfig
from rdfc_objective_infonce.correspondence import Correspondence
from rdfc_objective_infonce.infonce import InfoNCE
from rdfc_objective_infonce.sharded_bank import ShardedBank


def resolved(**options):
    return resolve_part(
        "pretext", Part(name="correspondence", options=options), installed(), "pretext"
    )


def test_core_finds_all_components() -> None:
    for kind, name in (
        ("objective", "infonce"),
        ("memory_store", "bank"),
        ("memory_store", "sharded-bank"),
        ("pretext", "correspondence"),
    ):
        component = installed().get(kind, name)
        assert component.load_config().model_config["frozen"]
        assert component.load()


def test_options_left_out_are_filled_in_with_objective_and_memory() -> None:
    dump = resolved().dump()
    assert dump["objective"]["variant"] == "stale-positive"
    bank = {"name": "bank", "momentum": 0.5, "update": "epoch", "dtype": "float32"}
    assert dump["memory"] == bank
    assert dump["pairing"] == "true"


def test_a_dumped_task_resolves_to_itself() -> None:
    dump = resolved(
        terms=[["radiomics", "image"], ["image", "image"]],
        weights=[1.0, 0.5],
        objective={"name": "infonce", "variant": "in-batch"},
        pairing=True,
    ).dump()
    name = dump.pop("name")
    assert resolved(**dump).dump() == {"name": name, **dump}


def test_core_builds_the_task_with_its_parts(problem) -> None:
    scene = problem(20, ["radiomics", "image"])
    pretext = resolved(width=8, objective="infonce:negatives=5").build(installed())
    assert isinstance(pretext, Correspondence)
    pretext.build(scene.towers(), 20, torch.Generator())
    output = pretext(scene.batch(torch.arange(6)))
    assert output.embeddings["image"].shape == (6, 8)


def test_a_misspelt_option_is_named_with_its_path() -> None:
    with pytest.raises(StudyError, match=r"pretext.objective.temperatur: .*'temperature'"):
        resolved(objective={"name": "infonce", "temperatur": 0.1})


@pytest.mark.parametrize("preset", ["default", "paper"])
def test_the_presets_name_options_that_exist(preset) -> None:
    study = load_study({"preset": preset, "dataset": "manifest"})
    dump = resolve_part("pretext", study.pretext, installed(), "pretext").dump()
    objective = {key: dump["objective"][key] for key in ("variant", "negatives", "temperature")}
    assert objective == {"variant": "stale-positive", "negatives": 2048, "temperature": 0.07}
    memory = {key: dump["memory"][key] for key in ("momentum", "update")}
    now, paper = {"momentum": 0.0, "update": "epoch"}, {"momentum": 0.5, "update": "step"}
    assert memory == (paper if preset == "paper" else now)
    assert dump["width"] == 128


def test_the_readme_s_study_is_one() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    written = yaml.safe_load(readme.split("```yaml\n")[1].split("```")[0])
    study = load_study(written)
    dump = resolve_part("pretext", study.pretext, installed(), "pretext").dump()
    assert dump["terms"] == [["radiomics", "image"], ["image", "image"]]


def test_the_distribution_keeps_core_s_promises() -> None:
    check_plugin("rdfc-objective-infonce")


@pytest.mark.parametrize("bank", [MemoryBank, ShardedBank])
@pytest.mark.parametrize(
    "options", [{}, {"momentum": 0.0}, {"dtype": "bfloat16"}, {"update": "step"}], ids=str
)
def test_the_bank_keeps_the_promises_of_its_kind(bank, options) -> None:
    check_memory_store(bank(MemoryBankConfig(**options)))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"positive_in_denominator": False},
        {"estimator": "nce"},
        {"negatives_per": "batch", "negatives": 20},
        {"negatives_per": "batch", "negatives": 20, "estimator": "nce"},
        {"variant": "fresh-positive"},
        {"variant": "full-bank"},
        {"variant": "in-batch"},
    ],
    ids=str,
)
def test_the_objective_keeps_the_promises_of_its_kind(options) -> None:
    check_objective(InfoNCE(InfoNCEConfig(**{"negatives": 32, **options})))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"objective": "infonce:estimator=nce"},
        {"objective": "infonce:variant=in-batch", "pairing": "reshuffled"},
        {"pairing": "fixed-shuffle"},
        {"terms": [["radiomics", "image"], ["image", "image"]], "weights": [1, 0.5]},
    ],
    ids=str,
)
def test_the_task_keeps_the_promises_of_its_kind(options) -> None:
    check_pretext(resolved(**options).build(installed()))
