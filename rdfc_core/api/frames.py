"""Tables of numbers as DataFrames."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from rdfc_core.errors import DataError, StudyError
from rdfc_core.extraction.failures import Failure, grouped
from rdfc_core.extraction.features_table import ABOUT, named_features

if TYPE_CHECKING:
    import pandas as pd

    from rdfc_core.extraction.extract import Extraction
    from rdfc_core.pipeline.embeddings_table import Embedded

log = logging.getLogger("rdfc")

OnFailure = Literal["raise", "skip"]

HOW_TO_SKIP = "pass errors='skip'"
"""As calls say it; the command line has its own words."""


def refuse_failed(failures: Sequence[Failure], count: int, errors: OnFailure) -> None:
    """Say which cases could not be used.

    Args:
        failures: The cases, with reasons.
        count: How many cases there are.
        errors: ``raise``, or ``skip``: warn, and go on without them.

    Raises:
        DataError: If there are some, and they are not to be skipped.
        StudyError: If ``errors`` is neither.
    """
    if errors not in ("raise", "skip"):
        raise StudyError(f"errors is {errors!r}. Give 'raise' or 'skip'.")
    if not failures:
        return
    if errors == "raise":
        raise DataError(f"{unusable(failures, count)} To go on without them, {HOW_TO_SKIP}.")
    log.warning("%s", unusable(failures, count))


def unusable(failures: Sequence[Failure], count: int) -> str:
    """The sentences on cases that could not be used, each reason once."""
    return f"{len(failures)} of {count} cases could not be used. {' '.join(grouped(failures))}"


def embedding_rows(embedded: Sequence[Embedded]) -> tuple[list[dict[str, object]], list[str]]:
    """A row a vector, with a column a number; and the columns."""
    width = max((len(one.vector) for one in embedded), default=0)
    columns = ["split", "part", "case_id", "label", *(f"e{place}" for place in range(width))]
    rows: list[dict[str, object]] = [
        dict(
            zip(
                columns,
                (one.split, one.part, one.case_id, one.label, *one.vector.tolist()),
                strict=True,
            )
        )
        for one in embedded
    ]
    return rows, columns


def feature_frame(extraction: Extraction, prefixed: bool) -> pd.DataFrame:
    """Handcrafted features, a row a case and a column a feature; NaN where a case lacks one.

    Args:
        extraction: Of the cases.
        prefixed: Begin the features' names with the view's, as in ``features.parquet``.
    """
    import pandas as pd

    columns = {
        name: pd.Series([getattr(case, name) for case in extraction.cases], dtype="str")
        for name in ABOUT
    }
    tables = [pd.DataFrame(columns)]
    for view, (first, prepared) in named_features(extraction).items():
        names = [f"{view}.{name}" if prefixed else name for name in first.names]
        values = np.stack([prepared[case.case_id].array for case in extraction.cases])
        tables.append(pd.DataFrame(values, columns=names))
    return pd.concat(tables, axis=1)


def table_of(folder: Path, name: str) -> pd.DataFrame:
    """A table that a run has written.

    Raises:
        StudyError: If it is not there.
    """
    import pandas as pd

    path = folder / name
    if not path.exists():
        raise StudyError(f"{folder} holds no {name} yet. Run its study: rdfc run.")
    return pd.read_parquet(path)
