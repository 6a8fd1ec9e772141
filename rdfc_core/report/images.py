"""Stored thumbnails → what the page embeds: checked, small, as ``data:`` addresses."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from PIL import Image

LARGEST_SIDE = 1024
"""A thumbnail beyond this is none: it is not decoded."""
GALLERY_SIDE = 128
MAP_SIDE = 160
"""Of the encoder's pictures below its maps."""


@dataclass(frozen=True)
class Picture:
    """A picture for the page: its address, and its size in pixels."""

    address: str
    width: int
    height: int


def gallery_picture(png: bytes, side: int = GALLERY_SIDE) -> Picture | None:
    """The thumbnail as it was drawn, or None if it cannot be decoded."""
    image = _decoded(png, side)
    if image is None:
        return None
    return Picture(_address(image, "PNG", optimize=True), *image.size)


def map_pictures(
    pictures: Mapping[str, bytes], wanted: Iterable[str], side: int, budget: int
) -> dict[str, str]:
    """Case id → JPEG in base64, in the order wanted, until the budget is spent.

    Args:
        pictures: Case id → PNG.
        wanted: Case ids, the most important first.
        side: Pixels of the longer side.
        budget: Characters in all.
    """
    found: dict[str, str] = {}
    for case_id in wanted:
        image = _decoded(pictures[case_id], side) if case_id in pictures else None
        if image is None:
            continue
        # Full colour resolution: the outline is one pixel wide and would smear.
        encoded = _encoded(image.convert("RGB"), "JPEG", quality=72, subsampling=0, optimize=True)
        budget -= len(encoded)
        if budget < 0:
            break
        found[case_id] = encoded
    return found


def unreadable(pictures: Mapping[str, bytes]) -> list[str]:
    """The cases whose thumbnails cannot be decoded."""
    return [case_id for case_id, png in pictures.items() if _decoded(png, GALLERY_SIDE) is None]


def _decoded(png: bytes, side: int) -> Image.Image | None:
    """The picture, at most ``side`` pixels long, or None if it is damaged, huge or no PNG."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image: Image.Image = Image.open(io.BytesIO(png), formats=["PNG"])
            if max(image.size) > LARGEST_SIDE:
                return None
            image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombWarning):
        return None
    if max(image.size) > side:
        image = image.convert("RGB")
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return image


def _encoded(image: Image.Image, kind: str, **options: object) -> str:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return base64.b64encode(stream.getvalue()).decode("ascii")


def _address(image: Image.Image, kind: str, **options: object) -> str:
    return f"data:image/{kind.lower()};base64,{_encoded(image, kind, **options)}"
