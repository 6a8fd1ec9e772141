"""Memory that nothing uses any more goes back to the system between the stages of a run."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def collecting_new_objects_alone() -> Iterator[None]:
    """Within the block, garbage is looked for among the objects that were made in it.

    PyTorch and the other libraries make half a million objects as they are loaded, which live as
    long as the process: walking through them took half a second at the end of every stage.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def release_free_memory() -> None:
    """Return what is free on the heaps of Python, C and Arrow to the system.

    A stage leaves pages behind that are free, and yet this process's own: 150 MB after a
    pretraining. The next stage asks for tables so large that they get pages of their own, so that
    what was left is never used again. Where the C library knows no ``malloc_trim``, its heap stays.
    """
    gc.collect()  # modules, optimizers and their hooks refer to each other
    arrow = sys.modules.get("pyarrow")
    if arrow is not None:
        arrow.default_memory_pool().release_unused()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
        if trim is not None:
            trim(0)
