"""`check_dataset` passes a sound component and catches each broken promise."""

import itertools
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rdfc_core import testing
from rdfc_core.errors import DataError
from rdfc_core.interfaces import Problem, PublishedStudy, SplitSpec
from rdfc_core.scaffold.templates.dataset import config as dataset_config
from rdfc_core.scaffold.templates.dataset import dataset as dataset_example
from rdfc_core.scaffold.templates.reader import config as reader_config
from rdfc_core.scaffold.templates.reader import reader as reader_example

counter = itertools.count()

ArrayReader = reader_example.Example

FolderDataset = dataset_example.Example


@pytest.fixture
def folder(tmp_path) -> Path:
    """Four generated tumours as pictures, in one folder a class."""
    for number, tumour in enumerate(testing.example_tumours(2, 4)):
        label = tmp_path / ("benign" if number % 2 else "malignant")
        label.mkdir(exist_ok=True)
        Image.fromarray(tumour.image.array).save(label / f"p{number}.png")
        Image.fromarray(tumour.mask.astype(np.uint8) * 255).save(label / f"p{number}_mask.png")
    return tmp_path


class KeepingItsCases(FolderDataset):
    def with_list(self, listing):
        return FolderDataset(self.config)


class ReadingNoLists(FolderDataset):
    def with_list(self, listing):
        return None


class BecomingTheList(FolderDataset):
    def with_list(self, listing):
        if listing.is_dir():
            self.config = self.config.model_copy(update={"root": listing})
        return FolderDataset(self.config)


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (KeepingItsCases, "lists the cases of the data set itself"),
        (ReadingNoLists, "gave None, so that rdfc predict would read it as a plain list"),
        (BecomingTheList, "changed the cases of the data set itself"),
    ],
)
def test_another_list_gives_another_data_set(kind, complaint, folder, tmp_path):
    new = folder / "new"
    new.mkdir()
    for label in ("benign", "malignant"):
        (folder / label).rename(new / label)
    shutil.copytree(new, tmp_path / "old")
    made = dataset_config.ExampleConfig(root=tmp_path / "old")
    testing.check_dataset(FolderDataset(made), listing=new)
    with pytest.raises(AssertionError, match=complaint):
        testing.check_dataset(kind(made), listing=new)


class WithOneCaseTwice(FolderDataset):
    def cases(self):
        return [*super().cases(), super().cases()[0]]


class ShufflingItsCases(FolderDataset):
    def cases(self):
        cases = list(super().cases())
        place = next(counter) % len(cases)
        return cases[place:] + cases[:place]


class WithAStrangeLabel(FolderDataset):
    def cases(self):
        return [replace(case, label="unsure") for case in super().cases()]


class OpeningItsPictures(FolderDataset):
    def cases(self):
        cases = super().cases()
        return [case for case in cases if Image.open(case.image).width > 0]


class SplitByAMissingColumn(FolderDataset):
    def protocol(self):
        return SplitSpec(kind="column", column="part")


class ProblemWithoutAFix(FolderDataset):
    def problems(self):
        yield Problem("", "mask", "it is missing", "")


class EmptyMasks(FolderDataset):
    def cases(self):
        return [replace(case, mask_value=7) for case in super().cases()]


class WithoutPatients(FolderDataset):
    def cases(self):
        return [replace(case, patient_id="") for case in super().cases()]


class HoldingOpenFiles(FolderDataset):
    def cases(self):
        reader = ArrayReader(reader_config.ExampleConfig())
        reader.stream = sys.stdout
        return [replace(case, reader=reader) for case in super().cases()]


class PublishedAsPlainData(FolderDataset):
    @classmethod
    def published(cls):
        return {"source": "somewhere"}


class PublishedOnOtherData(FolderDataset):
    @classmethod
    def published(cls):
        study = {"dataset": "phantom"}
        return PublishedStudy(source="somewhere", study=study, quick={}, rows=())


class WithoutCases(FolderDataset):
    def cases(self):
        return []


def test_a_sound_dataset_passes(folder):
    testing.check_dataset(FolderDataset(dataset_config.ExampleConfig(root=folder)))


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (WithOneCaseTwice, "case_id 'benign/p1' occurs twice"),
        (ShufflingItsCases, "came in another order the second time"),
        (WithAStrangeLabel, "has the label 'unsure'"),
        (OpeningItsPictures, r"cases\(\) opened \["),
        (SplitByAMissingColumn, "splits by column 'part', which is None"),
        (ProblemWithoutAFix, "says what is wrong and how to fix it"),
        (WithoutPatients, "needs two non-empty ids"),
        (HoldingOpenFiles, "cannot be pickled"),
        (WithoutCases, r"cases\(\) is empty"),
        (PublishedAsPlainData, r"published\(\) has to be a PublishedStudy"),
        (PublishedOnOtherData, "names a data set in its study"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_dataset_is_caught(kind, complaint, folder):
    with pytest.raises(AssertionError, match=complaint):
        testing.check_dataset(kind(dataset_config.ExampleConfig(root=folder)))


def test_a_case_that_does_not_load_is_reported_as_it_reports_itself(folder):
    with pytest.raises(DataError, match=r"Case benign/p1: the mask is empty at value 7"):
        testing.check_dataset(EmptyMasks(dataset_config.ExampleConfig(root=folder)))
