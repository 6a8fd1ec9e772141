"""``rdfc checklist``: reporting checklists filled from a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rdfc_core.cli import options
from rdfc_core.cli.predict import Run
from rdfc_core.cli.streams import show_json
from rdfc_core.errors import StudyError

if TYPE_CHECKING:
    from rdfc_core.report.checklist.filled import FilledList

Lists = Annotated[
    list[str] | None,
    typer.Option(
        "--list", metavar="NAME", help="clear, metrics or tripod-ai; repeatable.  [default: all]",
        show_default=False,
    ),
]  # fmt: skip
Validations = Annotated[
    list[Path] | None,
    typer.Option(
        "--validation",
        metavar="DIR",
        help="A folder that rdfc validate wrote on cases of another place; repeatable. Those "
        "within RUN are found.",
        show_default=False,
    ),
]


def checklist(
    run: Run,
    chosen: Lists = None,
    validation: Validations = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="A folder for checklist.md and checklist.html; RUN by default.",
            show_default=False,
        ),
    ] = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """CLEAR, METRICS and TRIPOD+AI, answered from the run's files; needs no data."""
    from rdfc_core.cli import console
    from rdfc_core.report.checklist.items import LISTS
    from rdfc_core.report.checklist.pages import write_checklist

    names = tuple(name for name in LISTS if chosen is None or name in chosen)
    for unknown in set(chosen or ()) - set(LISTS):
        raise StudyError(f"--list {unknown}: there is no such list. Choose {', '.join(LISTS)}.")
    with console.DrawnProgress().waiting("Reading the run"):
        filled, page = write_checklist(run.resolve(), out, names, validation or ())
    if as_json:
        show_json({one.name: _plain(one) for one in filled})
    else:
        show(filled)
        console.out.print(str(page), markup=False)


def show(filled: tuple[FilledList, ...]) -> None:
    """How many items have which answer, what is not met, and the score's bounds."""
    from rdfc_core.cli import console
    from rdfc_core.report.checklist.filled import missed
    from rdfc_core.report.checklist.items import SOURCES
    from rdfc_core.report.checklist.pages import counted, scored

    for one in filled:
        console.out.print(SOURCES[one.name].title, style="bold", markup=False)
        console.out.print(f"  {counted(one)}", markup=False, highlight=False)
        if one.score:
            console.out.print(f"  {scored(one.score)}", markup=False, highlight=False)
        for item in missed(one):
            told = f"  not met: {item.item.number} {item.item.text}. {item.answer.text}"
            console.out.print(told, markup=False, highlight=False)


def _plain(filled: FilledList) -> list[dict[str, object]]:
    return [
        {
            "number": one.item.number,
            "section": one.item.section,
            "item": one.item.text,
            "status": one.answer.status,
            "answer": one.answer.text,
            "evidence": [str(proof) for proof in one.answer.proofs],
        }
        for one in filled.items
    ]
