"""How often the test part of a run was evaluated: a line each time, which outlives the results.

Scores on a test part that is evaluated again and again are chosen by it. `rdfc run --overwrite`
keeps the record, since a test part that was seen stays seen; evaluations in other folders are not
known here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rdfc_core.data.splits import Split
from rdfc_core.results import files
from rdfc_core.results.case_set import CaseSet
from rdfc_core.utils.atomic import MOST_TEXT, replacing, within


def record_evaluation(
    folder: Path,
    splits: Sequence[Split],
    fingerprints: Mapping[str, str],
    judged: Mapping[Any, Any],
) -> None:
    """Add a line: when, on which cases, and how many variants were judged.

    Args:
        folder: The run folder.
        splits: Whose test parts were evaluated.
        fingerprints: Case id → fingerprint of its content.
        judged: What was judged, by variant; nothing is written where nothing was.
    """
    if not judged:
        return
    line = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "test": {split.name: CaseSet.of(split.test, fingerprints).model_dump() for split in splits},
        "variants": len(judged),
    }
    keep_evaluations(folder, f"{evaluations(folder)}{json.dumps(line)}\n")


def evaluations(folder: Path) -> str:
    """The record of the folder, a line an evaluation; empty if there is none."""
    path = folder / files.EVALUATIONS
    if not path.is_file():
        return ""
    text = within(path, MOST_TEXT).read_text(encoding="utf-8", errors="replace")
    return text if not text or text.endswith("\n") else f"{text}\n"


def keep_evaluations(folder: Path, text: str) -> None:
    """Write the record, whole or not at all; nothing if there is none."""
    if text:
        with replacing(folder / files.EVALUATIONS) as partial:
            partial.write_text(text, encoding="utf-8")
