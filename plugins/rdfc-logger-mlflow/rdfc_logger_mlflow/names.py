"""What rdfc's options and results are called in MLflow. Loads no MLflow."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rdfc_core import Results

LONGEST_KEY, LONGEST_VALUE = 250, 6000
"""Of a parameter, in letters; MLflow refuses longer ones."""


def key(*words: object) -> str:
    """The words as a name that MLflow takes, with slashes between them."""
    return re.sub(r"[^\w\-./: ]", "_", "/".join(str(word) for word in words))[:LONGEST_KEY]


def flattened(study: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Path of each option, and its value as text; lists are JSON."""
    for name, value in study.items():
        path = f"{above}{name}"
        if isinstance(value, Mapping) and value:
            yield from flattened(value, f"{path}.")
        else:
            text = value if isinstance(value, str) else json.dumps(value, default=str)
            yield key(path), text[:LONGEST_VALUE]


def of_results(results: Results) -> dict[str, float]:
    """Each method's metrics by all labels, by name."""
    found = {}
    for row in results.rows:
        if row.mean is not None and row.label_fraction == 1:
            words = [row.table, row.method, row.input, row.layer, row.classifier, row.metric]
            found[key("results", *filter(None, words))] = row.mean
    return found
