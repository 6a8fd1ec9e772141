"""What the tests run in Dask's workers."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path


def where(number: int) -> int:
    return os.getpid()


def double_slowly(number: int) -> int:
    time.sleep(0.3)
    return 2 * number


def die_once(place: tuple[Path, int]) -> int:
    """Kills its worker the first time, and says that it was there each time."""
    folder, number = place
    with (folder / f"{number}").open("a", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\n")
    if number == 3 and len((folder / "3").read_text(encoding="utf-8").splitlines()) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def wait_for_file(place: tuple[Path, int]) -> int:
    """Number 1 hangs until the file ``go`` is there."""
    folder, number = place
    while number == 1 and not (folder / "go").exists():
        time.sleep(0.05)
    return number
