"""What rdfc relies on in an `Evaluator`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rdfc_core.contract.promises import require_kind
from rdfc_core.testing.assertions import conformance

if TYPE_CHECKING:
    from rdfc_core.interfaces import Evaluator, EvaluatorCases

CASES_A_CLASS = 12


@conformance
def check_evaluator(
    evaluator: Evaluator, classes: Sequence[int] = (2, 3), cases: EvaluatorCases | None = None
) -> None:
    """Check an evaluator on made-up cases of each of its tasks, also without the last class.

    Args:
        evaluator: Built.
        classes: Numbers of classes that it is tried with.
        cases: To be looked at in place of made-up ones, such as those of a view of one's own.

    Raises:
        AssertionError: If it gives anything but probabilities of all classes, says something else
            for the same seed, of a case beside others, or after another training, changes what it
            is given, or leaves the process otherwise than it was.
    """
    import numpy as np

    from rdfc_core.contract.evaluators import require_described, require_evaluator
    from rdfc_core.interfaces import Evaluator, Labels

    require_kind(evaluator, Evaluator)
    require_described(evaluator)
    for count in classes if "classification" in evaluator.tasks else ():
        own = cases or _cases(evaluator.inputs, count)
        truth = np.arange(len(own)) % count
        require_evaluator(evaluator, own, Labels(truth, np.ones(len(own)), count))
    if "regression" in evaluator.tasks:
        own = cases or _cases(evaluator.inputs, 2)
        numbers = np.random.default_rng(0).normal(10, 3, len(own))
        require_evaluator(evaluator, own, Labels(numbers, np.ones(len(own)), 0))


def _cases(asked: Sequence[str], classes: int) -> EvaluatorCases:
    """Cases with what was asked for: two views and one of columns, two cases a patient."""
    import numpy as np
    import torch

    from rdfc_core.interfaces import EvaluatorCases

    rng = np.random.default_rng(0)
    count = CASES_A_CLASS * classes
    truth = np.arange(count) % classes

    def table(width: int) -> np.ndarray:
        rows = rng.normal(size=(count, width)) + truth[:, None]
        return rows.astype(np.float32)

    def unit(width: int) -> np.ndarray:
        rows = table(width)
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))

    features = {"radiomics": unit(8), "image": unit(8)}
    measured = table(10).astype(np.float64)
    measured[::5, 3] = np.nan  # as a feature that some tumours are too small for
    pictures = torch.from_numpy(rng.random((count, 1, 16, 16), np.float32))
    views = {"radiomics": torch.from_numpy(table(10)), "image": pictures}
    whole = "handcrafted" in asked
    return EvaluatorCases(
        patients=tuple(f"patient-{place // 2}" for place in range(count)),
        features=features if "features" in asked else {},
        embeddings=features if "embeddings" in asked else {},
        handcrafted=measured if whole else np.zeros((count, 0)),
        names=tuple(f"feature-{place}" for place in range(10)) if whole else (),
        columns={"table": table(3)} if "columns" in asked else {},
        views=views if "views" in asked else {},
    )
