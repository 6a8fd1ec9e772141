"""What is stored under a fingerprint was read of the content that has it, whatever happens."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from PIL import Image, ImageOps

from rdfc_core.case import Case, Needs, Tumour
from rdfc_core.data.readers.auto import AutoReader
from rdfc_core.extraction.extract import extract
from rdfc_core.extraction.files_at_rest import ATTEMPTS
from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
from rdfc_core.extraction.store import Store
from rdfc_core.views.feature_view import FeatureView
from rdfc_core.views.options import FeatureViewConfig
from tests.support.small_preparers import OutlineConfig, OutlineFeatures

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


class ReplacedAndPutBack(Case):
    """A case one of whose files is another one while the case is read."""

    def load_each(self, needs: Mapping[str, Needs]) -> dict[str, Tumour]:
        replace = {"place": in_place, "rename": by_renaming, "link": by_linking}
        path = Path(self.columns["path"])
        replace[self.columns["how"]](path, Path(self.columns["other"]))
        tumour = super().load_each(needs)
        replace[self.columns["how"]](path, Path(self.columns["own"]))
        return tumour


class Touched(Case):
    """A case whose image gets other permissions while it is read, the first ``times`` times."""

    def load_each(self, needs: Mapping[str, Needs]) -> dict[str, Tumour]:
        tumour = super().load_each(needs)
        done = Path(self.columns["count"])
        done.write_text(done.read_text() + "x")
        if len(done.read_text()) <= int(self.columns["times"]):
            self.image.chmod(self.image.stat().st_mode ^ 0o040)
        return tumour


def as_kind(kind: type[Case], case: Case, **columns: object) -> Case:
    fields = {f.name: getattr(case, f.name) for f in dataclasses.fields(Case)}
    return kind(**{**fields, "columns": {name: str(value) for name, value in columns.items()}})


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


@pytest.mark.parametrize("how", ["place", "rename", "link"])
def test_a_file_that_is_replaced_and_put_back_while_it_is_read_is_not_stored(
    case, empty, tmp_path, how
):
    own, other = tmp_path / "kept.png", tmp_path / "other.png"
    shutil.copy2(case.image, own)
    ImageOps.invert(Image.open(case.image)).save(other)
    if how == "link":
        by_linking(case.image, own)
    replaced = as_kind(ReplacedAndPutBack, case, how=how, own=own, other=other, path=case.image)
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
    columns = {"own": own, "other": tmp_path / "other.raw", "path": tmp_path / "image.raw"}
    replaced = as_kind(ReplacedAndPutBack, case, how="place", **columns)
    [failure] = extract([replaced], features(), empty, HERE).failures
    assert "was replaced while this run was reading" in failure.reason
    assert not extract([case], features(), empty, HERE).failures


@pytest.mark.parametrize("times", [0, 1, ATTEMPTS])
def test_a_file_whose_content_stays_is_read_again_and_not_without_end(case, empty, tmp_path, times):
    count = tmp_path / "count"
    count.write_text("")
    found = extract([as_kind(Touched, case, times=times, count=count)], features(), empty, HERE)
    assert len(count.read_text()) == min(times + 1, ATTEMPTS)
    assert len(found.failures) == (times >= ATTEMPTS)
