"""``rdfc datasets build``: the list of cases of a folder or a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

import typer

from rdfc_core.cli import console
from rdfc_core.cli.streams import show_json
from rdfc_core.cli.table_file import check_out
from rdfc_core.data.cells import counted
from rdfc_core.data.manifest.build import find_cases, with_patients, write_doubts, write_manifest
from rdfc_core.data.manifest.label_table import joined
from rdfc_core.data.manifest.lesions import Lesions, split_into_lesions, with_mask_value
from rdfc_core.data.manifest.spreadsheet import ROLES, listed_cases
from rdfc_core.data.readers.auto import AutoReader
from rdfc_core.errors import StudyError, did_you_mean, one_line
from rdfc_core.interfaces.layout import Doubt, Found, LayoutOptions, SeveralMasks
from rdfc_core.plugin.registry import installed

LESIONS: tuple[str, ...] = get_args(Lesions)
SEVERAL_MASKS: tuple[str, ...] = get_args(SeveralMasks)
SHOWN = 10
"""Doubts in the terminal; all of them are in the file."""


@dataclass(frozen=True)
class BuildRequest:
    """What was said on the command line, in its order."""

    source: Path
    out: Path
    layout: str | None
    folders: tuple[Path | None, Path | None]
    patterns: tuple[str | None, str | None]
    several_masks: str
    by_folder: bool
    lesions: str | None
    mask_value: int | None
    smallest_mm: float
    patient: str | None
    labels: Path | None
    id_column: str
    label_column: str | None
    keep: Sequence[str]
    columns: Sequence[str]
    sheet: str | None
    overwrite: bool

    @property
    def doubts(self) -> Path:
        """The list of what was left out, beside the list of cases."""
        return self.out.with_name(f"{self.out.stem}.doubts.csv")


def build_manifest(request: BuildRequest, as_json: bool) -> None:
    """Find, join, write and say what was done.

    Raises:
        StudyError: If an option does not fit.
        DataError: If nothing can be read, or how files belong together is not clear.
    """
    for file in (request.out, request.doubts):
        read = [request.source if request.source.is_file() else None, request.labels]
        check_out(file, request.overwrite, read, (".csv",))
    how, found = _found(request)
    if request.patient is not None:
        found = with_patients(found, request.patient)
    if request.labels is not None:
        found = joined(
            found,
            request.labels,
            request.id_column,
            request.label_column,
            request.keep,
            request.sheet if request.source.is_dir() else None,
        )
    elif request.label_column or request.keep:
        raise StudyError("--label and --keep name columns of a table of labels. Give --labels.")
    found = _of_lesions(found, request)
    header = write_manifest(request.out, found.cases) if found.cases else []
    if found.doubts:
        write_doubts(request.doubts, found)
    elif request.doubts.exists():
        request.doubts.unlink()  # of an earlier list, which is replaced
    _say(request, how, found, header, as_json)
    if not found.cases:
        raise typer.Exit(2)


def _found(request: BuildRequest) -> tuple[str, Found]:
    """How the cases were found, in words, and what was found."""
    if request.several_masks not in SEVERAL_MASKS:
        raise StudyError(
            f"--several-masks {request.several_masks}: say {' or '.join(SEVERAL_MASKS)}."
        )
    if request.source.is_file():
        roles = _roles(request.columns)
        table = listed_cases(request.source, roles, request.source.parent, request.sheet)
        return "a table", table
    if request.columns:
        raise StudyError("--column names columns of a table, and the source is a folder.")
    several = cast(SeveralMasks, request.several_masks)
    options = LayoutOptions(*request.folders, *request.patterns, several, request.by_folder)
    more = AutoReader.installed(installed(), {}).layouts()
    layout, found = find_cases(request.source, request.layout, options, more)
    return layout.title, found


def _of_lesions(found: Found, request: BuildRequest) -> Found:
    """The cases with their mask value, once for each lesion if that is asked for."""
    if request.mask_value is not None:
        if request.lesions == "values":
            raise StudyError("--lesions values makes a case of each value; drop --mask-value.")
        found = with_mask_value(found, request.mask_value)
    if request.lesions is None:
        if request.smallest_mm:
            raise StudyError("--smallest-mm is about lesions. Say what they are by --lesions.")
        return found
    if request.lesions not in LESIONS:
        raise StudyError(
            f"--lesions {request.lesions}: there is no such choice."
            f"{did_you_mean(request.lesions, LESIONS)} Known: {', '.join(LESIONS)}."
        )
    return split_into_lesions(
        found,
        cast(Lesions, request.lesions),
        request.smallest_mm,
        AutoReader.installed(installed(), {}),
        console.DrawnProgress(),
    )


def _roles(said: Sequence[str]) -> dict[str, str]:
    roles: dict[str, str] = {}
    for text in said:
        role, is_said, name = text.partition("=")
        if not is_said or not name:
            raise StudyError(f"--column {text}: write ROLE=NAME, as in image='Image Path'.")
        if role not in ROLES:
            raise StudyError(
                f"--column {text}: there is no such role.{did_you_mean(role, ROLES)} "
                f"Known: {', '.join(ROLES)}."
            )
        roles[role] = name
    return roles


def _say(
    request: BuildRequest, how: str, found: Found, header: Sequence[str], as_json: bool
) -> None:
    cases = found.cases
    labels: dict[str, int] = {}
    for case in cases:
        if case.label:
            labels[case.label] = labels.get(case.label, 0) + 1
    if as_json:
        show_json(
            {
                "list": str(request.out) if cases else None,
                "layout": how,
                "cases": len(cases),
                "columns": list(header),
                "labels": labels,
                "notes": list(found.notes),
                "doubts": [{"what": d.what, "why": d.why, "fix": d.fix} for d in found.doubts],
            }
        )
        return
    patients = {case.patient_id for case in cases if case.patient_id}
    of_patients = f" of {counted(len(patients), 'patient')}" if patients else ""
    classes = ", ".join(f"{count} {label}" for label, count in sorted(labels.items()))
    say = console.out.print
    say(
        f"As {how}: {counted(len(cases), 'case')}{of_patients}; {classes or 'no labels'}.",
        markup=False,
    )
    for note in found.notes:
        say(one_line(note), markup=False)
    if cases and not patients:
        say("No patients are known: each case counts as one (--patient says where ids hold them).")
    if found.doubts:
        _show_doubts(found.doubts)
        say(f"All that was left out or is unlabelled: {request.doubts}", markup=False)
    if cases:
        say(f"Written: {request.out} ({', '.join(header)})", markup=False)
        say(f"Next: rdfc datasets check manifest --root {request.out}", markup=False)


def _show_doubts(doubts: Sequence[Doubt]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("", "why", "what to do"):
        table.add_column(heading, overflow="fold")
    for one in doubts[:SHOWN]:
        table.add_row(*map(one_line, (one.what, one.why, one.fix)))
    console.out.print(f"{counted(len(doubts), 'doubt')}:")
    console.out.print(table)
    if len(doubts) > SHOWN:
        console.out.print(f"… and {len(doubts) - SHOWN} more.")
