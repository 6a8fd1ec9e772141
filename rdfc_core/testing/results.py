"""Results that the checks of sections and loggers show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rdfc_core.results.schema import Results


def example_results(evaluated: bool) -> Results:
    """Two methods by four metrics, or a run that only measured features."""
    from rdfc_core.results.schema import Results, Row
    from rdfc_core.results.vocabulary import BOTH_VIEWS, METRICS

    rows = [
        Row(
            table="linear",
            method=method,
            dataset="generated",
            input=BOTH_VIEWS,
            layer="features",
            classifier="logistic",
            metric=metric,
            mean=mean,
            sd=None,
            ci_low=mean - 0.1,
            ci_high=mean + 0.1,
            n_cases=40,
            folds=1,
            seeds=1,
        )
        for method, mean in (("rdfc", 0.8), ("radiomics", 0.7))
        for metric in METRICS[:4]
    ]
    dataset = {"name": "generated", "classes": ["benign", "malignant"], "cases": 40}
    return Results(rows=tuple(rows) if evaluated else (), dataset=dataset)
