"""What was freed within the heap goes back to the system."""

from __future__ import annotations

import gc
import platform
import subprocess
import sys
import weakref

import pytest

from rdfc_core.utils.free_memory import collecting_new_objects_alone

LEFT_ON_THE_HEAP = """
import ctypes, pathlib
from rdfc_core.utils.free_memory import release_free_memory

def resident():
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4096

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
libc.malloc.argtypes = [ctypes.c_size_t]
taken = [libc.malloc(64 * 1024) for _ in range(3200)]
for place in taken:
    ctypes.memset(place, 1, 64 * 1024)
for place in taken[:-1]:  # the last one keeps the heap from ending earlier
    libc.free(place)
before = resident()
release_free_memory()
print((before - resident()) // 2**20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="Other C libraries cannot be asked.")
def test_what_is_free_within_the_heap_is_returned():
    """200 MB are freed below one piece that is still in use."""
    told = subprocess.run(
        [sys.executable, "-c", LEFT_ON_THE_HEAP], capture_output=True, text=True, check=True
    )
    assert int(told.stdout) > 150


class Circle:
    """Refers to itself, so that only the collector finds it."""

    def __init__(self) -> None:
        self.own = self


def test_only_garbage_of_the_block_is_looked_for_in_it():
    older = weakref.ref(Circle())
    with collecting_new_objects_alone():
        newer = weakref.ref(Circle())
        gc.collect()
        assert newer() is None
        assert older() is not None
    gc.collect()
    assert older() is None
    assert gc.get_freeze_count() == 0
