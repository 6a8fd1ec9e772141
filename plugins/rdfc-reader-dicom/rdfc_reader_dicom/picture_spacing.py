"""The spacing of pictures, which several elements may say: ultrasound regions, detectors."""

from __future__ import annotations

from rdfc_core import DataError
from rdfc_reader_dicom.files import Header
from rdfc_reader_dicom.geometry import numbers

CENTIMETRES = 3
"""PhysicalUnitsXDirection and its like."""
TISSUE = 1
"""RegionSpatialFormat of a picture in two dimensions, not of a curve or scale."""
ELEMENTS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")

Spacing = tuple[float, float]


def picture_spacing(header: Header) -> tuple[Spacing, tuple[str, ...]]:
    """Spacing of rows and columns in mm, and a note where the header does not say.

    Raises:
        DataError: If it says what is no spacing.
    """
    for spacing in (_of_regions(header), *(_of_element(header, key) for key in ELEMENTS)):
        if spacing is not None:
            return spacing, ()
    return (1.0, 1.0), (f"{header.path.name} says no pixel spacing, and 1 mm is assumed.",)


def _of_element(header: Header, keyword: str) -> Spacing | None:
    found = numbers(header.path, header.dataset, keyword, 2)
    if found is None:
        return None
    if min(found) <= 0:
        raise DataError(f"{header.path} has no {keyword} above 0. Export the file again.")
    return found[0], found[1]


def _of_regions(header: Header) -> Spacing | None:
    """Of ultrasound: that of the regions in which tissue is shown, if they agree."""
    found = set()
    for region in header.dataset.get("SequenceOfUltrasoundRegions") or ():
        units = (region.get("PhysicalUnitsXDirection"), region.get("PhysicalUnitsYDirection"))
        if region.get("RegionSpatialFormat") != TISSUE or units != (CENTIMETRES, CENTIMETRES):
            continue
        across = numbers(header.path, region, "PhysicalDeltaX", 1)
        down = numbers(header.path, region, "PhysicalDeltaY", 1)
        if across and down and across[0] and down[0]:
            found.add((round(10 * abs(down[0]), 9), round(10 * abs(across[0]), 9)))
    if len(found) > 1:
        raise DataError(
            f"{header.path} shows regions of {len(found)} different scales. Cut out the region "
            "that is meant."
        )
    return next(iter(found), None)
