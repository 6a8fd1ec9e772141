"""Where the collated cases of a training wait for their batch: on the device, or further away."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Literal

import numpy as np
import torch
from torch import Tensor

from rdfc_core.config.training_settings import PretrainSettings
from rdfc_core.interfaces import Prepared, View
from rdfc_core.interfaces.collated import Collated, each, nbytes, tensors

log = logging.getLogger("rdfc")

Residence = Literal["device", "memory", "file"]

SHARE = 0.5
"""Of a memory the cases take at most so much: the rest is the network's, and other programs'."""

CONTAINER = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Where Linux says how much memory a container may take, in its second and its first version."""

CHUNK = 256
"""Cases that are collated at once on their way to a file."""

WORDS = {
    "device": "on the device",
    "memory": "in memory, and are sent to the device ahead of their step",
    "file": "in a file of the run folder, and are read ahead of their step",
}


def collated(
    views: Mapping[str, View],
    cases: Mapping[str, Sequence[Prepared]],
    settings: PretrainSettings,
    folder: Path,
) -> tuple[dict[str, Collated], Residence]:
    """All cases as each view collates them, and where they shall wait.

    What is trained does not depend on where that is. A file is gone with the process, however it
    ends.

    Args:
        views: View name → the fitted view.
        cases: View name → the N cases, in the same order for all views.
        settings: Where the cases wait, and the number format of pictures.
        folder: Where a file may be written.
    """
    count = len(next(iter(cases.values())))
    needed = count * sum(
        nbytes(_stored(views[name].collate(some[:1]), settings)) for name, some in cases.items()
    )
    where = chosen(needed, settings.data_placement)
    log.info("%d pretext cases (%.1f MB) wait %s.", count, needed / 1e6, WORDS[where])

    def parts(name: str) -> Iterable[Collated]:
        for start in range(0, count, CHUNK):
            yield _stored(views[name].collate(cases[name][start : start + CHUNK]), settings)

    if where == "file":
        return {name: _mapped(parts(name), folder) for name in views}, where
    return {name: _whole(parts(name), count) for name in views}, where


def chosen(
    needed: int, wanted: Literal["auto"] | Residence, memory: int | None = None
) -> Residence:
    """Where so many bytes wait: where it is asked for, or the nearest place where they fit.

    Args:
        needed: Bytes of all cases.
        wanted: ``auto``, or a place.
        memory: Bytes of this machine's memory; None: as the system says.
    """
    if wanted != "auto":
        return wanted
    gpu = torch.cuda.is_available()
    if gpu and needed <= SHARE * torch.cuda.mem_get_info()[0]:
        return "device"
    if needed <= SHARE * (memory or machine_memory()):
        return "memory" if gpu else "device"  # a processor's own memory
    return "file"


def machine_memory() -> float:
    """Bytes of this machine's memory, or of the container's that this process is in."""
    if not hasattr(os, "sysconf"):
        return float("inf")  # Windows does not say; it has files of its own for what does not fit
    limits = [file.read_text(encoding="ascii").strip() for file in CONTAINER if file.is_file()]
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *(int(limit) for limit in limits if limit.isdigit())])


def _stored(cases: Collated, settings: PretrainSettings) -> Collated:
    """(N, …) in the number format in which they wait; (N, F) stays as it is."""
    if not isinstance(cases, Tensor):  # a mapping holds no pictures: tokens, and which are real
        return cases
    half = settings.image_dtype == "float16" and cases.ndim > 3
    return cases.half() if half else cases


def _whole(parts: Iterable[Collated], count: int) -> Collated:
    """The parts one after the other, without a copy of all of them in another number format."""
    whole: Collated = torch.zeros(0)
    rows = 0
    for part in parts:
        whole = whole if rows else each(part, lambda one: one.new_empty((count, *one.shape[1:])))
        for place, one in zip(tensors(whole), tensors(part), strict=True):
            place[rows : rows + len(one)] = one
        rows += len(one)
    return whole


def _mapped(parts: Iterable[Collated], folder: Path) -> Collated:
    """The parts one after the other in files without a name, read as they are needed."""
    files: list[_File] = []
    shape: Collated = torch.zeros(0)
    with ExitStack() as opened:
        for part in parts:
            found = list(tensors(part))
            files = files or [_File(opened.enter_context(TemporaryFile(dir=folder))) for _ in found]
            for file, one in zip(files, found, strict=True):
                file.append(one)
            shape = part
        contents = iter([file.content() for file in files])
    return each(shape, lambda _: next(contents))


class _File:
    """Rows of one tensor, written one after the other."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._rows = file, 0
        self._last = torch.zeros(0)

    def append(self, rows: Tensor) -> None:
        self._file.write(rows.contiguous().reshape(-1).view(torch.uint8).numpy().data)
        self._rows, self._last = self._rows + len(rows), rows[:0]

    def content(self) -> Tensor:
        """All rows, mapped from the file."""
        self._file.flush()
        content = torch.from_numpy(np.memmap(self._file, np.uint8, "r+"))
        return content.view(self._last.dtype).reshape(self._rows, *self._last.shape[1:])
