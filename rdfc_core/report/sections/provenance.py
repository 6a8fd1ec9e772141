"""How it was made: the resolved study, versions, and what to cite."""

from __future__ import annotations

from dataclasses import dataclass

import yaml

from rdfc_core.report.run_data import RunData

PAPER = (
    "Zhao Z, Yang G. Unsupervised contrastive learning of radiomics and deep features for "
    "label-efficient tumor classification. Medical Image Computing and Computer Assisted "
    "Intervention (MICCAI) 2021."
)


@dataclass(frozen=True)
class Provenance:
    """What the section shows."""

    study: str
    versions: tuple[tuple[str, str], ...]
    citations: tuple[tuple[str, str], ...]


def provenance(run: RunData) -> Provenance:
    """The section; it is always there."""
    study = ""
    if run.study is not None:
        study = yaml.safe_dump(dict(run.study), sort_keys=False, allow_unicode=True)
    citations = [("Method", PAPER)]
    if run.results and run.results.dataset.citation:
        citations.append(("Data", run.results.dataset.citation))
    return Provenance(study, tuple(sorted(run.versions.items())), tuple(citations))
