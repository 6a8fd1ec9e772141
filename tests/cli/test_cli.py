"""The command line: what it writes where, on stdout, on stderr and on disk."""

from __future__ import annotations

import functools
import io
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from rich.console import Console

import rdfc_core
from tests.support import jobs, small_parts
from tests.support.command import HERE, Done


def test_version_help_and_no_arguments(rdfc_here):
    assert rdfc_here("--version") == Done(0, f"rdfc {rdfc_core.__version__}\n", "")
    shown = rdfc_here("--help")
    assert shown.code == 0
    for name in ("run", "extract", "pretrain", "evaluate", "predict", "embed", "plugins", "doctor"):
        assert re.search(rf"\b{name}\b", shown.out)
    nothing = rdfc_here()
    assert nothing.code == 2
    assert "Usage: rdfc" in nothing.out + nothing.err


def test_run_writes_its_folder_tables_on_stdout_and_progress_on_stderr(
    rdfc_here, study_file, tmp_path
):
    done = rdfc_here("run", study_file, *HERE)
    assert done.code == 0, done.err
    run = tmp_path / "here" / "runs" / "small"
    assert (run / "results.json").exists()
    assert (run / "report.html").exists()
    assert "rdfc" in done.out
    assert "random-init" in done.out
    tested = {row["n_cases"] for row in json.loads((run / "results.json").read_text())["rows"]}
    assert len(tested) == 1
    assert f"Linear evaluation of the learnt features, on {tested.pop()} test cases" in done.out
    assert "Extracting features: 36/36" in done.err
    assert "Pretraining: 1/1" in done.err
    assert str(run / "report.html") in done.err
    assert (tmp_path / "cache" / "rdfc" / "store.sqlite").exists()
    assert {p.name for p in (tmp_path / "here").iterdir()} == {"runs"}
    again = rdfc_here("run", study_file, *HERE)
    assert again.code == 0
    assert "finished already" in again.err
    assert again.out == done.out


def test_run_prints_results_as_json_and_nothing_else(rdfc_here, study_file, tmp_path):
    done = rdfc_here("run", study_file, "--json", "--out", tmp_path / "run", *HERE)
    assert done.code == 0
    assert json.loads(done.out) == json.loads(
        (tmp_path / "run" / "results.json").read_text("utf-8")
    )


def test_a_study_is_composed_on_the_command_line(rdfc_here, pictures, tmp_path):
    done = rdfc_here(
        *("run", "--dataset", f"manifest:root={pictures}", "--features", "outline"),
        *("--encoder", "small-cnn:width=4", "--objective", "infonce:negatives=16"),
        *("--set", "pretrain.epochs=0", "--set", "views.image.size=[16,16]"),
        *("--set", "evaluate.supervised.epochs=1", "--set", "evaluate.supervised.min_steps=0"),
        *("--set", "evaluate.bootstrap=100", "--seed", 7, "--out", "run", *HERE),
    )
    assert done.code == 0, done.err
    resolved = yaml.safe_load((tmp_path / "here/run/study.yaml").read_text(encoding="utf-8"))
    assert resolved["seed"] == 7
    assert resolved["views"]["image"]["encoder"] == {"name": "small-cnn", "width": 4}
    assert resolved["views"]["image"]["size"] == [16, 16]
    assert resolved["views"]["radiomics"]["extractor"]["name"] == "outline"
    assert resolved["pretext"]["objective"]["negatives"] == 16


def test_the_steps_can_be_run_one_by_one(rdfc_here, study_file, tmp_path):
    for step in ("extract", "pretrain", "evaluate"):
        done = rdfc_here(step, study_file, "--out", "run", *HERE)
        assert done.code == 0, done.err
        assert (tmp_path / "here/run/model").exists() == (step != "extract")
    assert (tmp_path / "here/run/report.html").exists()


