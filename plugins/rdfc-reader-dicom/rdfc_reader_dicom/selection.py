"""Paths that say which part of a file or folder is meant: ``CT#series=1.2.3``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rdfc_core import DataError

KEYS = ("series", "segment", "roi", "frame")
MARK = "dicom"
"""``FOLDER#dicom``: nothing is selected, but the folder is one of DICOM files whatever its name."""

EXAMPLES = "FOLDER#series=UID, FILE#segment=LABEL, FILE#roi=NAME, FILE#frame=NUMBER"


@dataclass(frozen=True)
class SelectedPath:
    """A file or folder on disk, and which part of it is meant.

    Args:
        place: The file or folder.
        series: SeriesInstanceUID of the images, where a folder holds several series.
        segment: Number or label of a segment of a SEG.
        roi: Name of a region of an RTSTRUCT, or a regular expression.
        frame: Number of a frame of a multi-frame picture, from 1.
        marked: Whether the path says that it is meant for this reader.
    """

    place: Path
    series: str | None = None
    segment: str | None = None
    roi: str | None = None
    frame: int | None = None
    marked: bool = False

    @classmethod
    def of(cls, path: Path) -> SelectedPath:
        """What a path says. A ``#`` without one of the known keys belongs to the name.

        Raises:
            DataError: If a key is given twice, is empty, or a frame is not a number from 1.
        """
        text = str(path)  # the name of a region may hold a slash
        at = _start(text)
        if at is None:
            return cls(path)
        place = Path(text[:at])
        chosen: dict[str, str] = {}
        for part in _parts(text[at + 1 :]):
            key, _, value = part.partition("=")
            if part == MARK:
                continue
            if key in chosen or not value:
                what = "says twice" if key in chosen else "leaves empty"
                raise DataError(f"{path} {what} which {key} is meant. Write {EXAMPLES}.")
            chosen[key] = value
        frame = chosen.pop("frame", None)
        if frame is not None and not (frame.isdecimal() and int(frame) > 0):
            raise DataError(
                f"{path} names the frame {frame!r}. Frames are counted from 1: FILE#frame=1."
            )
        return cls(place, **chosen, frame=None if frame is None else int(frame), marked=True)

    @property
    def text(self) -> str:
        """What is selected, the same for the same selection."""
        chosen = ((key, getattr(self, key)) for key in KEYS)
        return "&".join(f"{key}={value}" for key, value in chosen if value is not None)


def _start(text: str) -> int | None:
    """Where the selection begins: the first ``#`` with a known key behind it."""
    at = -1
    while (at := text.find("#", at + 1)) >= 0:
        rest = text[at + 1 :]
        if rest == MARK or rest.startswith((f"{MARK}&", *(f"{key}=" for key in KEYS))):
            return at
    return None


def _parts(text: str) -> list[str]:
    """``key=value`` each; an ``&`` without a known key behind it belongs to a value."""
    parts: list[str] = []
    for piece in text.split("&"):
        if not parts or piece.partition("=")[0] in KEYS:
            parts.append(piece)
        else:
            parts[-1] += f"&{piece}"
    return parts
