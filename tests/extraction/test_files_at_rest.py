"""What is stored under a fingerprint was read of the content that has it, whatever happens."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from PIL import Image, ImageOps

from rdfc_core.case import Case, Volume
from rdfc_core.data.readers.auto import AutoReader
from rdfc_core.extraction.extract import extract
from rdfc_core.extraction.files_at_rest import ATTEMPTS
from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
from rdfc_core.extraction.store import Store
from rdfc_core.views.feature_view import FeatureView
from rdfc_core.views.options import FeatureViewConfig
from tests.support.small_parts import OutlineConfig, OutlineFeatures

Happens = Callable[[Path], None]
Replaces = Callable[[Path, Path], None]

HERE = LocalExecutor(LocalExecutorConfig(workers=0))


def in_place(path: Path, content: Path) -> None:
    """Write another content into the file, and set its times back as rsync does."""
    before = path.stat()
    path.write_bytes(content.read_bytes())
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def by_renaming(path: Path, content: Path) -> None:
    shutil.copy2(content, path.with_name("new"))
    path.with_name("new").replace(path)


def by_linking(path: Path, content: Path) -> None:
    path.unlink()
    path.symlink_to(content)


class Interrupted:
    """A reader during whose reading of an image something happens.

    Args:
        reader: What reads.
        before: Called with the image's path.
        after: The same.
    """

    def __init__(self, reader: Any, before: Happens, after: Happens) -> None:
        self.reader, self.before, self.after = reader, before, after

    def read_image(self, path: Path) -> Volume:
        self.before(path)
        image = self.reader.read_image(path)
        self.after(path)
        return image

    def read_mask(self, path: Path) -> Volume:
        return self.reader.read_mask(path)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.reader, name)


def replaced_and_put_back(case: Case, how: Replaces, path: Path, own: Path, other: Path) -> Case:
    """The case, with a file that has another content while the image is read."""
    reader = Interrupted(case.reader, lambda _: how(path, other), lambda _: how(path, own))
    return dataclasses.replace(case, reader=reader)


def features() -> dict[str, FeatureView]:
    config = FeatureViewConfig(extractor="outline")  # type: ignore[arg-type]
    return {"radiomics": FeatureView(config, OutlineFeatures(OutlineConfig()))}


@pytest.fixture
def case(pictures, tmp_path, reader, cases_of):
    shutil.copytree(pictures, tmp_path / "own")
    return cases_of(tmp_path / "own", reader)[0]


@pytest.fixture
def empty(tmp_path):
    return Store(tmp_path / "empty.sqlite")


@pytest.mark.parametrize("how", [in_place, by_renaming, by_linking])
def test_a_file_that_is_replaced_and_put_back_while_it_is_read_is_not_stored(
    case, empty, tmp_path, how
):
    own, other = tmp_path / "kept.png", tmp_path / "other.png"
    shutil.copy2(case.image, own)
    ImageOps.invert(Image.open(case.image)).save(other)
    if how is by_linking:
        by_linking(case.image, own)
    replaced = replaced_and_put_back(case, how, case.image, own, other)
    [failure] = extract([replaced], features(), empty, HERE).failures
    assert "was replaced while this run was reading" in failure.reason
    assert failure.retry
    assert empty.count() == 0
    assert case.fingerprint() == replaced.fingerprint()


def test_the_samples_beside_a_header_are_watched_too(tmp_path, reader: AutoReader, empty):
    for name, value in (("image", 3), ("other", 200), ("mask", 1)):
        array = np.full((6, 6, 6), value, np.uint8)
        array[0] = 0
        array[1, 1] = 7 if name != "mask" else 0
        sitk.WriteImage(sitk.GetImageFromArray(array), tmp_path / f"{name}.mhd")
    own = tmp_path / "own.raw"
    shutil.copy2(tmp_path / "image.raw", own)
    case = Case("a", "a", tmp_path / "image.mhd", tmp_path / "mask.mhd", reader=reader)
    image, other = tmp_path / "image.raw", tmp_path / "other.raw"
    replaced = replaced_and_put_back(case, in_place, image, own, other)
    [failure] = extract([replaced], features(), empty, HERE).failures
    assert "was replaced while this run was reading" in failure.reason
    assert not extract([case], features(), empty, HERE).failures


@pytest.mark.parametrize("times", [0, 1, ATTEMPTS])
def test_a_file_whose_content_stays_is_read_again_and_not_without_end(case, empty, tmp_path, times):
    reads = 0

    def touch(path: Path) -> None:
        nonlocal reads
        reads += 1
        if reads <= times:
            path.chmod(path.stat().st_mode ^ 0o040)

    touched = dataclasses.replace(case, reader=Interrupted(case.reader, lambda _: None, touch))
    found = extract([touched], features(), empty, HERE)
    assert reads == min(times + 1, ATTEMPTS)
    assert len(found.failures) == (times >= ATTEMPTS)
