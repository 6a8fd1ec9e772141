"""The data section: what is missing, and which cases are shown."""

from __future__ import annotations

import numpy as np

from rdfc_core.report.run_data import (
    DatasetFacts,
    Embeddings,
    FailedCase,
    MissingFeature,
    RecordedResults,
    RunData,
)
from rdfc_core.report.sections.data import data
from rdfc_core.views.thumbnail import thumbnail
from tests.support.run_folders import phantom


def test_features_that_are_missing_alike_share_a_row_the_most_missed_first():
    def missing(feature: str, cases: int, reason: str) -> MissingFeature:
        return MissingFeature(feature=feature, cases=cases, reason=reason)

    listed = [
        missing("shape_flatness", 1, "one plane"),
        *(missing(f"log_{name}", 2, "5 x 5 x 3 voxels") for name in ("a", "b", "c")),
        *(missing(f"log_{name}", 4, "5 x 5 x 2 voxels") for name in ("a", "b", "c")),
    ]
    section = data(RunData("r", results=RecordedResults(missing=listed)))
    assert section.missing_features == 4
    first, second = section.missing
    assert (first.feature, first.more_features, first.cases) == ("log_a", 2, "6")
    assert (first.reason, first.more_reasons) == ("5 x 5 x 2 voxels", 1)
    assert (second.feature, second.more_features, second.cases) == ("shape_flatness", 0, "1")


def test_long_lists_are_cut_and_the_rest_is_counted():
    failed = [FailedCase(case_id=f"c{i}", reason="cut short") for i in range(130)]
    section = data(RunData("r", results=RecordedResults(failed=failed)))
    assert len(section.failed) == 100
    assert section.failed_more == 30


def test_samples_are_spread_over_each_class_and_unlabelled_cases_come_last():
    ids = tuple(f"c{i:02d}" for i in range(40))
    labels = tuple(None if i >= 36 else "ab"[i % 2] for i in range(40))
    picture = thumbnail(phantom(0), 32)
    run = RunData(
        "r",
        results=RecordedResults(dataset=DatasetFacts(classes=("b", "a"))),
        embeddings=Embeddings("s", ids, ("train",) * 40, labels, np.zeros((40, 2))),
        pictures={**dict.fromkeys(ids, picture), "c01": b"damaged"},
    )
    section = data(run)
    assert [(s.label, len(s.pictures), s.of) for s in section.samples] == [
        ("b", 8, 17),
        ("a", 8, 18),
        ("unlabelled", 4, 4),
    ]
    shown = [case_id for case_id, _ in section.samples[0].pictures]
    assert shown == sorted(shown)
    assert shown[0] < "c06"
    assert shown[-1] > "c30"
    assert "1 picture in pictures.parquet cannot be decoded, the first of c01" in (
        section.damaged_pictures
    )
