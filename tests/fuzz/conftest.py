"""One sandbox and one guard for all malformed inputs, and the table of what came of them."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator

import pytest

from tests.fuzz.guard import HEADING, Guard
from tests.fuzz.mutations import CANARY

_guards: list[Guard] = []


@pytest.fixture(scope="session")
def guard(tmp_path_factory: pytest.TempPathFactory) -> Guard:
    """Watches over the sandbox, among whose inputs lies code that nothing may run."""
    guard = Guard(tmp_path_factory.mktemp("sandbox"))
    for name in (f"{CANARY}.py", "sitecustomize.py", "model.py", "config.py"):
        (guard.inputs / name).write_text("raise SystemExit('it ran')\n", encoding="utf-8")
    _guards.append(guard)
    return guard


@pytest.fixture(scope="module", autouse=True)
def _in_the_sandbox(guard: Guard) -> Iterator[None]:
    """Work in it, with the inputs on Python's path; compiled files would count as changes."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "TMPDIR"):
            patch.setenv(variable, str(guard.home))
        patch.setattr(sys, "path", [*sys.path, str(guard.inputs)])
        patch.setattr(sys, "dont_write_bytecode", True)
        patch.chdir(guard.here)
        yield


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Libraries warn of much that is malformed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    tallies = {kind: tally for guard in _guards for kind, tally in guard.tallies.items()}
    if tallies:
        terminalreporter.write_sep("-", "malformed inputs")
        terminalreporter.write_line(HEADING)
        for kind, tally in sorted(tallies.items()):
            terminalreporter.write_line(f"{kind:<14} {tally}")
        total = sum(tally.inputs for tally in tallies.values())
        terminalreporter.write_line(f"{'all':<14} {total:7d}")
