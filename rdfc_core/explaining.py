"""Why methods say what they say, on a split: families of features, and where the encoder looks."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from rdfc_core import judging
from rdfc_core.evaluate import linear
from rdfc_core.evaluate.importance import Family
from rdfc_core.evaluate.statistics import Prediction
from rdfc_core.features import Extraction
from rdfc_core.model import Model


@dataclass
class Explained:
    """What the splits of a run have told so far.

    Args:
        families: Family of features → what conventional radiomics says with it permuted.
    """

    families: dict[Family, list[Prediction]] = field(default_factory=lambda: defaultdict(list))

    def add(self, test: linear.Bench, model: Model, extraction: Extraction) -> None:
        """Explain one split more.

        Args:
            test: Its labelled cases.
            model: Its trained model, with a classifier.
            extraction: All cases.
        """
        for family, prediction in judging.families(test, model, extraction):
            self.families[family].append(prediction)
