"""The guard over malformed inputs notices what no input may do."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rdfc_core.errors import DataError
from tests.fuzz.guard import Guard, Hang
from tests.fuzz.mutations import CANARY


@pytest.fixture
def strict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Guard:
    """A guard with a small limit of memory, and a module among its inputs."""
    guard = Guard(tmp_path, growth_bytes=2**25)
    (guard.inputs / f"{CANARY}.py").write_text("ran = True\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(guard.inputs))
    monkeypatch.delitem(sys.modules, CANARY, raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return guard


def test_a_refusal_and_a_result_are_counted(strict: Guard) -> None:
    def refuse() -> None:
        raise DataError("The file is damaged. Copy it again.")

    assert strict.judge("file", refuse) is None
    assert strict.judge("file", lambda: 3) == 3
    tally = strict.tallies["file"]
    assert (tally.inputs, tally.refused, tally.accepted) == (2, 1, 1)


def test_another_error_is_not_taken_for_a_refusal(strict: Guard) -> None:
    with pytest.raises(ZeroDivisionError):
        strict.judge("file", lambda: 1 / 0)


def test_writing_is_allowed_in_run_folder_and_store_alone(strict: Guard) -> None:
    strict.judge("file", lambda: (strict.run / "results.json").write_text("{}"))
    strict.judge("file", lambda: (strict.store / "folder").mkdir())
    for action in (
        lambda: (strict.here / "results.json").write_text("{}"),
        lambda: (strict.inputs / "folder").mkdir(),
        lambda: (strict.run / "results.json").rename(strict.home / "results.json"),
        lambda: (strict.here / "results.json").unlink(),
    ):
        with pytest.raises(AssertionError, match="this was done"):
            strict.judge("file", action)


def test_what_changes_unseen_by_python_is_noticed(strict: Guard) -> None:
    file = strict.inputs / "image.png"

    def change() -> None:
        os.utime(file, ns=(1, 1))

    file.write_bytes(b"")
    with pytest.raises(AssertionError, match="files have changed"):
        strict.judge("file", change)


class Trap:
    def __reduce__(self) -> Any:
        return os.getcwd, ()


@pytest.mark.parametrize(
    "action",
    [
        lambda: subprocess.run(["true"], check=True),
        lambda: os.system("true"),
        lambda: exec("1"),
        lambda: eval("1"),
        lambda: __import__(CANARY),
        lambda: pickle.loads(pickle.dumps(Trap())),
    ],
)
def test_running_anything_is_noticed(strict: Guard, action: Any) -> None:
    with pytest.raises(AssertionError, match="this was done"):
        strict.judge("file", action)


def test_code_of_a_plugin_may_run(strict: Guard) -> None:
    assert strict.judge("plugin", lambda: __import__(CANARY), strict.inputs).ran


def test_an_input_that_hangs_is_stopped(strict: Guard) -> None:
    strict.seconds = 0.1
    with pytest.raises(Hang):
        strict.judge("file", lambda: time.sleep(30))


def test_an_input_that_fills_the_memory_is_noticed(strict: Guard) -> None:
    with pytest.raises(AssertionError, match="MiB"):
        strict.judge("file", lambda: np.ones(2**27, np.uint8).sum())


def test_a_sentence_of_several_lines_is_none(strict: Guard) -> None:
    class LoudError(DataError):
        def __str__(self) -> str:
            return "one\ntwo"

    def refuse() -> None:
        raise LoudError

    with pytest.raises(AssertionError, match="sentence"):
        strict.judge("file", refuse)
