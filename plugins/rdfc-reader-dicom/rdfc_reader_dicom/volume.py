"""A volume that knows which DICOM images it was made of, for the masks that refer to them."""

from __future__ import annotations

from dataclasses import dataclass, field

from rdfc_core import Volume


@dataclass(frozen=True)
class ImageSource:
    """What a SEG or RTSTRUCT may refer to. It stays in memory.

    Args:
        series_uid: SeriesInstanceUID.
        image_uids: SOPInstanceUID of each image.
        frame_of_reference_uid: Of the patient's coordinates; "" where there are none.
        planes_mm: Where the slices were before they were interpolated, along the first array axis
            from the first sample; empty where they are the volume's own.
        frame: Number of the frame of a multi-frame picture, from 1.
    """

    series_uid: str = ""
    image_uids: frozenset[str] = frozenset()
    frame_of_reference_uid: str = ""
    planes_mm: tuple[float, ...] = ()
    frame: int | None = None


@dataclass(frozen=True, eq=False)
class DicomVolume(Volume):
    """A volume read from DICOM.

    Args:
        source: What it was made of.
    """

    source: ImageSource = field(default_factory=ImageSource)
