"""A store that was filled while some pictures were read wrongly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from rdfc_core.case import Case
from rdfc_core.data.readers.pictures import PictureReader
from rdfc_core.extraction.extract import Extraction, extract
from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
from rdfc_core.extraction.store import Store
from rdfc_core.interfaces import Prepared
from rdfc_core.volume import Volume
from tests.support.picture_files import png_bytes

SOUND = "rdfc_core.readers.pictures.PictureReader 1"
GREY = np.random.default_rng(0).integers(0, 4096, (40, 50)).astype(np.uint16)
ROWS, COLUMNS = np.mgrid[:40, :50]
DISC = (ROWS - 18) ** 2 + (COLUMNS - 26) ** 2 < 100


class FormerReader(PictureReader):
    """As the reader was: whatever Pillow makes of the file, under one identity."""

    def read_image(self, path: Path) -> Volume:
        picture = Image.open(path)
        return Volume.of(np.array(picture if picture.mode == "I;16" else picture.convert("L")))

    def read_mask(self, path: Path) -> Volume:
        return Volume.of(np.array(Image.open(path)).astype(np.int32))

    def identity(self, path: Path) -> str:
        return SOUND

    mask_identity = identity


class MeanAndArea:
    """A view of two numbers."""

    def prepare(self, tumour):
        values = tumour.image.array[tumour.mask]
        return Prepared(np.array([values.mean(), values.size]), ("mean", "area"))

    def recipe(self):
        return {"view": "mean and area"}


@pytest.fixture
def cases(tmp_path: Path) -> list[Case]:
    def named(ending: str) -> str:
        return str(tmp_path / ending)

    cv2.imwrite(named("grey.png"), GREY)
    cv2.imwrite(named("rgb.png"), np.dstack([GREY] * 3))
    alpha = np.dstack([GREY, np.full_like(GREY, 65535)])
    (tmp_path / "alpha.png").write_bytes(png_bytes(alpha, 16, 4))
    tifffile.imwrite(named("rgb.tif"), np.dstack([GREY] * 3), photometric="rgb")
    planes = np.stack([GREY] * 3)
    tifffile.imwrite(named("planar.tif"), planes, photometric="rgb", planarconfig="separate")
    cv2.imwrite(named("mask.png"), DISC.astype(np.uint8) * 255)
    mask = Image.fromarray(DISC.astype(np.uint8) * 255)
    mask.convert("RGB").quantize(2).save(named("palette.png"))
    mask.save(named("mask.jpg"))
    pairs = {"sound": ("grey.png", "mask.png"), "rgb": ("rgb.png", "mask.png")}
    pairs |= {"alpha": ("alpha.png", "mask.png"), "tiff": ("rgb.tif", "mask.png")}
    pairs |= {"palette": ("grey.png", "palette.png"), "jpeg": ("grey.png", "mask.jpg")}
    pairs |= {"planar": ("planar.tif", "mask.png")}
    return [
        Case(name, name, tmp_path / image, tmp_path / mask) for name, (image, mask) in pairs.items()
    ]


def extracted(cases: Sequence[Case], reader: PictureReader, store: Store) -> Extraction:
    cases = [replace(case, reader=reader) for case in cases]
    executor = LocalExecutor(LocalExecutorConfig(workers=0))
    return extract(cases, {"numbers": MeanAndArea()}, store, executor)


def test_a_store_filled_before_gives_right_values_and_keeps_sound_ones(
    tmp_path: Path, cases: list[Case]
) -> None:
    store = Store(tmp_path / "store.sqlite")
    before = extracted(cases, FormerReader(), store)
    right = [GREY[DISC].mean(), DISC.sum()]
    numbers = {name: made.array for name, made in before.prepared["numbers"].items()}
    assert [name for name, found in numbers.items() if np.allclose(found, right)] == ["sound"]

    after = extracted(cases, PictureReader(), store)
    assert after.made == len(cases) - 1
    for case in after.cases:
        found = after.prepared["numbers"][case.case_id].array
        np.testing.assert_allclose(found, right, err_msg=case.case_id)
    (refused,) = after.failures
    assert refused.case_id == "planar"
    assert "planes one after the other" in refused.reason
    again = extracted(cases[:-1], PictureReader(), store)
    assert again.made == 0


def test_the_identity_changes_for_the_affected_kinds_of_file_alone(cases: list[Case]) -> None:
    reader = PictureReader()
    changed = {
        case.case_id: (reader.identity(case.image), reader.mask_identity(case.mask))
        for case in cases
    }
    assert changed["sound"] == (SOUND, SOUND)
    assert (
        changed["rgb"] == changed["alpha"] == changed["tiff"] == (f"{SOUND}; 16-bit colours", SOUND)
    )
    assert changed["palette"] == (SOUND, f"{SOUND}; colours of the palette")
    assert changed["jpeg"] == (SOUND, f"{SOUND}; JPEG cut at half")
    assert changed["planar"] == (f"{SOUND}; refused", SOUND)
    assert reader.identity(cases[5].mask) == SOUND  # as an image it always was right
