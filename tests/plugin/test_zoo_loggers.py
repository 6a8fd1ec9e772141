"""Loggers, sound and broken: each is blamed by name, and none ends a training."""

from __future__ import annotations

import json

import pytest
import yaml

HERE = "--executor=local:workers=0"

NOTES = """
import json


class Noting(Plain, Logger):
    def note(self, *told):
        self.own.mkdir(parents=True, exist_ok=True)
        with (self.own / "told.jsonl").open("a") as file:
            file.write(json.dumps(told) + "\\n")

    def begin(self, run):
        self.own = Path(os.environ.get("ZOO_TOLD", run.own))
        self.note("begin", run.name, run.step, run.resumed, run.study["seed"])

    def begin_training(self, training, done):
        self.note("training", training, done)

    def log(self, training, metrics, epoch, step):
        self.note("log", training, epoch, step, sorted(metrics)[:1], os.getpid())

    def results(self, results):
        self.note("results", len(results.rows))

    def end(self, outcome, reason):
        there = [name for name in ("results.json", "report.html")
                 if (self.own.parents[1] / name).exists()]
        self.note("end", outcome, reason, there)


class Animal(Noting):
"""
BROKEN = {
    "at-the-beginning": (
        "    def begin(self, run): raise ConnectionError('no server')",
        "failed in begin(): ConnectionError: no server. It is told nothing of this run",
    ),
    "exiting": (
        "    def begin_training(self, training, done): raise SystemExit(3)",
        "failed in begin_training(): SystemExit: 3. The run is not affected",
    ),
    "tiring": (
        "    def log(self, *told): raise TimeoutError('away')",
        "failed in log(): TimeoutError: away. The run is not affected",
    ),
    "at-the-end": (
        "    def end(self, outcome, reason): return 1 / 0",
        "failed in end(): ZeroDivisionError: division by zero. The run is not affected",
    ),
    "chatty": (
        "    def log(self, *told): print('{\"epoch\": 1}')",
        "log() prints '{\"epoch\": 1}'; take the print out, or use logging",
    ),
    "seeding": (
        "    def log(self, *told): torch.manual_seed(5)",
        "log() seeds torch's global generator",
    ),
}


@pytest.fixture
def epochs(study_file):
    """The study with a number of epochs."""

    def of(count: int):
        study = yaml.safe_load(study_file.read_text("utf-8"))
        study["pretrain"]["epochs"] = count
        study_file.write_text(yaml.safe_dump(study), "utf-8")
        return study_file

    return of


def told_to(run, name: str) -> list[list]:
    path = run / "loggers" / name / "told.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_broken_loggers_are_named_and_the_others_are_told_all(animal, rdfc_here, epochs, tmp_path):
    for name, (body, _) in BROKEN.items():
        animal(name, kind="logger", parts=f"{NOTES}{body}")
    animal("sound", kind="logger", parts=f"{NOTES}    pass")
    run = tmp_path / "run"
    chosen = [f"--logger={name}" for name in (*BROKEN, "sound")]
    done = rdfc_here("pretrain", epochs(4), "--out", run, HERE, "--json", *chosen)
    assert done.code == 0, done.err
    assert json.loads(done.out)["run"]["step"] == "pretrain"
    unwrapped = " ".join(done.err.split())
    for name, (_, reason) in BROKEN.items():
        who = f"The logger '{name}' of zoo-{name} 1.7"
        words = reason if name in ("chatty", "seeding") else f"{who} {reason}"
        assert words in unwrapped
        times = 2 if name == "tiring" else 1
        assert unwrapped.count(who) == times, unwrapped
    assert "It failed 3 times in a row and is told no more of this run" in unwrapped
    told = told_to(run, "sound")
    assert told[0] == ["begin", "run", "pretrain", False, 0]
    assert told[1] == ["training", "holdout", 0]
    assert [one[1:4] for one in told[2:6]] == [["holdout", n, 2 * n] for n in (1, 2, 3, 4)]
    assert told[6:] == [["results", 0], ["end", "finished", "", ["results.json"]]]
    assert told_to(run, "tiring")[-1][:2] == ["end", "finished"]  # so that it can close
    assert not (run / "loggers" / "at-the-beginning").exists()
    assert not (run / "tensorboard").exists()  # others were asked for
    # Who is told is no part of the study.
    assert "logger" not in (run / "study.yaml").read_text("utf-8")


