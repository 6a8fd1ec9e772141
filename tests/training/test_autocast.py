"""Mixed precision reaches towers alone, no wrong gradients, and no other format in silence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from rdfc_core.config.study import PretrainSettings
from rdfc_core.distributed.process_group import ProcessGroup
from rdfc_core.errors import StudyError
from rdfc_core.interfaces import Batch, Memory, Objective, Pretext, PretextOutput, Tower
from rdfc_core.pipeline import run as studies
from rdfc_core.pipeline.context import RunContext
from rdfc_core.pipeline.precision import encodes_volumes, refuse_unfit, settled
from rdfc_core.pipeline.run_folder import RunFolder
from rdfc_core.testing.partners import picture_view
from rdfc_core.training import bfloat16, device, pretrain
from rdfc_core.training.autocast import towers_in_half
from rdfc_core.training.metrics_log import PretrainPaths
from rdfc_core.training.state import Task
from tests.support import small_study
from tests.support.small_parts import GreyTower, GreyView, GreyViewConfig
from tests.support.small_study import QUICK

CPU = torch.device("cpu")


class CrossCorrelation(Objective):
    """What a third party would write, without a thought of precision."""

    uses_memory = False

    def forward(self, a: Tensor, b: Tensor, memory: Memory) -> tuple[Tensor, Mapping[str, Tensor]]:
        self.seen = a.dtype, (a.T @ b).dtype
        return (a.T @ b).square().sum(), {}


class ThirdParty(Pretext):
    """A task that writes down in which number format its parts compute."""

    def build(self, towers: Mapping[str, Tower], cases: int, generator: torch.Generator) -> None:
        self.towers = nn.ModuleDict(dict(towers))
        self.projection = nn.Linear(towers["greys"].out_features, 4)
        self.objective = CrossCorrelation()
        self.formats: set[tuple[str, torch.dtype]] = set()
        towers["greys"].register_forward_hook(self._inside, always_call=True)

    def _inside(self, tower: nn.Module, inputs: Any, output: Tensor) -> None:
        weight = torch.eye(2)
        self.formats.add(("tower gives", output.dtype))
        self.formats.add(("beside the tower", (weight @ weight).dtype))

    def _step(self, batch: Batch) -> tuple[Tensor, Tensor]:
        projected = self.projection(self.towers["greys"](batch.draw("greys")))
        self.formats.add(("projection", projected.dtype))
        memory = Memory(batch.indices, None, None, batch.generator)  # type: ignore[arg-type]
        call = self.objective.score if projected.requires_grad else self.objective
        loss, _ = call(projected, projected, memory)
        self.formats.add(("objective", self.objective.seen[1]))
        return loss, projected.detach()

    def forward(self, batch: Batch) -> PretextOutput:
        loss, rows = self._step(batch)
        return PretextOutput(loss, {}, {"greys": rows})

    def prime(self, batch: Batch) -> None:
        self._step(batch)

    def held_back_metrics(self, batch: Batch) -> Mapping[str, Tensor]:
        return {"loss": self._step(batch)[0]}

    def encoders(self) -> Mapping[str, Tower]:
        return {"greys": self.towers["greys"]}


class Asking(ThirdParty):
    mixed_precision = True


class Watched(GreyTower):
    """Writes down in which number format its layers compute."""

    formats: ClassVar[set[torch.dtype]] = set()

    def forward(self, batch: Tensor) -> Tensor:
        given = super().forward(batch)
        self.formats.add(nn.functional.linear(batch, torch.ones(1, batch.shape[1])).dtype)
        return given


def trained(tmp_path: Path, pretext: ThirdParty, precision: str) -> ThirdParty:
    torch.manual_seed(0)
    Watched.formats = set()
    pretext.build({"greys": Watched(16)}, 12, torch.Generator())
    data = torch.rand(12, 16, generator=torch.Generator().manual_seed(1))
    settings = PretrainSettings(epochs=1, batch_size=6, precision=precision)
    held_back = {"greys": data[:4]}
    task = Task(
        pretext, {"greys": GreyView(GreyViewConfig())}, {"greys": data}, settings, 0, held_back
    )
    pretrain.fit(task, PretrainPaths(tmp_path, "s"))
    return pretext


def test_towers_compute_in_half_precision_and_all_else_in_single(tmp_path: Path) -> None:
    pretext = trained(tmp_path, ThirdParty(), "bf16-mixed")
    assert Watched.formats == {torch.bfloat16}
    assert {dtype for _, dtype in pretext.formats} == {torch.float32}
    assert "forward" not in vars(pretext) | vars(pretext.towers["greys"])  # all is as before


def test_single_precision_is_left_alone(tmp_path: Path) -> None:
    trained(tmp_path, ThirdParty(), "32-true")
    assert Watched.formats == {torch.float32}


def test_a_task_that_asks_for_it_runs_in_half_precision_but_for_its_objective(
    tmp_path: Path,
) -> None:
    pretext = trained(tmp_path, Asking(), "bf16-mixed")
    assert ("projection", torch.bfloat16) in pretext.formats
    assert ("objective", torch.float32) in pretext.formats
    assert Watched.formats == {torch.bfloat16}


def test_a_product_over_the_batch_is_exact_under_autocast() -> None:
    a, b = torch.rand(2, 64, 32, generator=torch.Generator().manual_seed(0))
    a.requires_grad_()
    memory = Memory(torch.arange(64), None, None, torch.Generator())  # type: ignore[arg-type]
    with torch.autocast("cpu", torch.bfloat16):
        blurred, _ = CrossCorrelation()(a, b, memory)
        loss, _ = CrossCorrelation().score(a, b, memory)
    exact = (a.double().T @ b.double()).square().sum().item()
    assert loss.item() == pytest.approx(exact, rel=1e-6)
    assert blurred.item() != pytest.approx(exact, rel=1e-5)


class Volumes(Tower):
    out_features = 4

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv3d(16, 4, 3, padding=1)

    def forward(self, batch: Tensor) -> Tensor:
        return self.conv(batch).mean(dim=(2, 3, 4))


def gradient(towers: Volumes, maps: Tensor, precision: str) -> Tensor:
    towers.zero_grad()
    with towers_in_half(nn.Sequential(towers), [towers], precision, CPU, "pretrain.precision"):
        towers(maps).square().sum().backward()
    assert towers.conv.weight.grad is not None
    return towers.conv.weight.grad.clone()


def test_the_outcome_of_the_self_test_is_what_a_convolution_does_here() -> None:
    """By hand: the gradient in bfloat16 against the one in double precision."""
    torch.manual_seed(0)
    conv, maps = nn.Conv3d(16, 4, 3, padding=1), torch.randn(2, 16, 2, 4, 4)
    with torch.autocast("cpu", torch.bfloat16):
        conv(maps).float().square().mean().backward()
    rounded = conv.weight.grad.double()
    exact = nn.Conv3d(16, 4, 3, padding=1).double()
    exact.load_state_dict(conv.state_dict())
    exact(maps.double()).square().mean().backward()
    error = (exact.weight.grad - rounded).norm() / exact.weight.grad.norm()
    if error > 0.05:  # so it is with torch 2.15 on some processors
        assert not bfloat16.conv3d_is_right()
    if bfloat16.conv3d_is_right():
        assert error < 0.05


@pytest.mark.parametrize("right", [True, False])
def test_3d_convolutions_are_trained_in_bfloat16_only_where_gradients_are_right(
    monkeypatch: pytest.MonkeyPatch, right: bool
) -> None:
    monkeypatch.setattr(bfloat16, "_tried", lambda: right)
    tower, maps = Volumes(), torch.randn(2, 16, 2, 4, 4)
    gradient(tower, maps, "32-true")
    if right:
        gradient(tower, maps, "bf16-mixed")
        return
    with pytest.raises(StudyError, match=r"pretrain.precision is bf16-mixed, and torch .* 3D conv"):
        gradient(tower, maps, "bf16-mixed")


def test_the_outcome_is_kept_beside_the_store(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tries: list[bool] = []
    monkeypatch.setattr(bfloat16, "_tried", lambda: bool(tries.append(True)))
    assert not bfloat16.conv3d_is_right(tmp_path)
    assert not bfloat16.conv3d_is_right(tmp_path)
    assert len(tries) == 1
    ((machine, right),) = json.loads((tmp_path / "bfloat16.json").read_text()).items()
    assert right is False
    assert f"torch {torch.__version__}" in machine
    monkeypatch.setattr(torch, "__version__", "99.0")
    bfloat16.conv3d_is_right(tmp_path)
    assert len(tries) == 2  # another torch, another outcome
    (tmp_path / "bfloat16.json").write_text("damaged")
    bfloat16.conv3d_is_right(tmp_path)
    assert len(tries) == 3


def test_where_nothing_can_be_written_it_is_tried_each_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tries: list[bool] = []
    monkeypatch.setattr(bfloat16, "_tried", lambda: bool(tries.append(True)))
    file = tmp_path / "a file, not a folder"
    file.write_text("")
    for _ in range(2):
        bfloat16.conv3d_is_right(file)
    assert len(tries) == 2


@pytest.mark.parametrize("right", [True, False])
def test_auto_takes_bfloat16_for_volumes_only_where_it_is_right(
    monkeypatch: pytest.MonkeyPatch, pictures: Path, tmp_path: Path, right: bool
) -> None:
    monkeypatch.setattr(device, "fastest", lambda: "bf16-mixed")
    monkeypatch.setattr(bfloat16, "_tried", lambda: right)
    study = small_study.resolved(pictures, *QUICK, "pretrain.precision=auto")
    place = RunFolder(tmp_path / "run")
    chosen = settled(study, place, volumes=True, store=tmp_path).pretrain.precision
    assert chosen == ("bf16-mixed" if right else "32-true")
    assert settled(study, place).pretrain.precision == "bf16-mixed"


def test_bfloat16_for_volumes_is_refused_before_anything_is_extracted(
    monkeypatch: pytest.MonkeyPatch, pictures: Path
) -> None:
    monkeypatch.setattr(bfloat16, "_tried", lambda: False)
    study = small_study.resolved(pictures, *QUICK, "pretrain.precision=bf16-mixed")
    refuse_unfit(study, volumes=False, store=None)
    with pytest.raises(StudyError, match="wrong gradients of 3D convolutions"):
        refuse_unfit(study, volumes=True, store=None)


def test_encoders_of_volumes_are_known_by_their_axes(pictures: Path, registry: Any) -> None:
    study = small_study.resolved(pictures, *QUICK)
    views = {name: part.build(registry) for name, part in study.views.items()}
    assert not encodes_volumes(views)
    views["image"].encoder.spatial_dims = 3
    assert encodes_volumes(views)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU trains in 16-mixed")
@pytest.mark.parametrize(
    ("overrides", "key"),
    [
        (["pretrain.precision=16-mixed"], "pretrain.precision"),
        (
            ["evaluate.methods=[hybrid-scratch]", "evaluate.supervised.precision=16-mixed"],
            "evaluate.supervised.precision",
        ),
    ],
)
def test_16_mixed_is_refused_on_a_processor_before_anything_is_extracted(
    pictures: Path, run_context: RunContext, tmp_path: Path, overrides: list[str], key: str
) -> None:
    study = small_study.resolved(pictures, *QUICK, *overrides)
    with pytest.raises(StudyError, match=f"{key} is 16-mixed, .* this machine has none"):
        studies.run(study, tmp_path / "run", run_context)
    assert not (tmp_path / "run").exists()
    studies.run(study, tmp_path / "run", run_context, until="extract")  # nothing is trained there


def test_dividing_over_processes_leaves_a_tower_its_own_forward_pass() -> None:
    tower = GreyTower(16)
    with towers_in_half(nn.Sequential(tower), [tower], "bf16-mixed", CPU, "pretrain.precision"):
        half = tower.forward
        with ProcessGroup(size=2).dividing([tower], sync_batchnorm=True):
            assert tower.forward is not half
        assert tower.forward is half
    assert "forward" not in vars(tower)


def test_a_draw_is_in_single_precision_also_where_the_whole_task_is_not():
    pictures = torch.rand(4, 1, 64, 64, generator=torch.Generator().manual_seed(1))

    def drawn() -> torch.Tensor:
        generator = torch.Generator().manual_seed(0)
        views = {"image": picture_view()}
        return Batch(torch.arange(4), {"image": pictures}, views, generator).draw("image")

    plain = drawn()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = drawn()
    assert torch.equal(cast, plain)
    assert not torch.equal(plain, pictures)
