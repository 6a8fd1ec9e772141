"""Something moves while nothing can be seen yet, and says what it waits for."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console

from rdfc_core.cli import console
from rdfc_core.extraction.store import Store
from tests.support.command import HERE


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(console, "FIRST_WORD_SECONDS", 0.02)


def test_waiting_is_told_again_and_again_until_it_ends(quick, capsys):
    heard = threading.Event()
    before = console.err.print

    def listening(*args, **options):
        before(*args, **options)
        if "s" in str(args[0]):
            lines.append(str(args[0]))
        if len(lines) == 3:
            heard.set()

    lines: list[str] = []
    console.err.print = listening
    try:
        with console.DrawnProgress().waiting("Listing the cases"):
            assert heard.wait(60)
        told = len(lines)
    finally:
        console.err.print = before
    assert all(line.startswith("Listing the cases … ") for line in lines)
    assert len(lines) == told
    assert not [t for t in threading.enumerate() if t.name == "waiting"]


def test_what_is_done_at_once_says_nothing(capsys):
    with console.DrawnProgress().waiting("Listing the cases"):
        pass
    assert capsys.readouterr().err == ""


def test_the_first_step_of_a_task_tells_what_it_waits_for(capsys):
    with console.DrawnProgress().task("Extracting features", 100) as advance:
        advance(0, note="(workers start)")
        advance(3)
        advance(7)
    assert capsys.readouterr().err.splitlines() == [
        "Extracting features: 0/100 (workers start)",
        "Extracting features: 10/100",
    ]


def test_a_run_says_that_it_loads_torch_before_it_does(tmp_path):
    """What is written until torch begins to load, as the interpreter itself reports."""
    rdfc = str(Path(sys.executable).with_name("rdfc"))
    study = ("--dataset", "phantom:cases=4,image_size=[32,32]", "--out", f"{tmp_path}/run")
    done = subprocess.run(
        [sys.executable, "-X", "importtime", rdfc, "extract", *study, "--store", f"{tmp_path}/s"],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    loaded = re.search(r"\|\s+torch\n", done.stderr)
    assert loaded is not None
    assert done.stderr.index("Loading PyTorch and the plugins") < loaded.start()
    assert "compiled first" in done.stderr


@pytest.mark.parametrize(
    ("command", "title"),
    [
        (["datasets", "check", "manifest", "--root", "{data}"], "Listing the data set's cases"),
        (["datasets", "check", "manifest", "--root", "{data}"], "Loading the feature extractor"),
        (["store", "check", "{run}", "--cases", "1", *HERE], "Reading the study"),
        (["store", "merge", "{part}"], "Taking over "),
        (["report", "{run}"], "Drawing the report"),
        (["doctor"], "Looking at libraries"),
        (["predict", "{run}", "--manifest", "{data}/manifest.csv", *HERE], "Reading the run"),
        (["embed", "{run}", "--manifest", "{data}", "--out", "e.csv", *HERE], "Reading the run"),
        (["run", "{run}/study.yaml", "--out", "{run}"], "Looking for a finished run"),
    ],
    ids=lambda one: one if isinstance(one, str) else one[0],
)
def test_every_command_that_may_take_long_says_what_it_waits_for(
    rdfc_here, finished, pictures, tmp_path, monkeypatch, command, title
):
    told: list[str] = []

    @contextmanager
    def waiting(self, what):
        told.append(what)
        yield

    monkeypatch.setattr(console.DrawnProgress, "waiting", waiting)
    run = shutil.copytree(finished, tmp_path / "run")
    part = tmp_path / "part.sqlite"
    Store(part).close()
    places = {"data": pictures, "run": run, "part": part}
    done = rdfc_here(*(word.format(**places) for word in command))
    assert "Traceback" not in done.err, done.err
    assert any(one.startswith(title) for one in told), told


def test_on_a_terminal_it_is_one_line_that_is_gone_at_the_end(quick, monkeypatch):
    heard = threading.Event()

    class Terminal(io.StringIO):
        def write(self, text: str) -> int:
            done = super().write(text)
            if self.getvalue().count("Listing the cases … ") == 3:
                heard.set()
            return done

    drawn = Terminal()
    monkeypatch.setattr(
        console, "err", Console(file=drawn, force_terminal=True, width=60, highlight=False)
    )
    with console.DrawnProgress().waiting("Listing the cases"):
        assert heard.wait(60)
    written = drawn.getvalue()
    assert "\n" not in written
    assert re.fullmatch(r"(Listing the cases … \d+ s\r)+\x1b\[2K", written)
