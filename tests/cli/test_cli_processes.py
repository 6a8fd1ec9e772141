"""The command line in several processes: started by it, or by torchrun; killed, and resumed."""

from __future__ import annotations

import functools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command import HERE

DEADLINE_S = 240

Command = Callable[..., list[str]]


@pytest.fixture
def command(rdfc: str, study_file: Path, tmp_path: Path) -> Command:
    def words(*arguments: str, start: tuple[str, ...] = (rdfc,)) -> list[str]:
        store = ("--store", str(tmp_path / "store.sqlite"))
        still = ("--set", "views.radiomics.dropout=0", "--set", "pretrain.precision=32-true")
        return [*start, "pretrain", str(study_file), *HERE, *store, *still, *arguments]

    return words


def run(words: list[str], outside: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, env=outside, capture_output=True, text=True, check=False, timeout=DEADLINE_S
    )


def losses(run_folder: Path) -> list[float]:
    file = run_folder / "metrics.jsonl"
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    return [json.loads(line)["loss"] for line in text.splitlines()]


def others_of(pid: int) -> list[int]:
    """The processes that train with this one."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    lines = {int(child): Path(f"/proc/{child}/cmdline").read_text() for child in children}
    return [child for child, line in lines.items() if "spawn_main" in line]


def wait_until(done: Callable[[], bool]) -> None:
    until = time.monotonic() + DEADLINE_S
    while not done():
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize(
    ("whose", "how", "code", "said"),
    [
        ("leading", "SIGKILL", -9, "Process 2 of 2 ends, since the first is gone. "),
        ("leading", "SIGINT", 130, "Interrupted. "),
        ("other", "SIGTERM", 1, "Process 2 of 2 was ended by SIGTERM "),
    ],
)
def test_whichever_process_is_stopped_both_end_and_the_same_command_goes_on(
    command, outside, rdfc, rdfc_here, tmp_path, whose, how, code, said
):
    folder = tmp_path / "run"
    epochs = 120 if whose == "other" else 2000  # the first is resumed, the others never end
    budget = ("--set", f"pretrain.epochs={epochs}")
    words = command("--devices", "2", "--out", str(folder), *budget, start=())
    process = subprocess.Popen(
        [rdfc, *words],
        env=outside,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that runs the tests in the background has them, and their children, ignore it.
        preexec_fn=functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    wait_until(lambda: len(losses(folder)) >= 2 or process.poll() is not None)
    (other,) = others_of(process.pid)
    os.kill(process.pid if whose == "leading" else other, getattr(signal, how))
    _, err = process.communicate(timeout=DEADLINE_S)
    wait_until(lambda: not Path(f"/proc/{other}").exists())
    usual = re.compile("Extracting|Pretraining|INFO|36 cases: |.* … [0-9]+ s$")
    lines = [line for line in err.splitlines() if not usual.match(line)]
    assert len(lines) == 1, err
    assert lines[0].startswith(said)
    assert lines[0].endswith("the same command goes on from there.")
    assert process.returncode == code
    before = losses(folder)
    assert len(before) < epochs
    if whose == "other":  # once: it is the same for all
        done = rdfc_here(*words)
        assert done.code == 0, done.err
        assert losses(folder)[: len(before) - 1] == before[:-1]
        assert len(losses(folder)) == epochs


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_two_machines_by_torchrun_train_what_one_process_trains(
    command, outside, rdfc_here, tmp_path
):
    meeting = ("--master-addr=127.0.0.1", f"--master-port={free_port()}")
    agents = []
    for node in ("0", "1"):
        start = (
            *(sys.executable, "-m", "torch.distributed.run", "--nnodes=2", "--nproc-per-node=1"),
            *meeting,
            *(f"--node-rank={node}", "-m", "rdfc_core"),
        )
        words = command("--nodes", "2", "--out", str(tmp_path / "two"), start=start)
        agents.append(subprocess.Popen(words, env=outside, stderr=subprocess.PIPE, text=True))
    errors = [agent.communicate(timeout=DEADLINE_S)[1] for agent in agents]
    assert [agent.returncode for agent in agents] == [0, 0], errors
    assert errors[0].count("Run folder: ") == 1
    assert "Pretraining" not in errors[1]
    alone = rdfc_here(*command("--out", str(tmp_path / "one"), start=()))
    assert alone.code == 0, alone.err
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=2e-5)


def test_a_mistake_under_torchrun_is_told_once_and_ends_all(command, outside, tmp_path):
    start = (sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2")
    alone = (*start, f"--master-port={free_port()}", "-m", "rdfc_core")
    done = run(command("--set", "pretrain.batch_size=1", start=alone), outside)
    assert done.returncode == 1  # torchrun's own
    assert done.stderr.count("pretrain.batch_size") == 1, done.stderr


def test_more_machines_than_torchrun_started_are_refused_with_the_way(rdfc_here, study_file):
    done = rdfc_here("run", study_file, "--nodes", "2", "--devices", "4")
    done.refused("--nodes 2", "torchrun --nnodes 2 --nproc-per-node 4", "-m rdfc_core run")


def test_what_torchrun_started_and_what_is_asked_for_must_agree(rdfc_here, study_file, monkeypatch):
    started = {"TORCHELASTIC_RUN_ID": "x", "WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2", "RANK": "0"}
    for name, value in started.items():
        monkeypatch.setenv(name, value)
    done = rdfc_here("run", study_file, "--devices", "4")
    done.refused("--devices 4: torchrun started 2.")
