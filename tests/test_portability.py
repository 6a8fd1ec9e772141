"""rdfc works where the system lacks what only POSIX, or only Linux, has.

The names are taken away in every process of the test, workers included. Third-party libraries keep
what they ask for: they have other code for such systems.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = ("fcntl", "grp", "pwd", "resource", "termios", "tty", "pty")
FROM_SIGNAL = ("SIGHUP", "SIGKILL", "SIGSTOP", "SIGCONT", "SIGALRM", "SIGUSR1", "SIGUSR2")
FROM_SIGNAL += ("setitimer", "ITIMER_REAL", "pthread_sigmask")
FROM_OS = ("fork", "forkpty", "getuid", "geteuid", "sched_getaffinity", "sysconf", "killpg")
FROM_OS += ("setsid", "statvfs", "fchmod", "register_at_fork", "O_NOFOLLOW", "O_CLOEXEC")

TAKE_AWAY = f"""
import builtins, os, signal, sys
import_module = builtins.__import__

class Without:
    '''A module as a system has it that lacks some of its names.'''
    def __init__(self, module, names):
        self.__dict__.update((k, v) for k, v in vars(module).items() if k not in names)

without = {{
    "os": Without(os, {FROM_OS!r}),
    "signal": Without(signal, {FROM_SIGNAL!r}),
}}

def importing(name, globals=None, locals=None, fromlist=(), level=0):
    if ((globals or {{}}).get("__name__") or "").partition("_")[0] == "rdfc":
        if name in {MODULES!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
        if name in without:
            return without[name]
    return import_module(name, globals, locals, fromlist, level)

builtins.__import__ = importing
"""
"""A ``sitecustomize``: Python runs it in every process that finds it on its path."""

IMPORT_ALL = """
import importlib, pathlib, sys
failed = []
for folder in map(pathlib.Path, sys.argv[1:]):
    for path in sorted(folder.rglob("*.py")):
        name = ".".join(path.relative_to(folder.parent).with_suffix("").parts)
        name = name.removesuffix(".__init__")
        if name.endswith("__main__") or "templates" in name:
            continue
        try:
            importlib.import_module(name)
        except Exception as error:
            failed.append(f"{name}: {error!r}")
sys.exit("\\n".join(failed) or None)
"""


@pytest.fixture
def elsewhere(tmp_path: Path) -> dict[str, str]:
    """The environment of a process on such a system."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(TAKE_AWAY, encoding="utf-8")
    return {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "XDG_CACHE_HOME": str(tmp_path)}


def run(environment: dict[str, str], *command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)), env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "line", ["import resource", "import os; os.fork", "import signal; signal.SIGHUP"]
)
def test_the_names_are_really_gone(elsewhere, tmp_path, line):
    (tmp_path / "rdfc_sample.py").write_text(line, encoding="utf-8")
    elsewhere["PYTHONPATH"] += os.pathsep + str(tmp_path)
    for module, expected in (("rdfc_sample", 1), ("json", 0)):
        assert run(elsewhere, sys.executable, "-c", f"import {module}").returncode == expected


def test_every_module_is_imported_without_them(elsewhere):
    packages = [ROOT / "rdfc_core", *sorted(ROOT.glob("plugins/*/rdfc_*"))]
    done = run(elsewhere, sys.executable, "-c", IMPORT_ALL, *packages)
    assert done.returncode == 0, done.stderr


def test_a_study_runs_without_them(elsewhere, rdfc, tmp_path):
    """Two workers extract, a network is trained and saved, and a report is written."""
    study = ("run", "--dataset", "phantom:cases=40,image_size=[32,32]")
    study += ("--encoder", "timm:model=resnet10_half", "--set", "views.image.size=[32,32]")
    study += ("--set", "pretrain.steps=2", "--set", "evaluate.bootstrap=100")
    study += ("--set", "evaluate.supervised.epochs=1", "--set", "evaluate.supervised.min_steps=0")
    study += ("--set", "evaluate.controls=[]", "--executor", "local:workers=2")
    study += ("--store", str(tmp_path / "store.sqlite"), "--out", str(tmp_path / "run"))
    done = run(elsewhere, rdfc, *study)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "report.html").exists()
