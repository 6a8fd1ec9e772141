"""From a folder or a spreadsheet to the list that the data set ``manifest`` reads."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rdfc_core.data.manifest.bids import Bids
from rdfc_core.data.manifest.case_folders import CaseFolders
from rdfc_core.data.manifest.folders import ClassFolders, PairedFolders
from rdfc_core.data.manifest.nnunet import NnUNet
from rdfc_core.errors import DataError, StudyError, did_you_mean
from rdfc_core.interfaces.layout import ONLY, Found, FoundCase, Layout, LayoutOptions
from rdfc_core.utils.atomic import replacing

LAYOUTS: Mapping[str, Layout] = {
    one.name: one for one in (NnUNet(), Bids(), PairedFolders(), ClassFolders(), CaseFolders())
}


def find_cases(
    root: Path, layout: str | None, options: LayoutOptions, more: Sequence[Layout] = ()
) -> tuple[Layout, Found]:
    """The cases of a folder, and the layout by which they were found.

    Args:
        root: The folder.
        layout: Name of one of `LAYOUTS` or of ``more``; None: the one that recognises the folder.
        options: What the user says about the files.
        more: Layouts that readers bring along.

    Raises:
        StudyError: If there is no such layout.
        DataError: If the folder is none, or no layout or several recognise it.
    """
    if not root.is_dir():
        raise DataError(f"{root} is no folder. Name a folder of images and masks, or a table.")
    layouts = {**LAYOUTS, **{one.name: one for one in more}}
    if layout is not None and layout not in layouts:
        raise StudyError(
            f"--layout {layout}: there is no such layout.{did_you_mean(layout, tuple(layouts))} "
            f"Known: {', '.join(layouts)}."
        )
    if layout is None and (options.image_dir or options.mask_dir):
        layout = PairedFolders.name
    chosen = layouts[layout] if layout is not None else _recognised(root, layouts)
    return chosen, chosen.find(root, options)


def _recognised(root: Path, layouts: Mapping[str, Layout]) -> Layout:
    found = [one for one in layouts.values() if one.recognises(root)]
    if len(found) == 1:
        return found[0]
    known = "; ".join(f"{one.name}, {one.title}" for one in layouts.values())
    if not found:
        raise DataError(
            f"{root}: how images and masks are laid out there is not clear. Say it by --layout "
            f"({known}), or name the folders by --image-dir and --mask-dir."
        )
    names = " and ".join(one.name for one in found)
    raise DataError(f"{root} looks like {names}. Say which by --layout.")


def with_patients(found: Found, pattern: str) -> Found:
    """The cases with patients whose ids are a part of theirs.

    Args:
        found: The cases.
        pattern: Regular expression with one group, looked for in the case's id.

    Raises:
        StudyError: If it is none, has no group or several, or a case's id does not hold it.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise StudyError(f"--patient {pattern}: no regular expression ({error}).") from error
    if compiled.groups != 1:
        raise StudyError(
            f"--patient {pattern}: put the patient's id, and nothing else, into brackets, as in "
            "'(P[0-9]+)_.*'."
        )
    cases = []
    for case in found.cases:
        match = compiled.search(case.case_id)
        if match is None or not match[1]:
            raise StudyError(
                f"--patient {pattern}: the case {case.case_id!r} has no such part. Change the "
                "pattern so that it fits every case."
            )
        cases.append(replace(case, patient_id=match[1]))
    return replace(found, cases=cases)


def write_manifest(out: Path, cases: Sequence[FoundCase]) -> list[str]:
    """Write the list; paths below its folder are relative to it. Returns its columns.

    Raises:
        DataError: If a column that is kept has the name of one that the list has for itself.
    """
    folder = out.absolute().parent
    images = list(dict.fromkeys(name for case in cases for name in case.images))
    masks = list(dict.fromkeys(name for case in cases for name in case.masks))
    header = ["case_id"]
    header += ["patient_id"] * any(case.patient_id is not None for case in cases)
    header += [_column("image", name) for name in images]
    header += [_column("mask", name) for name in masks]
    header += ["label"] * any(case.label is not None for case in cases)
    further = list(dict.fromkeys(name for case in cases for name in case.columns))
    if clash := [name for name in further if name in header]:
        raise DataError(
            f"The column {clash[0]!r} would be there twice. Rename it in the table, or say by "
            f"--column {clash[0]}='ITS NAME' that it is the one that is meant."
        )
    with replacing(out) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*header, *further], restval="")
        writer.writeheader()
        for case in cases:
            row = {"case_id": case.case_id, **case.columns}
            row |= {_column("image", n): _path(one, folder) for n, one in case.images.items()}
            row |= {_column("mask", n): _path(one, folder) for n, one in case.masks.items()}
            if "patient_id" in header:
                row["patient_id"] = case.patient_id or case.case_id
            if "label" in header:
                row["label"] = case.label or ""
            writer.writerow(row)
    return [*header, *further]


def write_doubts(out: Path, found: Found) -> None:
    """Write everything that was left out, a row each."""
    with replacing(out) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["what", "why", "what to do"])
        writer.writerows((one.what, one.why, one.fix) for one in found.doubts)


def _column(role: str, name: str) -> str:
    return role if name == ONLY else f"{role}.{name}"


def _path(path: Path, folder: Path) -> str:
    whole = path.absolute()
    return (whole.relative_to(folder) if whole.is_relative_to(folder) else whole).as_posix()
