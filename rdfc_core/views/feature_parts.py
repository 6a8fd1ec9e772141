"""What an extractor measures one by one: each image of a case, each colour of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rdfc_core.case import Tumour
from rdfc_core.errors import DataError
from rdfc_core.interfaces.prepared import Prepared

COLOURS = ("red", "green", "blue")
SHAPES = ("shape", "shape2D")
"""Classes that see the outline alone, which all colours have in common."""

COLOURS_OF_PICTURES = "channels: rgb is of colour pictures. Use channels: grey."


@dataclass(frozen=True)
class FeaturePart:
    """One image, or one of its colours, that is measured by itself.

    Args:
        image: Its name; "" for the one image.
        colour: One of `COLOURS`, or "" for the grey values.
    """

    image: str = ""
    colour: str = ""

    def names(self, own: Sequence[str]) -> tuple[str | None, ...]:
        """What the extractor's features are called; None for what an earlier part has measured."""
        return tuple(map(self._name, own))

    def tumour(self, case: Tumour) -> Tumour:
        """What the extractor is given.

        Raises:
            DataError: If colours are asked of a volume.
        """
        shown = replace(case.images[self.image], columns=case.columns) if self.image else case
        if not self.colour:
            return shown
        if shown.ndim != 2:
            raise DataError(f"it is a volume, and {COLOURS_OF_PICTURES}")
        image = shown.image
        if image.colour is None:  # a grey picture: three equal channels
            return shown
        plane = np.ascontiguousarray(image.colour[..., COLOURS.index(self.colour)])
        return replace(shown, image=replace(image, array=plane, colour=None))

    def named(self, found: Prepared) -> Prepared:
        """The features of this part under their names, without what an earlier part has measured.

        Args:
            found: What the extractor gave, under its own names.
        """
        names = dict(zip(found.names, self.names(found.names), strict=True))
        kept = [place for place, name in enumerate(names.values()) if name is not None]
        missing = {names[own]: reason for own, reason in found.missing.items()}
        return Prepared(
            found.array[kept],
            tuple(name for name in names.values() if name is not None),
            {name: reason for name, reason in missing.items() if name is not None},
        )

    def _name(self, own: str) -> str | None:
        image = f"{self.image}." if self.image else ""
        if not self.colour:
            return f"{image}{own}"
        if own.count("_") and own.split("_")[1] in SHAPES:
            return f"{image}{own}" if self.colour == COLOURS[0] else None
        return f"{image}{self.colour}.{own}"

    def __str__(self) -> str:
        told = [f"image {self.image!r}"] if self.image else []
        return ", ".join([*told, f"channel {self.colour!r}"] if self.colour else told)


def parts_of(images: Sequence[str] | None, channels: str) -> tuple[FeaturePart, ...]:
    """All that is measured of a case, in the order of the features.

    Args:
        images: Names of several images; None: the one image.
        channels: ``grey``, or ``rgb`` for each colour.
    """
    colours = COLOURS if channels == "rgb" else ("",)
    return tuple(FeaturePart(image, colour) for image in images or ("",) for colour in colours)
