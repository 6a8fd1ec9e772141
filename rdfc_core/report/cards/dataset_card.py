"""The dataset card: which cases a run had, and what became of them; from results alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rdfc_core.report import text
from rdfc_core.report.cards.markdown import bullets, front_matter, plain, section, table
from rdfc_core.report.checklist.evidence import CaseEvidence, Evidence
from rdfc_core.results import files

MOST_LISTED = 20
"""Cases that are named before a list breaks off."""

AXES = {2: ("rows", "columns"), 3: ("planes", "rows", "columns")}
UNITS = {2: "mm²", 3: "mm³"}


def dataset_card(run: Evidence) -> str:
    """The card as Markdown; no name of a patient stands in it.

    Args:
        run: Evaluated, with a saved model.
    """
    data = run.results.dataset
    lines = [
        *front_matter({"tags": ["medical-imaging", "tumour"], "pretty_name": data.name}),
        f"# Dataset card: {plain(data.name)} in the run {plain(run.run.name)}",
        "",
        f"{text.count(data.cases or 0, 'case')} of {text.count(data.patients or 0, 'patient')}: "
        "images of tumours with their outlines.",
        *section("Source", bullets(_source(run))),
        *section("Cases by class and part", *_parts(run)),
        *section("Images", bullets(_images(run))),
        *section("What each case was used for", *_uses(run)),
        *section("Left out", bullets(_left_out(run))),
        *section("Missing features", bullets(_missing(run))),
        *section("Equal content", bullets(_duplicates(run))),
        *section("What was found in the data", bullets(_findings(run))),
    ]
    return "\n".join(lines) + "\n"


def _source(run: Evidence) -> Iterator[str]:
    data = run.results.dataset
    yield data.citation or "The data set names no publication. Say where the data come from."
    yield "Licence, consent and ethics are not known to a run: the owners of the data have to say."


def _parts(run: Evidence) -> Iterator[list[str]]:
    data = run.results.dataset
    labels = (*data.classes, "") if data.classes else ("",)
    rows = []
    for split in run.splits:
        taught = set(run.pretext(split))
        parts = {
            "pretraining": [one for one in run.cases if one.case_id in taught and not one.failed],
            "training with labels": run.part(split, "train"),
            "test": run.part(split, "test"),
        }
        rows += [(split, part, *_counts(cases, labels)) for part, cases in parts.items()]
    if rows:
        names = [plain(label or "all other") for label in labels]
        yield table(("Split", "Part", "Cases", "Patients", *names), rows)
    if data.numbers:
        told = ", ".join(f"{key.replace('_', ' ')} {v:.4g}" for key, v in data.numbers.items())
        yield [f"Labels are numbers: {told}."]


def _counts(cases: list[CaseEvidence], labels: tuple[str, ...]) -> list[str]:
    known = set(labels) - {""}
    found = [str(len(cases)), str(len({one.patient for one in cases}))]
    for label in labels:
        own = [c for c in cases if (c.label == label if label else c.label not in known)]
        found.append(str(len(own)))
    return found


def _images(run: Evidence) -> Iterator[str]:
    told: Any = run.recorded(files.RESULTS, "dataset.images") or {}
    boxes = told.get("box_mm") or []
    if boxes:
        for axis, (low, middle, high) in zip(AXES[len(boxes)], boxes, strict=True):
            yield (
                f"Outlines along {axis}: median {middle:.3g} mm, from {low:.3g} to {high:.3g} (a "
                "picture without a spacing counts a pixel as 1 mm)."
            )
        low, middle, high = told["sample_size"]
        yield (
            f"One {'pixel' if len(boxes) == 2 else 'voxel'}: median {middle:.3g} "
            f"{UNITS[len(boxes)]}, from {low:.3g} to {high:.3g}."
        )
    for model in list(run.models.values())[:1]:
        cases = model.about.get("cases") or {}
        scale = cases.get("grey_scale") or {}
        if scale.get("depths"):
            yield f"Grey values: {', '.join(scale['depths'])}."
        if cases.get("readers"):
            yield f"Read by: {', '.join(cases['readers'])}."
        if cases.get("images"):
            yield f"Images of each case: {', '.join(cases['images'])}."
        if cases.get("columns"):
            yield f"Columns that views see: {', '.join(cases['columns'])}."
        values = cases.get("mask_values") or []
        marked = ["every value but 0" if one is None else str(one) for one in values]
        if marked:
            kinds = ", ".join(cases.get("components") or [])
            yield f"A tumour is marked by {', '.join(marked)} in its mask ({kinds} components)."


def _uses(run: Evidence) -> Iterator[list[str]]:
    uses = run.results.dataset.uses
    if uses:
        rows = [(one.what if one.used else f"unused: {one.what}", one.cases) for one in uses]
        yield table(("Use", "Cases"), rows)


def _left_out(run: Evidence) -> Iterator[str]:
    failed = run.results.failed
    if not failed:
        yield "No case was left out for its files."
        return
    yield f"{text.count(len(failed), 'case')} could not be used:"
    for one in failed[:MOST_LISTED]:
        yield f"{one.case_id}: {one.reason}"
    if len(failed) > MOST_LISTED:
        yield f"… and {len(failed) - MOST_LISTED} more, in {files.RESULTS}."


def _missing(run: Evidence) -> Iterator[str]:
    missing = run.results.missing
    if not missing:
        yield "No case lacks a feature."
        return
    yield f"{text.count(len(missing), 'feature')} of some cases, by {files.RESULTS}; for example:"
    for one in missing[:3]:
        yield f"{one.feature}: {text.count(one.cases or 0, 'case')}. {one.reason}"


def _duplicates(run: Evidence) -> Iterator[str]:
    for what, key in (("image and outline", "content"), ("image", "image")):
        known = [getattr(one, key) for one in run.cases if getattr(one, key)]
        if not known:
            yield f"Equal {what}: not recorded."
            continue
        repeated = len(known) - len(set(known))
        yield f"Equal {what} as an earlier case: {text.count(repeated, 'case')} of {len(known)}."
    yield "Pictures that are nearly equal were not looked for."


def _findings(run: Evidence) -> Iterator[str]:
    yield from run.results.warnings
    if not run.results.warnings:
        yield "Nothing was doubtful."
