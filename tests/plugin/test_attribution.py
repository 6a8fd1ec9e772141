"""A fault in a plugin's code is told as its own: by component, distribution and place."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rdfc_core import PluginError
from rdfc_core.interfaces import WorkerDiedError
from rdfc_core.plugin import registry
from rdfc_core.plugin.attribution import (
    UnexpectedError,
    bundled,
    explain,
    origin,
    third_party,
)
from tests.support.command import HERE, Done

ANNOUNCES = """
from rdfc_core import Component, hookimpl

rdfc_interface = 1


@hookimpl
def rdfc_components():
    here = "faulty_parts"
    return [
        Component("image_encoder", "clumsy", "Fails to build", f"{here}:Clumsy"),
        Component("image_encoder", "fragile", "Fails in training", f"{here}:Fragile"),
        Component("feature_extractor", "hasty", "Fails to measure", f"{here}:Hasty"),
        Component("objective", "lossless", "Gives no loss", f"{here}:Lossless"),
        Component("objective", "boundless", "Has no bound", f"{here}:Boundless"),
        Component("objective", "greedy", "Wants too much", f"{here}:Greedy"),
        Component("feature_extractor", "short", "Gives too few", f"{here}:Short"),
        Component("feature_extractor", "bare", "Gives an array", f"{here}:Bare"),
        Component("feature_extractor", "vague", "Has no JSON recipe", f"{here}:Vague"),
        Component("feature_extractor", "clinging", "Holds a lambda", f"{here}:Clinging"),
        Component("feature_extractor", "named", "Option name", f"{here}:Bare", f"{here}:Named"),
        Component("objective", "distant", "In a namespace", "company.faulty.objective:Distant"),
        Component("memory_store", "lost", "Is not there", f"{here}:Lost"),
        Component("memory_store", "poor", "Wants a library", "faulty_needs:Poor"),
    ]
"""

PARTS = """
import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import nn

from rdfc_core.interfaces import FeatureExtractor, Features, ImageEncoder, Objective


class Plain:
    def __init__(self, config):
        super().__init__()


class Clumsy(Plain, ImageEncoder):
    def build(self, channels):
        return nn.Linear("many", 2)


class Breaks(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, 8)

    def forward(self, batch):
        if self.training:
            raise IndexError("no such layer")
        return self.layer(batch.mean((2, 3)))


class Fragile(Plain, ImageEncoder):
    def build(self, channels):
        return Breaks()


class Hasty(Plain, FeatureExtractor):
    def names(self, ndim):
        return ("area",)

    def recipe(self):
        return {"name": "hasty"}

    def extract(self, tumour):
        return {}["area"]


