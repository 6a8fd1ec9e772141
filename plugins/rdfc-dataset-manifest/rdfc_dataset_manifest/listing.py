"""From the rows of a list to cases, with every problem on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from rdfc_core.case import Case
from rdfc_core.interfaces import Problem
from rdfc_dataset_manifest.columns import Columns, find_columns
from rdfc_dataset_manifest.config import ManifestConfig
from rdfc_dataset_manifest.table import Row, read_table

DEFAULT_NAME = "manifest.csv"
MASK_VALUE_FIX = "Write a whole number other than 0, or leave it empty for every value but 0."
PYRADIOMICS_FIX = (
    "In a list without the column case_id, as in PyRadiomics' batch files, Label is the mask's "
    "value, a whole number from 1. If it is the class, set label_column or add case_id."
)


@dataclass(frozen=True)
class Listing:
    """What a list says.

    Args:
        cases: The cases whose rows are sound.
        problems: What is wrong with the other rows, or with the list itself.
        split: The column that holds the split, as the header writes it.
    """

    cases: Sequence[Case]
    problems: Sequence[Problem]
    split: str | None = None


def read_listing(config: ManifestConfig) -> Listing:
    """All cases and all problems of the list that the configuration names."""
    path, base = _locate(config)
    table = read_table(path)
    if not table.columns:
        return Listing((), table.problems)
    columns, problems = find_columns(table.columns, config.label_column, config.split_column)
    problems = [*table.problems, *problems]
    if columns is None:
        return Listing((), problems)
    sound: list[tuple[Row, Case]] = []
    for row in table.rows:
        wrong = _row_problems(row, columns, path)
        problems += wrong
        if not wrong:
            sound.append((row, _case(row, columns, config, base)))
    if columns.case_id is None:
        sound = _named_by_files(sound, columns)
    problems += _repeated(sound, path)
    return Listing(_with_patients([case for _, case in sound]), problems, columns.split)


def has_column(config: ManifestConfig, name: str) -> bool:
    """Whether the list that the configuration names has such a column, in whatever case."""
    path, _ = _locate(config)
    return name.casefold() in {column.casefold() for column in read_table(path).columns}


def _locate(config: ManifestConfig) -> tuple[Path, Path]:
    """The list, and the folder from which its relative paths start."""
    if config.csv is not None:
        return config.csv, config.root or config.csv.parent
    root = config.root or Path()  # one of the two is set: the configuration sees to it
    return (root / DEFAULT_NAME, root) if root.is_dir() else (root, root.parent)


def _row_problems(row: Row, columns: Columns, path: Path) -> list[Problem]:
    case_id = row.cells[columns.case_id] if columns.case_id else ""
    problems = []

    def wrong(field: str, message: str, fix: str) -> None:
        problems.append(Problem(case_id, field, f"{path}, line {row.line}: {message}", fix))

    if columns.case_id and not case_id:
        wrong("case_id", f"{columns.case_id} is empty", "Give each case an id.")
    for role, column in (("image", columns.image), ("mask", columns.mask)):
        if not row.cells[column]:
            wrong(role, f"{column} is empty", "Name the file, or drop the line.")
    if columns.mask_value:
        text = row.cells[columns.mask_value]
        value = _whole_number(text)
        as_label = columns.mask_value.casefold() == "label"
        if text and (not value or (as_label and value < 0)):
            fix = PYRADIOMICS_FIX if as_label else MASK_VALUE_FIX
            wrong("mask_value", f"{columns.mask_value} is {text!r}", fix)
    return problems


def _whole_number(text: str) -> int | None:
    try:
        number = float(text)  # spreadsheets write 1.0 for 1
    except ValueError:
        return None
    return int(number) if number.is_integer() else None


def _case(row: Row, columns: Columns, config: ManifestConfig, base: Path) -> Case:
    """The case of a sound row; its id and patient are "" where the row does not say."""

    def cell(column: str | None) -> str:
        return row.cells[column] if column else ""

    mask_value = _whole_number(cell(columns.mask_value))
    return Case(
        case_id=cell(columns.case_id),
        patient_id=cell(columns.patient_id),
        image=base / _portable(cell(columns.image)),
        mask=base / _portable(cell(columns.mask)),
        label=cell(columns.label) or None,
        mask_value=config.mask_value if mask_value is None else mask_value,
        component=config.component,
        columns={name: text for name, text in row.cells.items() if name not in columns.taken},
    )


def _portable(path: str) -> str:
    """A path as Windows programs write it works elsewhere too."""
    return path.replace("\\", "/")


def _named_by_files(sound: Sequence[tuple[Row, Case]], columns: Columns) -> list[tuple[Row, Case]]:
    """Each case named by its image, or by as much more as makes all names different."""

    def image(row: Row) -> str:
        return _portable(row.cells[columns.image])

    def whole(row: Row) -> str:
        return "_".join(PurePosixPath(_stem(image(row))).parts).strip("/_.")

    def with_mask(row: Row) -> str:
        return f"{whole(row)}_{_stem(PurePosixPath(_portable(row.cells[columns.mask])).name)}"

    def with_value(row: Row) -> str:
        return f"{with_mask(row)}_{row.cells[columns.mask_value] if columns.mask_value else ''}"

    ways: list[Callable[[Row], str]] = [
        lambda row: _stem(PurePosixPath(image(row)).name),
        whole,
        with_mask,
        with_value,
    ]
    names: list[str] = []
    for name in ways:
        names = [name(row) for row, _ in sound]
        if len(set(names)) == len(names):
            break
    return [
        (row, replace(case, case_id=name)) for name, (row, case) in zip(names, sound, strict=True)
    ]


def _stem(path: str) -> str:
    """Without the ending, ``.nii.gz`` counting as one."""
    path = path.removesuffix(".gz")
    return path.removesuffix(PurePosixPath(path).suffix)


def _repeated(sound: Sequence[tuple[Row, Case]], path: Path) -> list[Problem]:
    seen: dict[str, int] = {}
    problems = []
    for row, case in sound:
        first = seen.setdefault(case.case_id, row.line)
        if first != row.line:
            message = f"{path}, lines {first} and {row.line}: both are the case {case.case_id!r}"
            fix = "Give each case an id of its own, or drop one of the lines."
            problems.append(Problem(case.case_id, "case_id", message, fix))
    return problems


def _with_patients(cases: Sequence[Case]) -> list[Case]:
    """A case without a patient is its own, or that of another case of the same image."""
    owners: dict[Path, str] = {}
    for case in cases:
        if case.patient_id:
            owners.setdefault(case.image, case.patient_id)
    return [
        case
        if case.patient_id
        else replace(case, patient_id=owners.setdefault(case.image, case.case_id))
        for case in cases
    ]
