"""The filled lists as pages: Markdown for a paper's supplement, HTML to read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rdfc_core.report.checklist.answer import (
    AUTHORS,
    MET,
    NOT_APPLICABLE,
    NOT_MET,
    PARTLY,
    Status,
)
from rdfc_core.report.checklist.evidence import Evidence, read_evidence
from rdfc_core.report.checklist.filled import FilledList, QualityScore, fill
from rdfc_core.report.checklist.items import LICENCE, LISTS, SOURCES, ListName
from rdfc_core.report.page import environment, style
from rdfc_core.report.text import count
from rdfc_core.results import files
from rdfc_core.utils.atomic import replacing

MARKDOWN, HTML = files.CHECKLIST, files.CHECKLIST_PAGE

MEANING: dict[Status, str] = {
    MET: "The run did what the item asks for, or its folder holds the facts that the item asks to "
    "be told; what stands behind it shows where.",
    PARTLY: "It holds some of that; the answer says what is missing.",
    NOT_MET: "The run shows that it was not done, or does not record it.",
    NOT_APPLICABLE: "The item asks for what this study does not have.",
    AUTHORS: "No run can know it.",
}

MARKS: dict[Status, str] = {MET: "✓", PARTLY: "◐", NOT_MET: "✗", NOT_APPLICABLE: "–", AUTHORS: "✎"}
"""Beside the words, so that a column can be read at a glance."""

CAVEAT = (
    "Every answer is read from the files of the run folder. It tells what the run did, and not "
    "whether the paper says so: the authors have to write it there, and answer what is theirs."
)


def write_checklist(
    folder: Path,
    out: Path | None = None,
    lists: Sequence[ListName] = LISTS,
    validations: Sequence[Path] = (),
) -> tuple[tuple[FilledList, ...], Path]:
    """Fill the lists from a run folder, and write ``checklist.md`` and ``checklist.html``.

    Args:
        folder: The run folder.
        out: Where the pages go; None: the run folder.
        lists: Which lists.
        validations: Folders that ``rdfc validate`` wrote, beside those within the run folder.

    Returns:
        The filled lists, and the path of the HTML page.

    Raises:
        DataError: If the folder holds no finished run, or a file is damaged.
    """
    run = read_evidence(folder, validations)
    filled = tuple(fill(run, name) for name in lists)
    place = folder if out is None else out
    place.mkdir(parents=True, exist_ok=True)
    _write(place / MARKDOWN, markdown(run, filled))
    _write(place / HTML, html(run, filled))
    return filled, place / HTML


def _write(path: Path, text: str) -> None:
    with replacing(path) as partial:
        partial.write_bytes(text.encode("utf-8", errors="replace"))


def html(run: Evidence, filled: Sequence[FilledList]) -> str:
    """The page as HTML; the same run gives the same text."""
    return (
        environment()
        .get_template("checklist.html.j2")
        .render(
            style=style(),
            run=run.run.name,
            lists=filled,
            sources=SOURCES,
            licence=LICENCE,
            meaning=MEANING,
            marks=MARKS,
            order={status: place for place, status in enumerate(MEANING, start=1)},
            caveat=CAVEAT,
            counted=counted,
            scored=scored,
        )
    )


def markdown(run: Evidence, filled: Sequence[FilledList]) -> str:
    """The page as Markdown."""
    lines = [f"# Reporting checklists of the run {_cell(run.run.name)}", "", CAVEAT, ""]
    lines += [f"- {MARKS[status]} **{status}**: {text}" for status, text in MEANING.items()]
    for one in filled:
        source = SOURCES[one.name]
        lines += ["", f"## {source.title}", "", counted(one), ""]
        if one.score:
            lines += [scored(one.score), ""]
        weighted = one.score is not None
        head = ["No.", "Section", "Item", *(["Weight"] if weighted else []), "Answer", "Evidence"]
        lines += [_row(head), _row(["---"] * len(head))]
        for filled_item in one.items:
            item, answer = filled_item.item, filled_item.answer
            cells = [item.number, item.section, item.text]
            cells += [f"{item.weight:.4f}"] if weighted else []
            cells.append(f"{MARKS[answer.status]} {answer.status}. {answer.text}")
            cells.append("; ".join(map(str, answer.proofs)))
            lines.append(_row([_cell(cell) for cell in cells]))
        lines += ["", f"{source.citation}. https://doi.org/{source.doi}. Items: {LICENCE}."]
    return "\n".join(lines) + "\n"


def counted(filled: FilledList) -> str:
    """``58 items: 12 met, 5 partly, …``."""
    told = ", ".join(f"{number} {status}" for status, number in filled.counts.items())
    return f"{count(len(filled.items), 'item')}: {told}."


def scored(score: QualityScore) -> str:
    """The score's bounds in a sentence."""
    told = (
        f"METRICS score: {score.low:.1f} % if all that is open were answered with no, "
        f"{score.high:.1f} % if with yes ({score.bands}). Open are {count(len(score.open), 'item')}"
        f" ({', '.join(score.open)}): left to the authors, or partly met."
    )
    if score.left_out:
        told += f" Left out, since they do not apply: {', '.join(score.left_out)}."
    return told


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    """Text that stays in its cell, and is no markup."""
    flat = " ".join(text.split())
    return flat.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "\\`")
