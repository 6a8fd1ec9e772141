"""Execute the tutorials' notebooks from top to bottom, each in a kernel and folder of its own.

``--write`` keeps what the cells gave; without it, only that they run is checked.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

TUTORIALS = Path(__file__).parent.parent / "docs" / "tutorials"


def execute(notebook: Path, write: bool) -> None:
    """Run all cells; a cell that fails ends it with the cell and its traceback."""
    content = nbformat.read(notebook, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = str(Path(folder, "cache"))
        client = NotebookClient(
            content, timeout=None, resources={"metadata": {"path": folder}}, record_timing=False
        )
        client.execute()
    if write:
        # What libraries warn of names paths of this machine, and tells a reader nothing.
        for cell in (one for one in content.cells if one.cell_type == "code"):
            cell.outputs = [one for one in cell.outputs if one.get("name") != "stderr"]
        nbformat.write(content, notebook)


def main() -> None:
    """Execute all notebooks."""
    notebooks = sorted(TUTORIALS.glob("*.ipynb"))
    if not notebooks:
        sys.exit(f"{TUTORIALS} holds no notebook.")
    for notebook in notebooks:
        started = time.monotonic()
        execute(notebook, "--write" in sys.argv)
        print(f"{notebook.name} ran in {time.monotonic() - started:.0f} s.", flush=True)


if __name__ == "__main__":
    main()
