"""What the tests of core share: small components that are really installed, and small data."""

from __future__ import annotations

import csv
import logging
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from filelock import FileLock

from rdfc_core.case import Case
from rdfc_core.data.readers.auto import AutoReader
from rdfc_core.plugin import registry as plugins
from rdfc_core.plugin.registry import Registry
from tests.support.command import Done

if TYPE_CHECKING:
    from rdfc_core.extraction.store import Store
    from rdfc_core.pipeline.context import RunContext

# Before torch is loaded, and for every process that tests start: networks this small only lose by
# a second thread, and sums of another order are not equal bit for bit.
os.environ["OMP_NUM_THREADS"] = "1"

ROOT = Path(__file__).parent.parent

LONGEST = (
    "tests/config/test_study_effects.py",
    "tests/cli/test_cli_processes.py",
    "tests/cli/test_cli.py",
    "plugins/rdfc-executor-dask/tests/test_dask_executor.py",
    "tests/cli/test_cli_refusals.py",
    "tests/distributed/test_launcher.py",
    "tests/training/test_pretrain_resume.py",
    "tests/pipeline/test_run.py",
)
"""The files that take longest, the longest first."""

Once = Callable[[str, Callable[[Path], Any]], Path]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where processes share the files, begin with the longest: the last to end is a short one."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        order = {ROOT / name: place for place, name in enumerate(LONGEST)}
        items.sort(key=lambda item: order.get(item.path, len(order)))


@pytest.fixture(scope="session", autouse=True)
def small_distribution(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The small parts as an installed distribution: found through its metadata, here and below."""
    folder = tmp_path_factory.mktemp("site")
    write_distribution(folder, "rdfc-small-parts", "small = tests.support.small_plugin")
    sys.path.append(str(folder))
    plugins.installed.cache_clear()
    yield folder
    sys.path.remove(str(folder))
    plugins.installed.cache_clear()


def write_distribution(site: Path, name: str, *entry_points: str, version: str = "0.1.0") -> None:
    """The metadata that pip leaves of an installed distribution."""
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (info / "METADATA").write_text(metadata, encoding="utf-8")
    lines = "\n".join(["[rdfc]", *entry_points])
    (info / "entry_points.txt").write_text(lines + "\n", encoding="utf-8")


@pytest.fixture(scope="session")
def distribution() -> Callable[..., None]:
    """Writes the metadata of an installed distribution."""
    return write_distribution


@pytest.fixture(scope="session")
def outside(small_distribution: Path) -> dict[str, str]:
    """The environment of a process outside this one, where the small parts are installed, too."""
    path = os.pathsep.join([str(ROOT), str(small_distribution)])
    return {**os.environ, "PYTHONPATH": path}


@pytest.fixture(scope="session")
def rdfc() -> str:
    """The installed command."""
    return str(Path(sys.executable).with_name("rdfc"))


@pytest.fixture(scope="session")
def processes() -> ForkServerContext:
    """Starts real processes that have torch and rdfc loaded already: that takes seconds, once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["rdfc_core.pipeline.run"])
    return context


@pytest.fixture(scope="session")
def registry(small_distribution: Path) -> Registry:
    return plugins.installed()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    from rdfc_core.extraction.store import Store

    opened = Store(tmp_path / "store.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def run_context(registry: Registry, store: Store) -> RunContext:
    from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
    from rdfc_core.pipeline.context import RunContext

    return RunContext(registry, store, LocalExecutor(LocalExecutorConfig(workers=0)))


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """A function: the folder of a name, filled by the first process of the session that asks."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # which has a folder of its own within the session's
        base = base.parent

    def filled(name: str, fill: Callable[[Path], Any]) -> Path:
        folder, whole = base / name, base / f"{name}.whole"
        with FileLock(base / f"{name}.lock"):
            if not whole.exists():
                folder.mkdir()  # fails where another process has failed to fill it
                fill(folder)
                whole.touch()
        return folder

    return filled


@pytest.fixture(scope="session")
def pictures(once: Once) -> Path:
    """A folder of 36 pictures with masks and a manifest; not to be changed."""
    from tests.support import small_parts  # loads torch, which many tests do without

    return once("data", lambda place: small_parts.write_pictures(place / "pictures")) / "pictures"


@pytest.fixture(scope="session")
def reader(registry: Registry) -> AutoReader:
    return AutoReader.installed(registry)


@pytest.fixture(scope="session")
def cases(pictures: Path, reader: AutoReader) -> list[Case]:
    return read_cases(pictures, reader)


def read_cases(folder: Path, reader: AutoReader) -> list[Case]:
    """The cases of a folder that `small_parts.write_pictures` wrote."""
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return [
            Case(
                row["case_id"],
                row["patient_id"],
                folder / row["image"],
                folder / row["mask"],
                row["label"] or None,
                reader=reader,
            )
            for row in csv.DictReader(file)
        ]


@pytest.fixture(scope="session")
def finished(pictures: Path, once: Once) -> Path:
    """The folder of a finished run of the small study; not to be changed."""
    from tests.support.small_study import QUICK, run_study

    def run(place: Path) -> None:
        run_study(pictures, place / "run", place / "store.sqlite", QUICK)

    return once("finished", run) / "run"


@pytest.fixture(scope="session")
def finished_tables(pictures: Path, once: Once) -> Path:
    """The folder of a finished run of the small study with all tables; not to be changed."""
    from tests.support.small_study import TABLES, run_study

    def run(place: Path) -> None:
        run_study(pictures, place / "run", place / "store.sqlite", TABLES)

    return once("tables", run) / "run"


@pytest.fixture(scope="session")
def cases_of() -> Callable[[Path, AutoReader], list[Case]]:
    """Reads the cases of a folder that `small_parts.write_pictures` wrote."""
    return read_cases


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    if torch := sys.modules.get("torch"):  # loaded before this file
        torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """The command line takes over the log of rdfc; the next test gets it back."""
    logger = logging.getLogger("rdfc")
    before = logger.handlers[:], logger.level, logger.propagate
    yield
    logger.handlers, logger.propagate = before[0], before[2]
    logger.setLevel(before[1])


@pytest.fixture
def rdfc_here(monkeypatch, capsys, tmp_path) -> Callable[..., Done]:
    """Runs a command in this process, in an empty folder, with a cache of its own."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    from rdfc_core import cli
    from rdfc_core.cli import console

    # A busy machine takes seconds for what is done at once: what waits says so elsewhere.
    monkeypatch.setattr(console, "FIRST_WORD_SECONDS", 3600)

    def run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["rdfc", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            cli.main()
        out, err = capsys.readouterr()
        return Done(int(caught.value.code or 0), out, err)

    return run


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a file system of the given size (``1m``), or mounts it again with another."""
    disk = tmp_path / "disk"
    disk.mkdir()

    def of_size(size: str) -> Path:
        how = f"remount,size={size}" if disk.is_mount() else f"size={size}"
        mount = ["mount", "-t", "tmpfs", "-o", how, "tmpfs", str(disk)]
        if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("needs the right to mount a small file system")
        return disk

    yield of_size
    if disk.is_mount():
        subprocess.run(["umount", "--lazy", str(disk)], check=True)  # a store may be open there


@pytest.fixture
def study_file(pictures: Path, tmp_path: Path) -> Path:
    from tests.support import small_study

    study = {**small_study.SMALL_STUDY, "dataset": f"manifest:root={pictures}"}
    study["pretrain"] = {"epochs": 1, "batch_size": 16, "checkpoint_steps": 1}
    study["evaluate"] = {**study["evaluate"], "bootstrap": 100}
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(study), encoding="utf-8")
    return path