class Named(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = "a"


class Bare(Hasty):
    def extract(self, tumour):
        return np.ones(1)


class Short(Hasty):
    def extract(self, tumour):
        return Features(np.ones(3))


class Vague(Hasty):
    def recipe(self):
        return {"version": np.int64(1)}


class Clinging(Hasty):
    def __init__(self, config):
        self.scale = lambda value: value


class Lossless(Plain, Objective):
    uses_memory = False

    def forward(self, a, b, memory):
        return (a - b).square().sum(1), {}


class Boundless(Plain, Objective):
    uses_memory = False

    def forward(self, a, b, memory):
        return (a - b).square().sum() * torch.inf, {}


class Greedy(Plain, Objective):
    uses_memory = False

    def forward(self, a, b, memory):
        raise torch.OutOfMemoryError("tried to allocate 80 GiB")
"""


@pytest.fixture(scope="module", autouse=True)
def faulty(tmp_path_factory: pytest.TempPathFactory, distribution: Callable[..., None]) -> None:
    """A distribution whose components all fail, installed for these tests."""
    site = tmp_path_factory.mktemp("faulty")
    (site / "faulty_plugin.py").write_text(ANNOUNCES, encoding="utf-8")
    (site / "faulty_parts.py").write_text(PARTS, encoding="utf-8")
    (site / "faulty_needs.py").write_text("import no_such_library\n", encoding="utf-8")
    distribution(site, "rdfc-faulty", "faulty = faulty_plugin", version="0.3")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(site)
        registry.installed.cache_clear()
        yield
    registry.installed.cache_clear()
    sys.modules.pop("faulty_parts", None)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["encoder=clumsy"], ["image encoder 'clumsy'", "TypeError", "check_image_encoder"]),
        (["encoder=fragile"], ["IndexError: no such layer", "its checks"]),
    ],
    ids=["build", "forward"],
)
def test_a_network_that_fails_is_its_plugin_s_fault(
    rdfc_here: Callable[..., Done], study_file: Path, overrides: list[str], said: list[str]
) -> None:
    done = rdfc_here("run", study_file, *[f"--set={one}" for one in overrides], *HERE)
    assert done.code == 1
    assert "This is a fault of the plugin rdfc-faulty 0.3" in done.err
    assert "faulty_parts, line" in done.err
    assert "fault of rdfc:" not in done.err
    for words in said:
        assert words in done.err


def test_a_case_that_a_plugin_fails_on_names_the_plugin_also_from_a_worker(
    rdfc_here: Callable[..., Done], study_file: Path
) -> None:
    for executor in ("local:workers=0", "local:workers=1"):
        done = rdfc_here(
            "extract", study_file, "--set=features=hasty", "--executor", executor, "--overwrite"
        )
        assert done.code == 1
        last = done.err.splitlines()[-1]
        assert last.startswith(
            "None of the 36 cases could be used. 36 cases (case-000, case-001, case-002, …): This "
            "is a fault of the plugin rdfc-faulty 0.3, which offers the feature extractor 'hasty'"
        )
        assert last.count("KeyError") == 1
        assert "datasets check" not in last  # the files are not at fault
        assert "KeyError: 'area'" in done.err


def test_an_objective_that_gives_no_loss_is_told_what_a_loss_is(
    rdfc_here: Callable[..., Done], study_file: Path
) -> None:
    done = rdfc_here("run", study_file, "--set=objective=lossless", *HERE)
    assert done.code == 2
    assert "The objective 'lossless' of rdfc-faulty 0.3 breaks its contract" in done.err
    assert "The objective Lossless gave the loss a tensor (" in done.err
    assert "give one finite scalar" in done.err
    assert "check_objective" in done.err


def test_a_loss_without_bound_sends_to_the_check_of_a_third_party_s_objective(
    rdfc_here: Callable[..., Done], study_file: Path
) -> None:
    done = rdfc_here("run", study_file, "--set=objective=boundless", *HERE)
    assert done.code == 2
    last = done.err.splitlines()[-1]
    assert last.startswith("The loss became nan in epoch 1.")
    assert "objective 'boundless' of rdfc-faulty 0.3" in last
    assert "rdfc_core.testing.check_objective" in last
    assert "check_pretext" not in last  # correspondence is rdfc's own


def test_the_plugins_that_rdfc_brings_along_are_its_own() -> None:
    folders = {file.name for file in (Path(__file__).parents[2] / "plugins").iterdir()}
    assert bundled() == {"rdfc-core", *folders}


@pytest.mark.parametrize(
    ("features", "executor", "said"),
    [
        (
            "bare",
            "local:workers=0",
            "The feature extractor 'bare' of rdfc-faulty 0.3 breaks its contract: Bare.extract() "
            "gave ndarray and has to give Features.",
        ),
        (
            "short",
            "local:workers=1",
            "The feature extractor 'short' of rdfc-faulty 0.3 breaks its contract: Short.extract() "
            "gave float64 values of shape (3,) for 1 names; give float64, (1,). Its author finds "
            "it with rdfc_core.testing.check_feature_extractor.",
        ),
        ("vague", "local:workers=0", "is no JSON (Object of type int64"),
        ("clinging", "local:workers=1", "cannot be sent to worker processes: "),
        ("named", "local:workers=0", "has an option called 'name', which a study cannot hold"),
    ],
)
def test_an_extractor_that_breaks_a_promise_is_told_which(
    rdfc_here: Callable[..., Done], study_file: Path, features: str, executor: str, said: str
) -> None:
    done = rdfc_here("extract", study_file, f"--set=features={features}", "--executor", executor)
    assert done.code == 2
    assert said in done.err
    assert "fault of rdfc" not in done.err


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("lost", "Write package.module:Class in its Component."),
        ("poor", "Install no_such_library, or announce it by requires="),
    ],
)
def test_a_component_that_does_not_load_says_what_its_author_has_to_do(
    name: str, remedy: str
) -> None:
    with pytest.raises(PluginError, match=remedy):
        registry.installed().get("memory_store", name).load()


def test_too_little_memory_is_nobody_s_fault(
    rdfc_here: Callable[..., Done], study_file: Path
) -> None:
    done = rdfc_here("run", study_file, "--set=objective=greedy", *HERE)
    assert "Out of memory (OutOfMemoryError: tried to allocate 80 GiB)" in done.err
    assert "pretrain.batch_size" in done.err
    assert "fault" not in done.err


@pytest.mark.parametrize(
    ("module", "whose"),
    [
        ("rdfc_core.pipeline.run", "rdfc: ZeroDivisionError"),
        ("company.statistics", "rdfc: ZeroDivisionError"),  # beside a plugin in its namespace
        ("company.faulty_too", "rdfc: ZeroDivisionError"),
        ("company.faulty.helpers", "the plugin rdfc-faulty 0.3, which offers the objective"),
        ("faulty_parts", "the plugin rdfc-faulty 0.3"),
    ],
)
def test_an_error_is_the_fault_of_the_package_in_which_it_happens(module: str, whose: str) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        exec("1 / 0", {"__name__": module})
    assert explain(caught.value).startswith(f"This is a fault of {whose}")


def test_a_class_that_derives_from_a_component_s_is_called_after_it() -> None:
    import faulty_parts

    class Elsewhere(faulty_parts.Boundless):
        """Defined in no plugin's module."""

    assert origin(Elsewhere(None)) == "objective 'boundless' of rdfc-faulty 0.3"
    told = third_party([Elsewhere(None)])
    assert told == {"objective 'boundless' of rdfc-faulty 0.3": "check_objective"}


def test_what_others_derive_from_rdfc_s_own_is_not_its_fault() -> None:
    from rdfc_objective_infonce.infonce import InfoNCE

    class Mine(InfoNCE):
        """Defined in no plugin's module."""

        def __init__(self) -> None:
            pass

    assert origin(Mine.__new__(Mine)) == "component Mine"
    assert third_party([Mine.__new__(Mine)]) == {}


def test_what_was_explained_before_is_told_as_it_is() -> None:
    for error in (UnexpectedError("said already"), WorkerDiedError("said already")):
        assert explain(error) == "said already"