def test_a_run_is_repeated_from_its_resolved_study(rdfc_here, finished, tmp_path):
    done = rdfc_here("run", finished / "study.yaml", "--out", "run", "--json", *HERE)
    assert done.code == 0, done.err
    first = json.loads((finished / "results.json").read_text(encoding="utf-8"))
    assert json.loads(done.out)["rows"] == first["rows"]


def test_progress_is_drawn_on_a_terminal_with_rate_and_note(monkeypatch):
    from rdfc_core.cli import console

    drawn = io.StringIO()
    terminal = Console(file=drawn, force_terminal=True, width=100)
    monkeypatch.setattr(console, "err", terminal)
    with console.DrawnProgress().task("Pretraining", 3) as advance:
        for _ in range(3):
            advance(1, note="loss 1.234")
    text = drawn.getvalue()
    assert "Pretraining" in text
    assert "3/3" in text
    assert "loss 1.234" in text


def test_plugins_are_listed_with_where_they_come_from(rdfc_here):
    listed = rdfc_here("plugins", "list")
    assert listed.code == 0
    line = next(line for line in listed.out.splitlines() if "outline" in line)
    assert "feature_extractor" in line
    assert "rdfc-small-parts" in line
    assert rdfc_here("plugins").out == listed.out
    found = json.loads(rdfc_here("plugins", "list", "--json").out)
    assert {"kind", "name", "summary", "distribution", "unavailable"} == set(found["components"][0])
    assert ("view", "greys") in [(one["kind"], one["name"]) for one in found["components"]]


def test_a_component_is_shown_with_its_options(rdfc_here):
    shown = rdfc_here("plugins", "show", "outline")
    assert shown.code == 0
    assert "feature extractor 'outline', from rdfc-small-parts 0.1.0" in shown.out
    assert (
        "  percentile: number, > 0, < 50 (default: 10.0)\n      Lower percentile.\n"
        "  needs_contrast: true or false (default: false)\n"
    ) in shown.out
    schema = json.loads(rdfc_here("plugins", "show", "outline", "--json").out)
    assert schema["properties"]["percentile"]["exclusiveMaximum"] == 50


def test_every_component_can_be_shown(rdfc_here, registry):
    for name in {component.name for component, _ in registry.components()}:
        assert rdfc_here("plugins", "show", name).code == 0


def test_a_new_plugin_is_written_and_not_over_another(rdfc_here):
    done = rdfc_here("plugins", "new", "feature_extractor", "texture")
    assert done.code == 0, done.err
    folder = Path(done.out.splitlines()[0])
    assert (folder / "pyproject.toml").exists()
    assert "pip install" in done.out
    again = rdfc_here("plugins", "new", "feature_extractor", "texture")
    again.refused(str(folder.name))


def test_doctor_names_versions_plugins_and_traps(rdfc_here, tmp_path):
    done = rdfc_here("doctor", "--store", tmp_path / "s.sqlite", "--json")
    assert done.code == 0
    found = json.loads(done.out)
    assert set(found) == {"Versions", "Devices", "Plugins", "Store", "Traps"}
    assert any(line.startswith("torch ") for line in found["Versions"])
    assert any("outline" in line and "ready" in line for line in found["Plugins"])
    shown = rdfc_here("doctor", "--store", tmp_path / "s.sqlite")
    assert shown.code == 0
    assert "Versions" in shown.out
    (tmp_path / "bad.sqlite").write_bytes(b"no database" * 500)
    trapped = rdfc_here("doctor", "--store", tmp_path / "bad.sqlite", "--json")
    assert any("bad.sqlite cannot be used" in line for line in json.loads(trapped.out)["Traps"])


