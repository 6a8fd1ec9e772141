"""Kills one of two Dask workers in mid-work and compares the store with that of a local run.

    python tests/benchmarks/dask_killed_worker.py STUDY.yaml [--after 60]

Starts `dask scheduler` and two `dask worker`, runs `rdfc extract STUDY.yaml --executor dask=…`, and
kills a worker with SIGKILL when so many results are stored. Then the same command without Dask,
once into another store and once into the first, which has nothing left to do.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ADDRESS = "tcp://127.0.0.1:18786"
BIN = Path(sys.executable).parent


def stored(store: Path) -> dict[str, bytes]:
    """Key → array of all results in a store."""
    if not store.exists():
        return {}
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as database:
        try:
            return dict(database.execute("SELECT key, array FROM prepared"))
        except sqlite3.OperationalError:  # not yet begun
            return {}


def start(log: Path, *command: str) -> subprocess.Popen[bytes]:
    """A process whose output goes into the log."""
    with log.open("wb") as file:
        return subprocess.Popen([BIN / command[0], *command[1:]], stdout=file, stderr=file)


def extract(folder: Path, study: Path, name: str, store: str, executor: str) -> list[str]:
    """Arguments of one run of the extraction."""
    run = ["--out", str(folder / name), "--store", str(folder / store)]
    return ["rdfc", "extract", str(study), *run, "--executor", executor]


def main() -> None:
    """Run, kill, compare."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("study", type=Path)
    parser.add_argument("--after", type=int, default=60)
    chosen = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "COLUMNS": "160"}
    os.environ["DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES"] = "1"
    folder = Path(tempfile.mkdtemp())
    local = "local:workers=1"
    options = ("--nthreads", "1", "--no-nanny", "--no-dashboard")
    scheduler = start(folder / "scheduler", "dask", "scheduler", "--port", "18786")
    workers = [start(folder / n, "dask", "worker", ADDRESS, *options) for n in ("one", "two")]
    try:
        command = extract(folder, chosen.study, "first", "dask.sqlite", f"dask={ADDRESS}")
        run = start(folder / "log", *command)
        while len(stored(folder / "dask.sqlite")) < chosen.after and run.poll() is None:
            time.sleep(0.2)
        workers[0].kill()
        print(f"killed worker {workers[0].pid}: {len(stored(folder / 'dask.sqlite'))} stored")
        print(f"exit status {run.wait()}")
        lines = (folder / "log").read_text("utf-8").splitlines()
        print("\n".join(line for line in lines if "is gone" in line))
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()
    start(folder / "log", *extract(folder, chosen.study, "second", "local.sqlite", local)).wait()
    ours, theirs = stored(folder / "dask.sqlite"), stored(folder / "local.sqlite")
    print(f"{len(ours)} results with Dask, {len(theirs)} without, equal: {ours == theirs}")
    start(folder / "log", *extract(folder, chosen.study, "third", "dask.sqlite", local)).wait()
    print("resumed:", "equal" if stored(folder / "dask.sqlite") == theirs else "another")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
