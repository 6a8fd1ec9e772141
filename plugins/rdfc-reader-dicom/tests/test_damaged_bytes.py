"""Bytes changed at random: a volume or one sentence, and nothing of the header in it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rdfc_core import DataError, Volume
from rdfc_core.contract.volumes import require_volume
from rdfc_reader_dicom.config import DicomReaderConfig
from rdfc_reader_dicom.reader import DicomReader

sys.path.append(str(Path(__file__).parent))
import dicom_trees as trees

pytest.importorskip("highdicom")

READER = DicomReader(DicomReaderConfig(max_voxels=2**20, references="any"))
TIMES = 120
"""Damaged copies of each file."""


@pytest.fixture(scope="module")
def originals(tmp_path_factory) -> tuple[Path, Volume]:
    """A slice, a SEG and an RTSTRUCT, and the image that they belong to."""
    folder = tmp_path_factory.mktemp("originals")
    volume = trees.scan((3, 12, 14))
    images = trees.slices(volume)
    trees.write_series(folder / "CT", images)
    trees.save(images[0], folder / "slice.dcm")
    trees.save(trees.segmentation(images, {"T": trees.ball(volume, 4)}), folder / "seg.dcm")
    square = np.array([[3.2, 3.2], [3.2, 9.1], [9.1, 9.1], [9.1, 3.2]])
    drawn = {"GTV": [trees.points(volume, plane, square) for plane in (0, 1, 2)]}
    trees.save(trees.structures(images, drawn), folder / "rs.dcm")
    return folder, DicomReader().read_image(folder / "CT")


def damaged(content: bytes, random: np.random.Generator) -> bytes:
    """Some bytes changed, a stretch left out, or the end cut off."""
    changed = bytearray(content)
    kind = random.integers(4)
    start = int(random.integers(128, len(content)))
    if kind == 0:
        return bytes(changed[:start])
    if kind == 1:
        del changed[start : start + int(random.integers(1, 40))]
        return bytes(changed)
    for at in random.integers(128, len(content), int(random.integers(1, 9))):
        changed[at] = random.integers(256) if kind == 2 else changed[at] ^ 1 << random.integers(8)
    return bytes(changed)


@pytest.mark.parametrize("name", ["slice.dcm", "seg.dcm", "rs.dcm"])
def test_damaged_bytes_are_read_or_refused_by_a_sentence(name, originals, tmp_path, capfd):
    folder, image = originals
    content = (folder / name).read_bytes()
    read: Callable[[Path], Volume] = READER.read_image
    if name != "slice.dcm":
        read = lambda path: READER.read_mask(path, image)  # noqa: E731
    outcomes = {"read": 0, "refused": 0}
    for seed in range(TIMES):
        path = tmp_path / f"{seed}.dcm"
        path.write_bytes(damaged(content, np.random.default_rng(seed)))
        try:
            require_volume(read(path), f"{name} with seed {seed}")
            outcomes["read"] += 1
        except DataError as error:
            outcomes["refused"] += 1
            said = str(error)
            assert said.startswith(str(path)), seed
            assert "Clarissa" not in said
            assert "Harley" not in said
    assert min(outcomes.values()) > 5  # so that both are tried
    written = capfd.readouterr()
    assert (written.out, written.err) == ("", "")
