"""A run that an older rdfc began is taken up: its study keeps its meaning."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rdfc_core import StudyError
from rdfc_core.config.load import load_study
from rdfc_core.config.renamed import RENAMED
from rdfc_core.config.resolve import resolve
from rdfc_core.pipeline.finished import finished_run
from rdfc_core.pipeline.run_folder import RunFolder
from rdfc_core.pipeline.run_inputs import changes
from rdfc_core.results.schema import Results
from rdfc_core.utils.progress import Progress

OLDER = Path(__file__).with_name("older_study.yaml")
NEW_NAMES = {path.rpartition(".")[2]: new for path, new in RENAMED.items()}
CAME_LATER = {
    "evaluate.compared": "probe",
    "evaluate.selection.enabled": False,
    "evaluate.starts": {},
    "pretext.memory.update": "step",
    "pretext.objective.false_negatives": 0.0,
    "pretext.objective.hardness": 0.0,
}
"""Options of today that the study of then lacks → what the rdfc of then did."""


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{NEW_NAMES.get(key, key)}".lstrip("."))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from leaves(inner, f"{path}.{place}")
    else:
        yield path, value


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run folder of then, which has begun to train."""
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    for name in (".lock", "checkpoints/holdout"):
        (tmp_path / "run" / name).touch()
    shutil.copy(OLDER, tmp_path / "run" / "study.yaml")
    return tmp_path / "run"


def test_every_option_of_then_keeps_its_value_and_what_came_later_does_what_was_done(registry):
    recorded = yaml.safe_load(OLDER.read_text(encoding="utf-8"))
    then = dict(leaves({k: v for k, v in recorded.items() if k not in ("versions", "inputs")}))
    now = dict(leaves(resolve(load_study(OLDER), registry).dump()))
    assert len(then) > 100
    assert {path: now.get(path, "gone") for path in then} == then
    assert not set(CAME_LATER) & set(then)
    assert {path: now[path] for path in CAME_LATER} == CAME_LATER


def test_the_study_in_the_folder_is_that_of_the_run(run, registry):
    place = RunFolder(run)
    for study in (load_study(run / "study.yaml"), place.load_study()):
        assert changes(resolve(study, registry), place.filled_in(registry), None, {}) == []
    other = resolve(load_study(run / "study.yaml", ["pretext.memory.update=epoch"]), registry)
    assert changes(other, place.filled_in(registry), None, {}) == ["pretext.memory.update"]


def test_defaults_of_today_make_another_study_and_the_refusal_says_how_to_go_on(run, registry):
    short = {
        "dataset": "manifest:root=/data/tumours",
        "views": {
            "radiomics": {"extractor": "native:parameters=ultrasound", "width": 16},
            "image": {"encoder": "timm:model=resnet10_half", "size": [32, 32]},
        },
    }
    study = resolve(load_study(short), registry)
    with (
        pytest.raises(
            StudyError, match=r"of another study .*To go on .*: rdfc run .* --out "
        ) as refusal,
        RunFolder(run).claimed(study, registry, overwrite=False),
    ):
        pass
    words = str(refusal.value).rstrip(".").split()
    assert words[-3:] == [str(run / "study.yaml"), "--out", str(run)]
    own = resolve(load_study(words[-3]), registry)
    with RunFolder(run).claimed(own, registry, overwrite=False):
        pass


def test_a_study_of_a_component_that_is_gone_is_another_study(run, registry):
    text = (run / "study.yaml").read_text(encoding="utf-8")
    study = resolve(load_study(run / "study.yaml"), registry)
    (run / "study.yaml").write_text(text.replace("name: bank", "name: gone"), encoding="utf-8")
    found = changes(study, RunFolder(run).filled_in(registry), None, {})
    assert "pretext.memory.name" in found


def test_a_finished_run_that_lacks_todays_options_is_finished(finished, registry, tmp_path):
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    recorded = yaml.safe_load((run / "study.yaml").read_text(encoding="utf-8"))
    for path in CAME_LATER:
        *keys, last = path.split(".")
        parent = recorded
        for key in keys:
            parent = parent[key]
        del parent[last]
    recorded["pretrain"]["cases_in"] = recorded["pretrain"].pop("data_placement")
    (run / "study.yaml").write_text(yaml.safe_dump(recorded), encoding="utf-8")
    study = resolve(load_study(run / "study.yaml"), registry)
    assert study.pretext.dump()["memory"]["update"] == "step"
    found = finished_run(study, run, registry, Progress(), "evaluate")
    assert found == Results.read(run / "results.json")
    shutil.copytree(finished, tmp_path / "own")  # whose bank is updated as the epoch ends
    assert finished_run(study, tmp_path / "own", registry, Progress(), "evaluate") is None
