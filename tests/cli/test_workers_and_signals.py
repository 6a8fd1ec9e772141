"""Workers when the main process is killed, hung up or suspended; streams that take no more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext as Processes
from pathlib import Path

import pytest

from rdfc_core.extraction.worker import ActiveClock
from rdfc_core.utils.signals import Terminated, heeding_signals
from tests.support import jobs
from tests.support.command import HERE

LONG = 600.0


def wait_for(condition, what: str) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    pytest.fail(f"waited in vain for {what}")


def has_ended(pid: int) -> bool:
    """Of a process that is nobody's child here; one that nobody has asked after has ended, too."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


def workers_of(folder: Path) -> list[int]:
    return [int(path.stem) for path in folder.glob("*.pid")]


@pytest.fixture
def sleepers(processes: Processes, tmp_path: Path) -> Iterator:
    """Starts a process whose two workers sleep; gives it, and what it says."""
    started = []

    def start(seconds: float, timeout_seconds: float = LONG) -> tuple[object, Connection]:
        ours, theirs = processes.Pipe(duplex=False)
        process = processes.Process(
            target=jobs.run_sleepers, args=(tmp_path, seconds, timeout_seconds, theirs)
        )
        process.start()
        started.append(process)
        theirs.close()
        wait_for(lambda: len(workers_of(tmp_path)) == 2, "two workers")
        return process, ours

    yield start
    for process in started:
        process.kill()
        process.join()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_workers_end_with_the_main_process_however_it_ends(sleepers, tmp_path, number):
    process, said = sleepers(LONG)
    os.kill(process.pid, number)
    process.join(60)
    assert process.exitcode == (-9 if number == signal.SIGKILL else 0)
    if number != signal.SIGKILL:
        assert said.recv() == number
    for worker in workers_of(tmp_path):
        wait_for(lambda worker=worker: has_ended(worker), f"the end of worker {worker}")


def test_a_suspended_process_loses_no_case_to_the_time_limit(sleepers, tmp_path):
    """Suspended in the midst of its cases for longer than a case may take, as by Ctrl-Z."""
    process, said = sleepers(2.0, timeout_seconds=8.0)
    stopped = [process.pid, *workers_of(tmp_path)]
    for number in stopped:
        os.kill(number, signal.SIGSTOP)
    time.sleep(9)
    for number in stopped:
        os.kill(number, signal.SIGCONT)
    assert sorted(said.recv() for _ in range(2)) == [(0, ""), (1, "")]


def test_a_clock_counts_what_it_ran_and_not_what_it_was_stopped(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    clock = ActiveClock(limit=60)
    for step in (0.5, 0.5, 3600.0, 0.5):
        now[0] += step
        seconds = clock.seconds()
    assert seconds == pytest.approx(0.5 + 0.5 + 2.0 + 0.5)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_signals_that_end_are_an_exception_with_their_number(name):
    number = getattr(signal, name)
    # Under nohup a hangup is ignored, and stays so.
    before = signal.signal(number, signal.SIG_DFL)
    try:
        with pytest.raises(Terminated) as caught, heeding_signals():
            os.kill(os.getpid(), number)
        assert caught.value.number == number
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, before)


def test_a_hangup_that_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with heeding_signals():
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def shell(command: str, outside: dict[str, str], **environment: str) -> subprocess.CompletedProcess:
    rdfc = Path(sys.executable).with_name("rdfc")
    return subprocess.run(
        ["bash", "-c", command.replace("rdfc ", f"{rdfc} ", 1)],
        env={**outside, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("streams", "code"),
    [
        ("", 0),
        (">&-", 0),
        ("2>&-", 0),
        ("2>/dev/full", 0),
        (">/dev/full", 2),
        ("2>/dev/full >/dev/full", 2),
        ("| true; exit ${PIPESTATUS[0]}", 141),
    ],
)
def test_streams_that_are_closed_or_full_are_no_fault_of_rdfc(outside, streams, code):
    done = shell(f"rdfc plugins list {streams}", outside)
    assert done.returncode == code, done.stderr
    assert "fault" not in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    if streams == ">/dev/full":
        assert done.stderr.count("Standard output cannot be written") == 1


WITHOUT_STREAMS = """
import os, sys
os.closerange(0, 3)
from rdfc_core.cli.streams import steady_streams
with steady_streams():
    number = os.open(sys.argv[1], os.O_WRONLY)
    for standard in (1, 2):
        os.write(standard, b"a line of a library")
os._exit(number)
"""


def test_no_file_gets_the_number_of_a_stream_that_is_closed(tmp_path):
    """Lines of C libraries would be written into it."""
    file = tmp_path / "checkpoint"
    file.write_bytes(b"")
    done = subprocess.run([sys.executable, "-c", WITHOUT_STREAMS, file], check=False)
    assert done.returncode > 2
    assert file.read_bytes() == b""


def test_progress_that_nobody_reads_does_not_end_a_run(outside, study_file, tmp_path):
    command = (
        f"rdfc extract {study_file} --out {tmp_path}/run --store {tmp_path}/s {' '.join(HERE)}"
    )
    assert shell(f"{command} 2>/dev/full", outside).returncode == 0
    assert (tmp_path / "run" / "results.json").exists()


def test_an_alphabet_without_some_letters_is_no_reason_to_end(outside):
    environment = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = shell("rdfc run --seed 3 café", outside, **environment)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_too_little_room_for_torch_is_told_as_that(outside, study_file, tmp_path):
    """An address space of 1 GB, into which torch's libraries cannot be mapped."""
    run = f"run {study_file} --out {tmp_path}/run --store {tmp_path}/s"
    done = shell(f"ulimit -v 1000000; rdfc {run}", outside)
    assert done.returncode == 2
    assert "Out of memory" in done.stderr
    assert "ulimit -v" in done.stderr
    assert "fault" not in done.stderr


def test_the_report_is_there_before_the_first_line_of_the_tables(
    rdfc_here, study_file, tmp_path, monkeypatch
):
    from rdfc_core.cli import console

    def closed(_results):
        assert (tmp_path / "run" / "report.html").exists()
        raise BrokenPipeError

    monkeypatch.setattr(console, "show_results", closed)
    rdfc_here("run", study_file, "--out", tmp_path / "run", *HERE)
    assert (tmp_path / "run" / "report.html").exists()
