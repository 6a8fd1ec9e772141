"""The command ``rdfc``. One file a command group; commands hold no logic.

Modules here stay light, so that help, listing and completion are quick: a command imports what it
needs when it runs.
"""

from __future__ import annotations

import errno
import sys
import traceback
from contextlib import nullcontext
from typing import Any

import typer

from rdfc_core.cli import (
    checklist,
    datasets,
    demo,
    doctor,
    export,
    features,
    plugins,
    predict,
    report,
    reproduce,
    run,
    runs,
    stability,
    store,
    suggest,
    validate,
)
from rdfc_core.cli.command import App
from rdfc_core.cli.streams import OutputError, kept_for_result, let_go, steady_streams
from rdfc_core.errors import RdfcError, out_of_memory
from rdfc_core.utils.signals import Terminated, heeding_signals
from rdfc_core.utils.training_extra import how_to_install

app = App(
    name="rdfc",
    help="Learn from tumours without labels: radiomics and deep features of one tumour agree.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("demo")(demo.demo)
app.command("run")(run.run)
app.command("extract")(run.extract)
app.command("pretrain")(run.pretrain)
app.command("evaluate")(run.evaluate)
app.command("predict")(predict.predict)
app.command("embed")(predict.embed)
app.command("validate")(validate.validate)
app.command("export")(export.export)
app.command("suggest")(suggest.suggest)
app.command("features")(features.features)
app.command("stability")(stability.stability)
app.command("report")(report.report)
app.command("checklist")(checklist.checklist)
app.command("reproduce")(reproduce.reproduce)
app.add_typer(datasets.app, name="datasets")
app.add_typer(runs.app, name="runs")
app.add_typer(store.app, name="store")
app.add_typer(plugins.app, name="plugins")
app.command("doctor")(doctor.doctor)

MENDED_BY_PATH = (
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR),
    *(errno.EISDIR, errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG),
)
"""What the system refuses because of a name or of permissions."""

OUR_FAULT, YOUR_FAULT, INTERRUPTED, NO_READER = 1, 2, 130, 141

USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]
"""Click's class; newer releases of Typer carry a copy of click of their own, with its own class."""


@app.callback(invoke_without_command=True)
def _root(
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    if version:
        from rdfc_core import __version__

        typer.echo(f"rdfc {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line; every error the user can mend is one sentence and exit code 2."""
    with steady_streams():
        try:
            code = _guarded()
            sys.stdout.flush()
        except OutputError as error:
            code = _not_taken(error)
        finally:
            sys.stderr.flush()
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            let_go(stream)
    sys.exit(code)


def _machine_reads() -> bool:
    """Whether standard output is for another program: JSON, or the rows of `predict`."""
    return "--json" in sys.argv or sys.argv[1:2] == ["predict"]


def _guarded() -> int:
    try:
        # Newer releases of Typer turn Ctrl-C into the exit code 130 themselves.
        with heeding_signals(), kept_for_result() if _machine_reads() else nullcontext():
            code = app(prog_name="rdfc", standalone_mode=False)
    except USAGE_ERROR as error:
        usage: Any = error
        usage.show()
        code = YOUR_FAULT
    except (typer.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except Terminated as error:
        code = 128 + error.number
    except RdfcError as error:
        code = _explain(str(error), error, YOUR_FAULT)
    except OutputError:
        raise
    except OSError as error:
        code = _system(error)
    except Exception as error:
        code = _unforeseen(error)
    code = code if isinstance(code, int) else 0
    if code >= INTERRUPTED - 1:
        _say("Interrupted. What is finished is kept: the same command goes on from there.")
    return code


def _unforeseen(error: Exception) -> int:
    if isinstance(error, RuntimeError) and str(error).startswith("Symlink loop"):
        # What pathlib raises in place of the system's ELOOP, before Python 3.13.
        return _explain(f"{error}: links lead to each other. Check the path.", error, YOUR_FAULT)
    if isinstance(error, ImportError) and (sentence := how_to_install(error)):
        return _explain(sentence, error, YOUR_FAULT)
    from rdfc_core.plugin.attribution import explain

    return _explain(explain(error), error, YOUR_FAULT if out_of_memory(error) else OUR_FAULT)


def _not_taken(error: OutputError) -> int:
    """What was computed is kept; only the tables are not all shown."""
    if error.closed:
        return NO_READER
    return _explain(
        f"Standard output cannot be written ({error}). What is finished is kept: the same command "
        "shows it again.",
        error,
        YOUR_FAULT,
    )


def _system(error: OSError) -> int:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _explain(
            f"The disk is full{where}. What is finished is kept: free some space, and the same "
            "command goes on from there.",
            error,
            YOUR_FAULT,
        )
    if error.errno in MENDED_BY_PATH:
        return _explain(
            f"{error.strerror}{where}. Check the path and its permissions.", error, YOUR_FAULT
        )
    return _explain(f"The system refused: {error}.", error, OUR_FAULT)


def _explain(sentence: str, error: Exception, code: int) -> int:
    if "--debug" in sys.argv:
        traceback.print_exception(error)
    _say(sentence)
    return code


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
