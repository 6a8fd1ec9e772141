"""Raw lines of C libraries never reach the terminal; what Python writes does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import tifffile

SILENCED = """
import os, sys
from rdfc_core.utils.native_output import native_output_silenced
print("before")
with native_output_silenced():
    os.write(1, b"raw line\\n")
    os.write(2, b"raw line\\n")
    print("between")
    print("between", file=sys.stderr)
print("after")
os.write(2, b"raw, afterwards\\n")
"""

READ = """
import sys
from pathlib import Path
from rdfc_core.errors import DataError
from rdfc_core.data.readers.pictures import PictureReader
try:
    PictureReader().read_image(Path(sys.argv[1]))
except DataError as error:
    print(error)
"""


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True)


def test_what_python_writes_meanwhile_is_kept_and_raw_lines_are_not() -> None:
    done = python(SILENCED)
    assert done.stdout == "before\nbetween\nafter\n"
    assert done.stderr == "between\nraw, afterwards\n"


def test_it_works_where_standard_error_is_closed() -> None:
    done = python("import os; os.close(2)\n" + SILENCED.replace('os.write(2, b"raw, aft', "#"))
    assert "raw line" not in done.stdout
    assert done.stdout.endswith("after\n")


def test_libtiff_s_own_lines_about_a_damaged_file_do_not_reach_the_terminal(
    tmp_path: Path,
) -> None:
    path = tmp_path / "p.tif"
    grey = np.random.default_rng(1).integers(0, 256, (60, 70), np.uint8)
    tifffile.imwrite(path, grey, compression="zlib", rowsperstrip=10)
    content = bytearray(path.read_bytes())
    content[-400:] = bytes(400)
    path.write_bytes(content)
    raw = python(
        "import sys; from PIL import Image; import contextlib\n"
        "with contextlib.suppress(OSError): Image.open(sys.argv[1]).load()",
        str(path),
    )
    assert "ZIPDecode" in raw.stderr
    done = python(READ, str(path))
    assert "cannot be read" in done.stdout
    assert done.stderr == ""
