"""By what a store knows readers: features that are kept outlive the move of a module."""

from __future__ import annotations

from pathlib import Path

import pytest

from rdfc_core.data.readers.pictures import PictureReader
from rdfc_core.data.readers.volumes import VolumeReader
from rdfc_core.interfaces import Reader
from rdfc_dataset_phantom.config import PhantomConfig
from rdfc_dataset_phantom.reader import PhantomReader


class ElsewhereReader(Reader):
    def reads(self, path: Path) -> bool:
        return True

    def read_image(self, path: Path):
        raise NotImplementedError


@pytest.mark.parametrize(
    ("reader", "known_as"),
    [
        (PictureReader(), "rdfc_core.readers.pictures.PictureReader 1"),
        (VolumeReader(), "rdfc_core.readers.volumes.VolumeReader 1"),
        (PhantomReader(PhantomConfig()), "rdfc_dataset_phantom.reader.PhantomReader 1"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_stores_of_before_know_the_bundled_readers(reader, known_as, tmp_path):
    assert reader.identity(tmp_path / "a.bmp") == known_as


def test_a_reader_is_known_by_package_and_class_and_not_by_its_module(monkeypatch):
    monkeypatch.setattr(ElsewhereReader, "__module__", "rdfc_reader_dicom.series.slices")
    assert ElsewhereReader().identity(Path("a")) == "rdfc_reader_dicom.ElsewhereReader 1"


def test_a_renamed_reader_keeps_its_features():
    class Renamed(ElsewhereReader):
        known_as = "rdfc_reader_dicom.ElsewhereReader"
        version = 2

    assert Renamed().identity(Path("a")) == "rdfc_reader_dicom.ElsewhereReader 2"
