"""How far features agree between measurements of the same cases, such as a test and its retest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rdfc_core.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from rdfc_core.evaluation.reliability import Kind


def feature_reliability(
    tables: Sequence[pd.DataFrame],
    kind: Kind = "3,1",
    confidence: float = 0.95,
    key: str = "case_id",
) -> pd.DataFrame:
    """Intraclass correlation of every feature over tables that measure the same cases.

    Args:
        tables: Two or more, as `extract_features` gives them: the test and its retest, say, or
            masks of several readers. Cases that not all tables have are left out.
        kind: ``1,1``: measurements of a case have no order; ``2,1``: absolute agreement of ways of
            measuring drawn from more; ``3,1``: consistency of these alone.
        confidence: Of the intervals.
        key: The column that says which rows are one case.

    Returns:
        A row a feature: ``icc``, ``ci_low`` and ``ci_high``, NaN where a feature is constant or a
        case lacks it; ``cases`` is how many were compared.

    Raises:
        DataError: If there are fewer than two tables or two cases in common, a table has no such
            column or a case twice, or features differ.

    Example:
        ```python
        found = rdfc.feature_reliability([test, retest])
        stable = found.index[found["ci_low"] >= 0.75]
        ```
    """
    import pandas as pd

    from rdfc_core.evaluation.reliability import intraclass_correlation

    if len(tables) < 2:
        raise DataError("Give two tables or more: what is measured once agrees with nothing.")
    indexed = [_by_case(table, key) for table in tables]
    names = indexed[0].columns
    for table in indexed[1:]:
        unlike = sorted(set(names) ^ set(table.columns))
        if unlike:
            raise DataError(
                f"The tables have different features, for example {', '.join(unlike[:3])}. Measure "
                "them with the same parameters."
            )
    shared = [case for case in indexed[0].index if all(case in t.index for t in indexed[1:])]
    if len(shared) < 2:
        raise DataError(
            f"The tables have {len(shared)} cases in common by {key}. Name the column that says "
            "which rows belong together (key=...)."
        )
    measured = np.stack(
        [table.loc[shared, names].to_numpy(np.float64) for table in indexed], axis=1
    )
    found = intraclass_correlation(measured, kind, confidence)
    columns = {"icc": found.icc, "ci_low": found.low, "ci_high": found.high, "cases": len(shared)}
    return pd.DataFrame(columns, index=pd.Index(names, name="feature"))


def _by_case(table: pd.DataFrame, key: str) -> pd.DataFrame:
    """The columns of numbers, a row a case.

    Raises:
        DataError: If there is no such column, or a case stands in two rows.
    """
    if key not in table.columns:
        raise DataError(f"A table has no column {key!r}. It has {', '.join(table.columns[:5])}, …")
    repeated = table[key][table[key].duplicated()]
    if len(repeated):
        raise DataError(f"A table has the case {repeated.iloc[0]} twice. Keep one row a case.")
    return table.set_index(key).select_dtypes("number")