def test_a_logger_that_keeps_a_run_for_the_next_is_named_there(animal, rdfc_here, epochs, tmp_path):
    body = (
        "    active = []\n"
        "    def begin(self, run):\n"
        "        if self.active: raise RuntimeError('a run is active already')\n"
        "        self.active.append(run)\n"
    )
    animal("global-run", kind="logger", parts=f"{NOTES}{body}    def end(self, *told): pass")
    study = epochs(1)
    for number in (1, 2):
        out = tmp_path / f"run-{number}"
        done = rdfc_here("extract", study, "--out", out, HERE, "--logger=global-run")
        assert done.code == 0, done.err
        said = "The logger 'global-run' of zoo-global-run 1.7 failed in begin(): RuntimeError"
        assert (said in " ".join(done.err.split())) == (number == 2)


def test_stopped_resumed_and_failed_runs_are_told_as_such(
    animal, rdfc_here, epochs, tmp_path, monkeypatch
):
    animal("sound", kind="logger", parts=f"{NOTES}    pass")
    once = tmp_path / "asked"
    animal(
        "guard",
        "from pathlib import Path\nfrom rdfc_core import Stop, hookimpl\nrdfc_interface = 1\n"
        "@hookimpl\ndef rdfc_epoch_ended(metrics):\n"
        f"    once = Path({str(once)!r})\n"
        "    if metrics['epoch'] == 2 and not once.exists():\n"
        "        once.touch()\n"
        "        return Stop('its hour is over')\n",
    )
    run, study = tmp_path / "run", epochs(3)
    command = ("pretrain", study, "--out", run, HERE, "--logger=sound", "--logger=tensorboard")
    assert rdfc_here(*command).code == 2
    first = told_to(run, "sound")
    assert first[-1][:2] == ["end", "stopped"]
    assert "its hour is over" in first[-1][2]
    assert rdfc_here(*command).code == 0
    second = told_to(run, "sound")[len(first) :]
    assert second[0] == ["begin", "run", "pretrain", True, 0]
    assert second[1] == ["training", "holdout", 2]
    assert [one[2] for one in second if one[0] == "log"] == [3]
    assert second[-1][:2] == ["end", "finished"]
    # Of two runs within one second the events stand in one file.
    assert len(list((run / "tensorboard" / "holdout").iterdir())) in (1, 2)
    # A finished run is not told again, and what loggers keep goes with the run.
    assert rdfc_here(*command).code == 0
    assert told_to(run, "sound") == [*first, *second]
    monkeypatch.setenv("ZOO_TOLD", str(tmp_path / "away" / "loggers" / "sound"))
    failing = ("--overwrite", "--set=pretrain.learning_rate=1e18")
    assert rdfc_here(*command, *failing).code == 2
    assert {path.name for path in run.iterdir()} == {".lock"}  # what came to nothing is removed
    third = told_to(tmp_path / "away", "sound")
    assert third[0] == ["begin", "run", "pretrain", False, 0]
    assert third[-1][:2] == ["end", "failed"]
    assert "Lower pretrain.learning_rate" in third[-1][2]


def test_an_evaluated_run_ends_when_its_report_is_there(animal, rdfc_here, epochs, tmp_path):
    animal("sound", kind="logger", parts=f"{NOTES}    pass")
    run = tmp_path / "run"
    done = rdfc_here("run", epochs(1), "--out", run, HERE, "--logger=sound")
    assert done.code == 0, done.err
    told = told_to(run, "sound")
    assert told[-2][0] == "results"
    assert told[-2][1] > 0
    assert told[-1] == ["end", "finished", "", ["results.json", "report.html"]]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--logger=tensorbord"], "There is no logger 'tensorbord'"),
        (["--logger=tensorboard:depth=3"], "--logger"),
        (["--logger=tensorboard", "--logger=tensorboard"], "--logger names tensorboard twice"),
        (["--logger=none", "--logger=tensorboard"], "--logger none stands alone"),
    ],
)
def test_a_logger_that_cannot_be_is_refused_before_anything_is_done(
    rdfc_here, study_file, tmp_path, words, sentence
):
    done = rdfc_here("extract", study_file, "--out", tmp_path / "run", HERE, *words)
    done.refused(sentence)
    assert not (tmp_path / "run").exists()


def test_a_run_without_loggers_writes_its_metrics(rdfc_here, epochs, tmp_path):
    run = tmp_path / "run"
    done = rdfc_here("pretrain", epochs(1), "--out", run, HERE, "--logger=none")
    assert done.code == 0, done.err
    assert (run / "metrics.jsonl").exists()
    assert not (run / "tensorboard").exists()
