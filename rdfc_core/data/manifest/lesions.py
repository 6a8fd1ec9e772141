"""Several lesions in one mask, as cases of their own."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rdfc_core.case import Case, components_of, mask_of, reader_of, voxels_inside
from rdfc_core.data.cells import counted
from rdfc_core.data.readers.auto import AutoReader
from rdfc_core.errors import DataError
from rdfc_core.interfaces.layout import ONLY, Doubt, Found, FoundCase
from rdfc_core.utils.progress import Progress
from rdfc_core.volume import Volume

Lesions = Literal["all", "largest", "each", "values"]
"""What of a mask is a case: all of it, its largest component, each component, or each value."""

COMPONENT, MASK_VALUE, DIAMETER = "component", "mask_value", "diameter_mm"


def split_into_lesions(
    found: Found, lesions: Lesions, smallest_mm: float, reader: AutoReader, progress: Progress
) -> Found:
    """Every case once for each of its lesions, of one patient, with the size of each.

    Of a case with several images that have masks of their own, the first decides; a component by
    its rank could be another one in the others, so that those cases are left out and told.

    Args:
        found: The cases; a column ``mask_value`` says which value of the mask is looked at.
        lesions: What a case is.
        smallest_mm: Lesions with a smaller diameter are left out and told.
        reader: Reads images and masks.
        progress: Told after each mask.
    """
    cases: list[FoundCase] = []
    doubts = list(found.doubts)
    sizes: list[float] = []
    with progress.task("Looking for lesions", len(found.cases)) as advance:
        for case in found.cases:
            advance(1)
            try:
                value = case.columns.get(MASK_VALUE)
                own = list(
                    _lesions(_mask(case, reader), lesions, None if value is None else int(value))
                )
            except DataError as error:
                doubts.append(Doubt(case.case_id, str(error), "Correct the file, or drop it."))
                continue
            kept = [(columns, size) for columns, size in own if size >= smallest_mm]
            if len(kept) < len(own):
                small = len(own) - len(kept)
                why = f"{counted(small, 'lesion')} of it {'is' if small == 1 else 'are'} smaller"
                doubts.append(
                    Doubt(case.case_id, f"{why} than {smallest_mm:g} mm", "Change --smallest-mm.")
                )
            sizes += [size for _, size in kept]
            for place, (columns, size) in enumerate(kept, start=1):
                columns = {**case.columns, **columns, DIAMETER: f"{size:.2f}"}
                name = f"{case.case_id}_{place}" if lesions in ("each", "values") else case.case_id
                patient = case.patient_id or case.case_id
                cases.append(replace(case, case_id=name, patient_id=patient, columns=columns))
    return Found(cases, doubts, [*found.notes, *_told(sizes)])


def _told(sizes: Sequence[float]) -> list[str]:
    if not sizes:
        return []
    return [
        f"{counted(len(sizes), 'lesion')}, {min(sizes):.1f} to {max(sizes):.1f} mm (the diameter "
        "of a disc or ball of the same size)."
    ]


def _mask(case: FoundCase, reader: AutoReader) -> Volume:
    if len(case.masks) > 1:
        raise DataError("its images have masks of their own, whose components may differ")
    image = next(iter(case.images.values()))
    one = Case(case.case_id, case.case_id, image, case.masks[ONLY])
    (given,) = reader.given_to([one])
    return mask_of(reader_of(given), given.mask, reader_of(given).read_image(image))


def with_mask_value(found: Found, value: int) -> Found:
    """The cases, whose tumour is marked by a value of their masks."""
    cases = [
        replace(case, columns={**case.columns, MASK_VALUE: str(value)}) for case in found.cases
    ]
    return replace(found, cases=cases)


def _lesions(
    mask: Volume, lesions: Lesions, mask_value: int | None
) -> Iterator[tuple[dict[str, str], float]]:
    """What tells each lesion of a mask from the others, and its diameter in mm."""
    if lesions == "values":
        values = np.unique(mask.array[mask.array != 0])
        for value in values:
            yield {MASK_VALUE: f"{int(value)}"}, _diameter(mask.array == value, mask)
        return
    inside = voxels_inside(mask, mask_value)
    if lesions == "all":
        yield {}, _diameter(inside, mask)
        return
    labels, by_size = components_of(inside)
    chosen = by_size[:1] if lesions == "largest" else by_size
    for place, number in enumerate(chosen, start=1):
        said = "largest" if lesions == "largest" else str(place)
        yield {COMPONENT: said}, _diameter(labels == number, mask)


def _diameter(inside: NDArray[np.bool_], mask: Volume) -> float:
    """Of a disc of the same area, or a ball of the same volume, in mm."""
    size = float(inside.sum()) * math.prod(map(float, mask.spacing_mm))
    if inside.ndim == 2:
        return 2 * math.sqrt(size / math.pi)
    return 2 * math.cbrt(0.75 * size / math.pi)
