"""The data set ``phantom``."""

from __future__ import annotations

from collections.abc import Sequence

from rdfc_core.case import Case
from rdfc_core.interfaces import Dataset
from rdfc_dataset_phantom.config import PhantomConfig
from rdfc_dataset_phantom.echo_pattern import grain_of
from rdfc_dataset_phantom.reader import PhantomReader, path_of
from rdfc_dataset_phantom.traits import class_of

GENERATED = (
    "These tumours are generated: a phantom is an illustration, and no evidence on patients."
)

ILLUSTRATIONS = {
    "mixed": f"{GENERATED} Outline and texture each tell part of the class, so that a linear model "
    "on radiomics learns most of it from few labels.",
    "number": f"{GENERATED} The number is the grain of the echoes, a texture that radiomics "
    "measures. Outline, size and brightness tell nothing.",
    "texture": f"{GENERATED} The class lies in how two properties of the echoes go together. "
    "Radiomics measures both, but from a few labelled cases a linear model cannot tell which of "
    "its hundreds of features matter: radiomics alone is weak here by design, and strong with many "
    "labels. Outline and size tell nothing.",
}
"""Kind → what a result on it is not, and why radiomics does as it does."""


class Phantoms(Dataset):
    """Generated tumours, the first of them labelled.

    Of the kind ``mixed``, the class shows partly in the outline, partly in the texture, and in some
    tumours not at all; size and surroundings know nothing of it. Of the kind ``texture``, it shows
    in an interaction of grain and skew of the echoes and in nothing else. A case depends on the
    options and its own number only: a larger data set begins with the same cases.
    """

    def __init__(self, config: PhantomConfig) -> None:
        self.config = config
        self.illustration = ILLUSTRATIONS["number" if config.label == "number" else config.kind]

    @property
    def classes(self) -> tuple[str, ...]:
        """Benign and malignant, or grades; the higher, the more irregular and mixed.

        Of the kind ``texture``, more than two are types without an order. None where the label is a
        number.
        """
        if self.config.label == "number":
            return ()
        if self.config.classes == 2:
            return ("benign", "malignant")
        word = "type" if self.config.kind == "texture" else "grade"
        return tuple(f"{word} {number}" for number in range(1, self.config.classes + 1))

    def _label(self, index: int) -> str:
        if self.config.label == "number":
            return f"{grain_of(self.config, index):.3f}"
        return self.classes[class_of(self.config, index)]

    def cases(self) -> Sequence[Case]:
        """All cases; generates none of them."""
        config = self.config
        reader = PhantomReader(config)
        return [
            Case(
                case_id=f"phantom_{index:05d}",
                patient_id=f"patient_{index // config.tumours_per_patient:05d}",
                image=path_of(config, index, "image"),
                mask=path_of(config, index, "mask"),
                label=self._label(index) if index < config.labelled_cases else None,
                reader=reader,
            )
            for index in range(config.cases)
        ]
