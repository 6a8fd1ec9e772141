"""Runs whose reports are drawn once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from rdfc_core.report import write_report
from tests.support.paper_run import write_paper_run
from tests.support.run_folders import Folder


@pytest.fixture(scope="session")
def two_classes(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A finished run with one hold-out split and hostile case ids; its report is drawn."""
    folder = Folder(tmp_path_factory.mktemp("two") / "run")
    write_report(folder.write())
    return folder


@pytest.fixture(scope="session")
def four_classes(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A finished run in five folds with hostile class names; its report is drawn."""
    folder = Folder(
        tmp_path_factory.mktemp("four") / "run",
        classes=("benign <b>", "$x_1$ <svg onload=alert(5)>", "third", "_fourth"),
        cases=96,
        splits=tuple(f"fold-{k}" for k in range(1, 6)),
        seed=1,
    )
    write_report(folder.write())
    return folder


@pytest.fixture(scope="session")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run of ``evaluate: paper``; its report is drawn."""
    folder = write_paper_run(tmp_path_factory.mktemp("paper") / "run")
    write_report(folder)
    return folder
