"""Cards: what a saved model is, and what it was made of, in plain text beside it.

Source of the sections: Mitchell et al. 2019 (model cards); Gebru et al. 2021 (data sheets).
"""

from __future__ import annotations

from pathlib import Path

from rdfc_core.report.cards.dataset_card import dataset_card
from rdfc_core.report.cards.model_card import model_card
from rdfc_core.report.checklist.evidence import read_evidence
from rdfc_core.report.run_data import RunData
from rdfc_core.results import files
from rdfc_core.utils.atomic import replacing


def write_cards(folder: Path, run: RunData) -> list[Path]:
    """Write both cards beside the models of a run that has been evaluated.

    Args:
        folder: The run folder.
        run: What the report sees of it.

    Returns:
        Their paths; none where no model is saved, or nothing was evaluated.

    Raises:
        DataError: If a file of the run is damaged.
    """
    models = folder / files.MODELS
    if run.results is None or not run.results.rows or not models.is_dir():
        return []
    evidence = read_evidence(folder, run=run)
    written = []
    for name, text in (
        (files.MODEL_CARD, model_card(evidence)),
        (files.DATASET_CARD, dataset_card(evidence)),
    ):
        with replacing(models / name) as partial:
            partial.write_bytes(text.encode("utf-8", errors="replace"))
        written.append(models / name)
    return written
