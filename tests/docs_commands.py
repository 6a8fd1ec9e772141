"""Run what README and docs tell users to run, in a folder such as theirs.

Every line that starts with ``$ rdfc`` in a console block is run, in order, in one temporary folder
that holds what the text speaks of: ``DIR`` with a manifest, new cases, and every YAML block whose
first line names its file. The pages of the reference must be what the code gives; ``--write``
renews them.
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

import docs_reference

from rdfc_dataset_phantom.config import PhantomConfig
from rdfc_dataset_phantom.files import write

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
REFERENCE = {
    DOCS / "reference" / "cli.md": docs_reference.command_line,
    DOCS / "reference" / "study.md": docs_reference.study_options,
    DOCS / "reference" / "components.md": docs_reference.components,
    DOCS / "reference" / "results.md": docs_reference.results,
    DOCS / "reference" / "results.schema.json": docs_reference.results_schema,
}
"""Page → what gives it."""
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# ([\w.-]+\.ya?ml)")


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
    for page, code in REFERENCE.items():
        if "--write" in sys.argv:
            page.write_text(code(), encoding="utf-8")
        elif not page.exists() or page.read_text(encoding="utf-8") != code():
            name = page.relative_to(ROOT)
            sys.exit(f"{name} is not what the code gives. Renew it: nox -s docs -- --write")
    if "--write" in sys.argv:
        return
    with tempfile.TemporaryDirectory() as place:
        furnish(Path(place))
        total = sum(run(page, Path(place)) for page in PAGES if page not in REFERENCE)
    print(f"{total} commands of the documentation ran.")


if __name__ == "__main__":
    main()
