"""Run what README and docs tell users to run, in a folder such as theirs.

Every line that starts with ``$ rdfc`` in a console block is run, in order, in one temporary folder
that holds what the text speaks of: ``DIR`` with a manifest, new cases, and every YAML block whose
first line names its file. The pages of the reference must be what the code gives; ``--write``
renews them.

The commands run in this process, one after the other, and train for a few steps: loading PyTorch
for each of them, and training to the end, would take most of the time of all checks. ``--whole``
runs each as users do, in a process of its own and with its own budget.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from rdfc_core import cli
from rdfc_core.cli import demo
from rdfc_core.plugin.part_text import set_nested
from rdfc_dataset_phantom.config import PhantomConfig
from rdfc_dataset_phantom.files import write
from tests import docs_contract, docs_reference

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
REFERENCE = {
    DOCS / "reference" / "cli.md": docs_reference.command_line,
    DOCS / "reference" / "study.md": docs_reference.study_options,
    DOCS / "reference" / "components.md": docs_reference.components,
    DOCS / "reference" / "results.md": docs_reference.results,
    DOCS / "reference" / "results.schema.json": docs_reference.results_schema,
    **docs_contract.PAGES,
}
"""Page → what gives it."""
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# ([\w.-]+\.ya?ml)")
SHORT = (
    *("pretrain.steps=5", "evaluate.bootstrap=100"),
    *("evaluate.supervised.min_steps=0", "evaluate.supervised.max_steps=5"),
)
"""Settings under which a study ends soon."""
FEW = ("dataset.cases=60", "dataset.labelled=40", "split.test_cases=20")
"""So many of the demo's cases."""


def furnish(folder: Path) -> None:
    """What the pages speak of: a folder of cases, and new ones."""
    write(PhantomConfig(cases=40, labelled=24, image_size=(64, 64)), folder / "DIR")
    image, mask = (sorted((folder / "DIR" / part).iterdir())[0] for part in ("image", "mask"))
    shutil.copy(image, folder / "new.png")
    shutil.copy(mask, folder / "new-mask.png")
    for name in ("new.csv", "new_cases.csv"):
        (folder / name).write_text("case_id,image,mask\nnew,new.png,new-mask.png\n")


def run(page: Path, folder: Path, whole: bool) -> int:
    """Run the page's commands; the number of them."""
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
            if whole:
                subprocess.run(words, cwd=folder, check=True, timeout=3600)
            else:
                run_here(words, folder)
            count += 1
    return count


def run_here(words: Sequence[str], folder: Path) -> None:
    """Run a command in this process, its trainings cut short.

    Raises:
        SystemExit: If the command does not end with exit code 0.
    """
    budget = [word for setting in SHORT for word in ("--set", setting)]
    arguments = [*words, *(budget if words[1] == "run" else [])]
    with (
        contextlib.chdir(folder),
        mock.patch.object(sys, "argv", arguments),
        mock.patch.object(demo, "study", functools.partial(short_demo, demo.study)),
    ):
        try:
            cli.main()
        except SystemExit as end:
            if end.code:
                raise


def short_demo(study: Callable[[int], dict[str, Any]], seed: int) -> dict[str, Any]:
    """The demo's study, cut short here since the command takes no ``--set``, on few cases."""
    short = study(seed)
    for setting in (*SHORT, *FEW):
        key, _, value = setting.partition("=")
        set_nested(short, key, int(value))
    return short


def main() -> None:
    """Check the reference, then run the pages' commands."""
    for page, code in REFERENCE.items():
        if "--write" in sys.argv:
            page.parent.mkdir(exist_ok=True)
            page.write_text(code(), encoding="utf-8")
        elif not page.exists() or page.read_text(encoding="utf-8") != code():
            name = page.relative_to(ROOT)
            sys.exit(f"{name} is not what the code gives. Renew it: nox -s docs -- --write")
    if "--write" in sys.argv:
        return
    whole = "--whole" in sys.argv
    pages = [page for page in PAGES if page not in REFERENCE]
    with tempfile.TemporaryDirectory() as place:
        os.environ |= {"XDG_CACHE_HOME": str(Path(place, "cache")), "OMP_NUM_THREADS": "1"}
        furnish(Path(place))
        total = sum(run(page, Path(place), whole) for page in pages)
    print(f"{total} commands of the documentation ran.")


if __name__ == "__main__":
    main()
