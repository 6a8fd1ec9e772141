"""What rdfc relies on in a `Reader`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdfc_core.contract.arrays import same
from rdfc_core.contract.promises import expect_error, require, require_kind, through_pickle
from rdfc_core.contract.volumes import require_volume
from rdfc_core.errors import DataError
from rdfc_core.testing.assertions import conformance

if TYPE_CHECKING:
    from rdfc_core.interfaces import Reader


@conformance
def check_reader(reader: Reader, image_path: Path, mask_path: Path) -> None:
    """Check a reader on a pair of files (or folders) of one tumour.

    Args:
        reader: Built.
        image_path: An image that it reads.
        mask_path: The mask that belongs to it, on the same grid; the same path for a reader with
            `masks_in_images`.

    Raises:
        AssertionError: If names are judged by anything but the name, volumes lack a sound grid,
            reading is not repeatable, content and fingerprint do not change together, or damaged
            files pass.
    """
    from rdfc_core.case import mask_of
    from rdfc_core.interfaces import Reader
    from rdfc_core.volume import check_same_grid

    who = require_kind(reader, Reader)
    _check_names(reader, image_path, mask_path, who)
    image = reader.read_image(image_path)
    mask = mask_of(reader, mask_path, image)
    require_volume(image, f"{who}.read_image({image_path.name})")
    require_volume(mask, f"{who}.read_mask({mask_path.name})")
    try:
        check_same_grid(image, mask)
    except DataError as error:
        raise AssertionError(f"{who}: {error}") from error
    if image_path == mask_path:
        require(
            reader.masks_in_images,
            f"{who} reads image and mask from one file; set masks_in_images = True, or every such "
            "case is doubted.",
        )
    require(
        mask.array.shape != image.array.shape or not same(mask.array, image.array),
        f"{who}.read_mask({mask_path.name}) gave the image itself; implement read_mask() where one "
        "file holds both, and give this check a mask otherwise.",
    )
    require((mask.array != 0).any(), f"{who}: the mask {mask_path.name} came out empty.")
    copy = through_pickle(reader, who)
    for other, how in ((reader, "the second time"), (copy, "in a worker process")):
        again = other.read_image(image_path)
        require(
            same(image.array, again.array) and image.spacing_mm == again.spacing_mm,
            f"{who} read {image_path.name} differently {how}; reading has to be repeatable.",
        )
    _check_fingerprint(reader, image_path, who)
    if reader.needs_files:
        with tempfile.TemporaryDirectory() as folder:
            _check_damage(reader, image_path, Path(folder), who)


def _check_names(reader: Reader, image_path: Path, mask_path: Path, who: str) -> None:
    for path in (image_path, mask_path):
        require(reader.reads(path) is True, f"{who}.reads({path.name}) is not True; it reads it.")
        elsewhere = Path("no-such-folder") / path.name
        require(
            reader.reads(elsewhere) is True or not reader.needs_files,
            f"{who}.reads() looked for {path.name} on disk; judge a path by its name alone.",
        )
    require(
        reader.reads(Path("no-such-folder/case.format-of-nobody")) is False,
        f"{who}.reads() says yes to any name; say no to what others read.",
    )


def _check_fingerprint(reader: Reader, path: Path, who: str) -> None:
    first = reader.fingerprint(path)
    require(
        isinstance(first, str) and first and first == reader.fingerprint(path),
        f"{who}.fingerprint({path.name}) has to be a non-empty string, the same at every call.",
    )


def _check_damage(reader: Reader, path: Path, folder: Path, who: str) -> None:
    """The file cut to half its length: what an interrupted copy leaves."""
    copy, victim = _copy(path, folder)
    before = reader.fingerprint(copy)
    require(
        before == reader.fingerprint(path),
        f"{who}.fingerprint() differs for a copy of {path.name}; use its content, not its place.",
    )
    content = victim.read_bytes()
    victim.write_bytes(content[: len(content) // 2])
    require(
        reader.fingerprint(copy) != before,
        f"{who}.fingerprint() did not change when {path.name} was cut in half; use all of it.",
    )
    action = f"{who}.read_image() of {path.name} cut in half"
    with expect_error(DataError, action):
        try:
            reader.read_image(copy)
        except DataError as error:
            require(
                copy.name in str(error) or victim.name in str(error),
                f"{action} raised a DataError that does not name the file: {error}",
            )
            raise


def _copy(path: Path, folder: Path) -> tuple[Path, Any]:
    """A copy of the file or folder, and its largest file."""
    if path.is_dir():
        copy = Path(shutil.copytree(path, folder / path.name))
        files = [file for file in copy.rglob("*") if file.is_file()]
        return copy, max(files, key=lambda file: file.stat().st_size)
    copy = Path(shutil.copy(path, folder / path.name))
    return copy, copy
