"""What a call works with: the store, what runs the extraction, and who is told how far it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdfc_core.config.resolve import ResolvedPart, resolve_part
from rdfc_core.errors import StudyError, with_article
from rdfc_core.plugin.component import Kind, Part
from rdfc_core.plugin.registry import installed
from rdfc_core.utils.progress import Progress
from rdfc_core.utils.training_extra import can_train
from rdfc_core.utils.validation import validate

if TYPE_CHECKING:
    from rdfc_core.api.logger_choice import LoggerChoice
    from rdfc_core.distributed.launcher import ProcessGroupLauncher
    from rdfc_core.interfaces import Executor
    from rdfc_core.pipeline.context import RunContext


def run_context(
    store: str | Path | None,
    executor: str | Executor,
    progress: Progress | None = None,
    team: ProcessGroupLauncher | None = None,
    networks: bool = True,
    loggers: LoggerChoice | None = None,
) -> RunContext:
    """Registry, store, executor, progress and processes for a call.

    Args:
        store: The file that keeps what is extracted; None: in the user's cache.
        executor: As on the command line: ``local``, ``local:workers=4``, ``dask=ADDRESS``; or one
            that is built already.
        progress: Is told how far the work is; None: nobody.
        team: The processes that pretrain together; None: this one alone.
        networks: Whether torch will be loaded, which takes long.
        loggers: Told of what is run; None: nobody.

    Raises:
        StudyError: If the executor's text or an option of it does not fit.
        PluginError: If there is no such executor.
        DataError: If the store cannot be used.
    """
    progress = progress or Progress()
    if networks:
        announce_loading(progress)
    from rdfc_core.extraction.store import Store, default_store
    from rdfc_core.pipeline.context import RunContext

    if isinstance(executor, str):
        runs: Executor = executor_part(executor).build(installed())
    elif hasattr(executor, "run"):
        runs = executor
    else:
        raise StudyError(
            f"executor is {with_article(type(executor).__name__)}. Give a text, such as "
            "local:workers=4, or an object of rdfc_core.interfaces.Executor."
        )
    kept = Store(Path(store) if store is not None else default_store())
    context = RunContext(installed(), kept, runs, progress, team)
    if loggers is not None:
        context.loggers = loggers.build()
    return context


@contextmanager
def opened(
    store: str | Path | None,
    executor: str | Executor,
    progress: Progress | None = None,
    team: ProcessGroupLauncher | None = None,
    networks: bool = True,
    loggers: LoggerChoice | None = None,
) -> Iterator[RunContext]:
    """As `run_context`, with a store that is closed at the end."""
    context = run_context(store, executor, progress, team, networks, loggers)
    try:
        yield context
    finally:
        context.store.close()


def announce_loading(progress: Progress) -> None:
    """Say what takes long before anything can be seen of it."""
    if "torch" not in sys.modules and can_train():
        progress.say("Loading PyTorch and the plugins: seconds, and up to a minute the first time.")


def executor_part(text: str) -> ResolvedPart:
    """An executor as text; NAME=ADDRESS is short for NAME:address=ADDRESS.

    Raises:
        StudyError: If the text or an option does not fit.
        PluginError: If there is no such executor.
    """
    name, equals, address = text.partition("=")
    if equals and ":" not in name and "," not in name:
        return component("executor", name, "--executor", address=address)
    return component("executor", text, "--executor")


def component(kind: Kind, text: str, option: str, **extra: Any) -> ResolvedPart:
    """A component as text, such as ``native:parameters=ct``, validated.

    Args:
        kind: Its kind.
        text: Its name, and its options.
        option: What messages call it.
        extra: Further options; None leaves one out.

    Raises:
        StudyError: If the text or an option does not fit.
        PluginError: If there is no such component.
    """
    named = validate(Part, text, option)
    options = {**named.options, **{k: v for k, v in extra.items() if v is not None}}
    return resolve_part(kind, Part(name=named.name, options=options), installed(), option)
