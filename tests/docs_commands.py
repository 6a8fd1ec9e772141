"""Run what README and docs tell users to run, in a folder such as theirs.

Every line that starts with ``$ rdfc`` in a console block is run, in order, in one temporary folder
that holds what the text speaks of: ``DIR`` with a manifest, new cases, and every YAML block whose
first line names its file. The command line reference must be what the code gives; ``--write``
renews it.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rdfc_dataset_phantom.config import PhantomConfig
from rdfc_dataset_phantom.files import write

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
REFERENCE = ROOT / "docs" / "cli.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# ([\w.-]+\.ya?ml)")


def reference() -> str:
    """The command line reference, from the code."""
    command = [sys.executable, "-m", "typer", "rdfc_core.cli", "utils", "docs", "--name", "rdfc"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return text.replace("# `rdfc`", "# Command line\n\n## `rdfc`", 1).rstrip() + "\n"


def furnish(folder: Path) -> None:
    """What the pages speak of: a folder of cases, and new ones."""
    write(PhantomConfig(cases=40, labelled=24, image_size=(64, 64)), folder / "DIR")
    image, mask = (sorted((folder / "DIR" / part).iterdir())[0] for part in ("image", "mask"))
    shutil.copy(image, folder / "new.png")
    shutil.copy(mask, folder / "new-mask.png")
    for name in ("new.csv", "new_cases.csv"):
        (folder / name).write_text("case_id,image,mask\nnew,new.png,new-mask.png\n")


def run(page: Path, folder: Path) -> int:
    """Run the page's commands; the number of them."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    count = 0
    for language, block in BLOCK.findall(page.read_text(encoding="utf-8")):
        named = FILE_NAME.match(block)
        if language == "yaml" and named:
            (folder / named[1]).write_text(block, encoding="utf-8")
        if language != "console":
            continue
        for line in block.splitlines():
            if not line.startswith("$ rdfc"):
                continue
            print(f"{page.name}: {line}", flush=True)
            words = shlex.split(line.removeprefix("$ "), comments=True)
            subprocess.run(words, cwd=folder, env=environment, check=True, timeout=600)
            count += 1
    return count


def main() -> None:
    """Check the reference, then run the pages' commands."""
    if "--write" in sys.argv:
        REFERENCE.write_text(reference(), encoding="utf-8")
    if REFERENCE.read_text(encoding="utf-8") != reference():
        sys.exit("docs/cli.md is not what the code gives. Renew it: nox -s docs -- --write")
    with tempfile.TemporaryDirectory() as place:
        furnish(Path(place))
        total = sum(run(page, Path(place)) for page in PAGES if page != REFERENCE)
    print(f"{total} commands of the documentation ran.")


if __name__ == "__main__":
    main()
