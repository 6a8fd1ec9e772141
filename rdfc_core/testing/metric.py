"""What rdfc relies on in a `Metric`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rdfc_core.contract.promises import require_kind
from rdfc_core.testing.assertions import conformance

if TYPE_CHECKING:
    from rdfc_core.interfaces import Metric


@conformance
def check_metric(metric: Metric, classes: Sequence[str] = ("benign", "malignant")) -> None:
    """Check a metric on made-up predictions: random, certain, all right, all wrong, of one class.

    Args:
        metric: Built.
        classes: What the classes are called; a metric of regression is not told.

    Raises:
        AssertionError: If it is undefined where it has to be a number, depends on the order of
            cases, takes a weight of 2 for anything but a repeated row, changes what it is given,
            says something else when it is asked again, or touches the state of the process.
    """
    from rdfc_core.contract.metrics import require_metric
    from rdfc_core.interfaces import Metric

    require_kind(metric, Metric)
    if metric.task == "classification":
        metric.set_classes(tuple(classes))
    require_metric(metric, len(classes))
