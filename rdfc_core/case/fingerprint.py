"""What a case's files and columns are, in one text: the same for the same content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdfc_core.case.files import ReadsFiles, existing, reader_of
from rdfc_core.case.tumour import Needs

if TYPE_CHECKING:
    from rdfc_core.case.case import Case

Files = MutableMapping[tuple[int, Path], str]
"""(Reader's id, file) → fingerprint of the file."""


def fingerprint_of(case: Case, needs: Needs, files: Files) -> str:
    """Of the images and columns that are needed, and of nothing else.

    One image without columns has the fingerprint of a case that has no other: what is stored of
    such a case is found, and so is a view of one image in a study of several.

    Args:
        case: With a reader.
        needs: Of a view, or of a whole case.
        files: Those that are taken are added.

    Raises:
        DataError: If the case does not have what is needed, or a file is missing.
    """
    names, columns = case.names_of(needs), case.columns_of(needs)
    shared = needs.grid == "shared"
    images = {
        name: _beside(case, name, files) if place and shared else _with_mask(case, name, files)
        for place, name in enumerate(names)
    }
    if len(images) == 1 and not columns:
        return next(iter(images.values()))
    parts: dict[str, Any] = {"images": images, "columns": columns}
    if len(images) > 1:
        parts["grid"] = needs.grid
    return _digest(json.dumps(parts))


def _with_mask(case: Case, name: str, files: Files) -> str:
    reader = reader_of(case)
    image, mask = case.files_of(name)
    parts = (
        _of_file(reader, image, "image", files),
        _of_file(reader, mask, "mask", files),
        reader.identity(image),
        reader.mask_identity(mask),
        str(case.mask_value),
        str(case.component),
    )
    return _digest("|".join(parts))


def _beside(case: Case, name: str, files: Files) -> str:
    """Of an image that is seen with another one's mask."""
    reader, (image, _) = reader_of(case), case.files_of(name)
    return _digest(f"{_of_file(reader, image, 'image', files)}|{reader.identity(image)}")


def _of_file(reader: ReadsFiles, path: Path, role: str, files: Files) -> str:
    if (id(reader), path) not in files:
        files[id(reader), path] = reader.fingerprint(existing(reader, path, role))
    return files[id(reader), path]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
