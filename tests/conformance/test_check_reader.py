"""`check_reader` passes a sound component and catches each broken promise."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rdfc_core import testing
from rdfc_core.case import Volume
from rdfc_core.errors import DataError
from rdfc_core.interfaces import Reader
from rdfc_core.scaffold.templates.reader import config as reader_config
from rdfc_core.scaffold.templates.reader import reader as reader_example

counter = itertools.count()

ArrayReader = reader_example.Example


@pytest.fixture
def archives(tmp_path) -> tuple[Path, Path]:
    """A generated tumour as two NumPy archives."""
    tumour = testing.example_tumours(3, 1)[0]
    for name, array in (("image", tumour.image.array), ("mask", tumour.mask)):
        np.savez(tmp_path / f"{name}.npz", array=array, spacing_mm=tumour.image.spacing_mm)
    return tmp_path / "image.npz", tmp_path / "mask.npz"


class ReadingAnything(ArrayReader):
    def reads(self, path):
        return True


class LookingAtTheDisk(ArrayReader):
    def reads(self, path):
        return path.exists() and super().reads(path)


class FillingWithZeros(ArrayReader):
    def read_image(self, path):
        try:
            return super().read_image(path)
        except DataError:
            return Volume.of(np.zeros((4, 4)))


class NamingNoFile(ArrayReader):
    def read_image(self, path):
        try:
            return super().read_image(path)
        except DataError as error:
            raise DataError("the file is damaged") from error


class RaisingWhatItMeets(ArrayReader):
    def read_image(self, path):
        with np.load(path) as archive:
            return Volume.of(archive["array"], tuple(archive["spacing_mm"].tolist()))


class SpacingInMetres(ArrayReader):
    def read_image(self, path):
        volume = super().read_image(path)
        return replace(volume, spacing_mm=volume.spacing_mm[:2])


class ShearedAxes(ArrayReader):
    def read_image(self, path):
        return replace(super().read_image(path), direction=np.ones((3, 3)))


class MaskOnAnotherGrid(ArrayReader):
    def read_mask(self, path):
        volume = super().read_mask(path)
        return replace(volume, spacing_mm=(1.0, 1.0, 1.0))


class FingerprintOfThePath(ArrayReader):
    def fingerprint(self, path):
        return str(path)


class FingerprintOfTheName(ArrayReader):
    def fingerprint(self, path):
        return path.name


class ReadingNoise(ArrayReader):
    def read_image(self, path):
        volume = super().read_image(path)
        return replace(volume, array=volume.array + next(counter))

    def read_mask(self, path):
        return super().read_image(path)


class OfOneArchive(ArrayReader):
    """Reads archives that hold the mask beside the image."""

    masks_in_images = True

    def read_mask(self, path):
        with np.load(path) as archive:
            return Volume.of(archive["mask"], tuple(archive["spacing_mm"].tolist()))


class ForgettingTheMask(OfOneArchive):
    def read_mask(self, path):
        return self.read_image(path)


class SilentOnItsMasks(OfOneArchive):
    masks_in_images = False


@pytest.fixture
def archive(tmp_path):
    """A generated tumour, image and mask, as one archive."""
    tumour = testing.example_tumours(3, 1)[0]
    image = {"array": tumour.image.array, "spacing_mm": tumour.image.spacing_mm}
    np.savez(tmp_path / "both.npz", mask=tumour.mask, **image)
    return tmp_path / "both.npz"


def test_a_reader_of_image_and_mask_in_one_file_passes(archive):
    testing.check_reader(OfOneArchive(reader_config.ExampleConfig()), archive, archive)


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (ForgettingTheMask, r"read_mask\(both.npz\) gave the image itself"),
        (SilentOnItsMasks, "set masks_in_images = True"),
    ],
)
def test_a_reader_that_takes_the_image_for_its_mask_is_caught(kind, complaint, archive):
    with pytest.raises(AssertionError, match=complaint):
        testing.check_reader(kind(reader_config.ExampleConfig()), archive, archive)


def test_a_sound_reader_passes(archives):
    testing.check_reader(ArrayReader(reader_config.ExampleConfig()), *archives)


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (ReadingAnything, "says yes to any name"),
        (LookingAtTheDisk, "judge a path by its name alone"),
        (FillingWithZeros, "cut in half raised nothing"),
        (NamingNoFile, "does not name the file"),
        (RaisingWhatItMeets, "raised BadZipFile"),
        (SpacingInMetres, "for 3 axes; give one positive number"),
        (ShearedAxes, "unit vectors at right angles"),
        (MaskOnAnotherGrid, r"spacing \(mm\)"),
        (FingerprintOfThePath, "use its content, not its place"),
        (FingerprintOfTheName, "did not change when image.npz was cut in half"),
        (ReadingNoise, "differently the second time"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_reader_is_caught(kind, complaint, archives):
    with pytest.raises(AssertionError, match=complaint):
        testing.check_reader(kind(reader_config.ExampleConfig()), *archives)


class FolderReader(Reader):
    """Reads a folder of pictures as a volume, as DICOM would be."""

    def reads(self, path):
        return path.suffix == ".stack"

    def read_image(self, path):
        try:
            planes = [np.array(Image.open(file)) for file in sorted(path.iterdir())]
        except OSError as error:
            raise DataError(f"{path} is damaged: {error}") from error
        return Volume.of(np.stack(planes))


def test_a_reader_of_folders_is_tried_with_its_largest_file_cut(tmp_path):
    tumour = testing.example_tumours(3, 1)[0]
    for name, array in (("image", tumour.image.array.astype(np.uint8)), ("mask", tumour.mask)):
        (tmp_path / f"{name}.stack").mkdir()
        for number, plane in enumerate(array):
            Image.fromarray(plane.astype(np.uint8)).save(
                tmp_path / f"{name}.stack" / f"{number:02}.png"
            )
    testing.check_reader(FolderReader(), tmp_path / "image.stack", tmp_path / "mask.stack")