def test_doctor_finds_a_torchvision_that_does_not_fit(rdfc_here, tmp_path, monkeypatch):
    (tmp_path / "site" / "torchvision").mkdir(parents=True)
    (tmp_path / "site" / "torchvision" / "__init__.py").touch()
    (tmp_path / "site" / "torchvision" / "_C.so").write_bytes(b"of another torch")
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    done = rdfc_here("doctor", "--store", tmp_path / "s.sqlite", "--json")
    [trap] = json.loads(done.out)["Traps"]
    assert trap.startswith("torchvision does not work beside this torch (")
    assert trap.endswith("pip install torch torchvision.")


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_pretraining_saves_the_last_epoch_and_the_same_command_resumes(
    rdfc, outside, rdfc_here, study_file, tmp_path, sent, code
):
    epochs = 12
    args = [
        *("run", str(study_file), "--out", str(tmp_path / "run"), *HERE),
        *("--store", str(tmp_path / "store.sqlite"), "--set", f"pretrain.epochs={epochs}"),
        *("--set", "pretrain.checkpoint_every=1000"),
    ]
    process = subprocess.Popen(
        [rdfc, *args],
        env={**outside, small_parts.HELD_AFTER: "8"},  # the signal comes while it trains
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that runs the tests in the background has them, and their children, ignore it.
        preexec_fn=functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    jobs.wait_for_lines(tmp_path / "run" / "metrics.jsonl", 3)
    process.send_signal(sent)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in err
    last = err.strip().splitlines()[-1]
    assert last == "Interrupted. What is finished is kept: the same command goes on from there."
    assert out == ""
    before = len((tmp_path / "run" / "metrics.jsonl").read_text(encoding="utf-8").splitlines())
    assert 3 <= before < epochs
    done = rdfc_here(*args)
    assert done.code == 0, done.err
    [resumed] = re.findall(r"Continuing after epoch (\d+)", done.err)
    assert before - 1 <= int(resumed) <= before  # the epoch's line is written before its state
    after = (tmp_path / "run" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["epoch"] for line in after] == list(range(1, epochs + 1))


def test_a_job_array_extracts_in_parts_and_the_run_finds_everything_done(
    rdfc_here, study_file, tmp_path
):
    for part in ("1/3", "2/3", "3/3"):
        place = f"part-{part[0]}.sqlite"
        done = rdfc_here("extract", study_file, "--shard", part, "--store", place, *HERE)
        assert done.code == 0
        assert f"Part {part}: 12 cases are in {place}, 12 of them new." in done.err
    again = rdfc_here("extract", study_file, "--shard", "2/3", "--store", "part-2.sqlite")
    assert "12 cases are in part-2.sqlite, 0 of them new" in again.err
    parts = [f"part-{number}.sqlite" for number in (1, 2, 3)]
    merged = rdfc_here("store", "merge", *parts, "--store", "whole.sqlite")
    assert merged.code == 0
    assert "whole.sqlite holds 216 results." in merged.out  # 36 cases: 3 views, size, picture, look
    whole = rdfc_here("extract", study_file, "--store", "whole.sqlite", "--out", "run")
    assert whole.code == 0
    assert "Extracting features: 3/36" not in whole.err  # nothing was left to do
    assert not (tmp_path / "here" / "runs").exists()


def test_methods_shares_of_labels_and_differences_are_tables_on_stdout(rdfc_here, study_file):
    settings = ("methods=[hybrid-scratch,hybrid-finetune]", "label_fractions=[0.5]", "controls=[]")
    settings += ("supervised.epochs=1", "label_seeds=1", "classifiers=[logistic]")
    settings += ("selection={enabled: true, folds: 2}",)
    sets = [word for one in settings for word in ("--set", f"evaluate.{one}")]
    done = rdfc_here("run", study_file, *sets, *HERE)
    assert done.code == 0, done.err
    titles = ("Linear evaluation of", "Training with labels", "With a share of the labels")
    assert all(title in done.out for title in titles)
    assert re.search(r"50% +│ hybrid-finetune +│ paper features", done.out)
    assert "Training with labels: differences" in done.out
    assert re.search(r"hybrid-scratch +│ hybrid-finetune +│ [+-]0\.\d{3} \[", done.out)
    assert "Training hybrid-finetune.paper.labels-0.5.seed-0 (holdout)" in done.err
