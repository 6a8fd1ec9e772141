"""Malformed inputs through the real command line, each in a process of its own."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.guard import Guard, check_sentence
from tests.fuzz.guarded_command import ALLOWED
from tests.fuzz.mutations import altered, bent, damaged
from tests.fuzz.originals import MANIFEST, STUDY, sound_case
from tests.fuzz.shares import share

COMMAND = Path(__file__).with_name("guarded_command.py")
LONGEST_S = 300
"""After this a process is killed; its own time of work is held to the limit of every input."""

MEMORY_BYTES = 2**31
"""Of a whole process, torch included."""


class Commands:
    """Runs commands and judges what they say.

    Args:
        guard: Whose folders they work in.
        outside: The environment of processes.
    """

    def __init__(self, guard: Guard, outside: dict[str, str]) -> None:
        self.guard = guard
        self.environment = {
            **outside,
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(guard.home),
            ALLOWED: os.pathsep.join([str(guard.run), str(guard.store)]),
        }
        self.loading_s = math.inf
        self.loading_s = self.run_study(yaml.dump(STUDY))

    def run_study(self, content: str) -> float:
        """Judge ``rdfc run``; the data set is not there, so that even a sound study ends early."""
        file = self.guard.inputs / "study.yaml"
        file.write_bytes(content.encode("utf-8", errors="surrogateescape"))
        out, store = self.guard.run / "new", self.guard.store / "s.sqlite"
        return self.judge("run", file, "--out", out, "--store", store)

    def judge(self, *arguments: object) -> float:
        """Run one command on what lies among the inputs; the seconds that it worked."""
        before = self.guard.contents()
        command = [sys.executable, str(COMMAND), *map(str, arguments)]
        told = self.guard.store / "told.txt"
        with told.open("wb") as errors:
            process = subprocess.Popen(
                command,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=self.environment,
                cwd=self.guard.here,
            )
            code, seconds, peak_bytes = _ended(process)
        words = told.read_text(encoding="utf-8")
        assert code in (0, 2), f"{code}: {words[-2000:]}"
        assert peak_bytes <= MEMORY_BYTES, f"it took {peak_bytes / 2**20:.0f} MiB"
        assert "Traceback" not in words, words
        for line in filter(None, words.splitlines()):
            check_sentence(line)
        assert self.guard.contents() == before
        # The time of loading torch is not the input's.
        self.guard.count("command", code == 2, max(0.0, seconds - self.loading_s), 0)
        return seconds


def _ended(process: subprocess.Popen[bytes]) -> tuple[int, float, int]:
    """Exit code, seconds of work and most memory; the process is killed if it does not end."""
    alarm = threading.Timer(LONGEST_S, process.kill)
    alarm.start()
    peak_bytes = 0
    # What `wait4` tells of memory begins with that of this process, from which it was started.
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        peak_bytes = max(peak_bytes, _peak_bytes(process.pid))
        time.sleep(0.02)
    _, status, used = os.wait4(process.pid, 0)
    alarm.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, used.ru_utime + used.ru_stime, peak_bytes


def _peak_bytes(pid: int) -> int:
    """Most memory of a process since it became the command; 0 where it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


@pytest.fixture(scope="module")
def commands(guard: Guard, outside: dict[str, str]) -> Commands:
    return Commands(guard, outside)


@share(2, least=1, shrink=False)
@given(st.sampled_from([yaml.dump(STUDY)]).flatmap(altered))
def test_an_altered_study_is_refused(commands: Commands, content: str) -> None:
    commands.run_study(content)


@share(2, least=1, shrink=False)
@given(bent(STUDY))
def test_a_bent_study_is_refused(commands: Commands, content: Any) -> None:
    commands.run_study(yaml.dump(content))


@share(2, least=1, shrink=False)
@given(altered(MANIFEST) | damaged(MANIFEST.encode()))
def test_a_malformed_manifest_is_checked(commands: Commands, content: str | bytes) -> None:
    guard = commands.guard
    sound_case(guard.inputs, ".png")
    given_bytes = content if isinstance(content, bytes) else content.encode("utf-8", "replace")
    (guard.inputs / "manifest.csv").write_bytes(given_bytes)
    commands.judge("datasets", "check", "manifest", "--root", guard.inputs)


@share(2, least=1, shrink=False)
@given(data=st.data())
def test_a_malformed_image_is_checked(commands: Commands, data: Any) -> None:
    guard = commands.guard
    ending = data.draw(st.sampled_from([".png", ".tif", ".nii.gz", ".nrrd", ".mha"]))
    case = sound_case(guard.inputs, ending)
    case.image.write_bytes(data.draw(damaged(case.image.read_bytes())))
    rows = MANIFEST.replace("image.png", case.image.name).replace("mask.png", case.mask.name)
    (guard.inputs / "manifest.csv").write_text(rows, encoding="utf-8")
    commands.judge("datasets", "check", "manifest", "--root", guard.inputs)
