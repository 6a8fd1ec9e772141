"""Which reader reads a file: the one that claims it, or the one of several that the study names."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rdfc_core.case import Case, Needs, Volume
from rdfc_core.data.case_check import check_case
from rdfc_core.data.case_definition import CaseDefinition
from rdfc_core.data.readers.auto import AutoReader, NamedReader, readers_of
from rdfc_core.data.readers.pictures import PictureReader
from rdfc_core.data.readers.volumes import VolumeReader
from rdfc_core.errors import DataError
from rdfc_core.interfaces import Reader
from rdfc_core.pipeline.case_list import study_cases
from rdfc_core.pipeline.finished import finished_run
from rdfc_core.pipeline.run import run
from rdfc_core.pipeline.run_folder import RunFolder
from rdfc_core.pipeline.run_inputs import changes, inputs_of
from rdfc_core.plugin import registry as plugins
from rdfc_core.utils.progress import Progress
from tests.support import small_study

ONES = '''
import numpy as np
from pydantic import BaseModel, ConfigDict
from rdfc_core import Component, hookimpl
from rdfc_core.case import Volume
from rdfc_core.interfaces import Reader

rdfc_interface = 1


class OnesConfig(BaseModel):
    """No option."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Ones(Reader):
    """Claims every file, and makes ones of it."""

    def __init__(self, config):
        self.config = config

    def reads(self, path):
        return True

    def read_image(self, path):
        return Volume.of(np.ones((40, 40), np.uint8))


@hookimpl
def rdfc_components():
    return [Component("reader", "ones", "Ones", "ones_plugin:Ones", "ones_plugin:OnesConfig")]
'''


@pytest.fixture
def with_ones(small_distribution, distribution, tmp_path, monkeypatch):
    """The components that are installed beside a reader which claims every file."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "ones_plugin.py").write_text(ONES)
    distribution(site, "rdfc-ones", "ones = ones_plugin", version="3.1")
    monkeypatch.syspath_prepend(str(site))
    plugins.installed.cache_clear()
    yield plugins.installed()
    sys.modules.pop("ones_plugin", None)
    plugins.installed.cache_clear()


def listed(folder: Path, registry: Any, *overrides: str) -> list[Case]:
    study = small_study.resolved(folder, *overrides)
    return study_cases(study, study.dataset.build(registry), registry)


def test_two_readers_that_claim_one_file_are_refused_with_both_names(pictures, with_ones):
    with pytest.raises(DataError) as caught:
        listed(pictures, with_ones)
    said = str(caught.value)
    assert said.startswith("Case case-000: two readers claim case-000.png: ")
    assert "'ones' (rdfc-ones) and 'pictures' (rdfc-core)" in said
    assert "readers: {ones: {}}" in said


@pytest.mark.parametrize(("name", "mean"), [("pictures", 150), ("ones", 1)])
def test_the_reader_that_the_study_names_is_taken(pictures, with_ones, name, mean):
    case, *_ = listed(pictures, with_ones, f"readers.{name}={{}}")
    assert case.reader is not None
    assert case.reader.read_image(case.image).array.mean() == pytest.approx(mean, abs=30)
    assert list(readers_of([case])) == [name]


def test_a_study_that_names_both_is_told_to_name_one(pictures, with_ones):
    with pytest.raises(DataError, match="names both under readers: leave all but one"):
        listed(pictures, with_ones, "readers.ones={}", "readers.pictures={}")


def test_a_file_that_nobody_names_a_reader_for_is_read_as_before(tmp_path):
    auto = AutoReader(
        [
            NamedReader("pictures", PictureReader(), "rdfc-core", chosen=True),
            NamedReader("volumes", VolumeReader(), "rdfc-core"),
        ]
    )
    assert auto.reads(Path("a.nii.gz"))
    assert auto.named_for(Path("a.nii.gz")).name == "volumes"
    assert auto.named_for(Path("a.xyz")) is None
    with pytest.raises(DataError, match=r"no installed reader is meant for a\.xyz"):
        auto.read_image(Path("a.xyz"))


def test_another_reader_or_other_options_make_it_another_run(
    pictures, registry, tmp_path, run_context
):
    study = small_study.resolved(pictures, *small_study.QUICK, "pretrain.epochs=1")
    run(study, tmp_path / "run", run_context, until="extract")
    recorded = RunFolder(tmp_path / "run").recorded_inputs()
    assert list(recorded["readers"]) == ["pictures"]
    assert finished_run(study, tmp_path / "run", registry, Progress(), "extract") is not None
    dataset = study.dataset.build(registry)
    cases = study_cases(study, dataset, registry)
    now = inputs_of(study, dataset, cases=cases)
    assert changes(study, study.dump(), now, recorded) == []
    now["readers"]["pictures"]["options"]["max_pixels"] = 9
    assert changes(study, study.dump(), now, recorded) == ["readers.pictures.options.max_pixels"]
    before = {key: value for key, value in recorded.items() if key != "readers"}
    assert changes(study, study.dump(), now, before) == []  # a run of before they were recorded


def test_a_model_knows_what_read_its_cases(cases):
    definition = CaseDefinition.of(cases)
    assert definition.read_otherwise(cases) == []
    reader = AutoReader([NamedReader("pictures", PictureReader(), options={"max_pixels": 9})])
    (said,) = definition.read_otherwise(
        [Case("a", "p", cases[0].image, cases[0].mask, reader=reader)]
    )
    assert "The reader 'pictures' reads files differently than when the run was trained" in said
    (said,) = definition.read_otherwise(
        [Case("a", "p", cases[0].image, cases[0].mask, reader=PictureReader())]
    )
    assert "read by the reader 'PictureReader', and those that the run was trained on" in said
    assert CaseDefinition.model_validate_json(definition.model_dump_json()) == definition


# Masks that need their image


class Contour(Reader):
    """A mask format without a grid: the box in its name, on the grid of the image."""

    needs_files = False

    def reads(self, path: Path) -> bool:
        return True

    def read_image(self, path: Path) -> Volume:
        return Volume.of(np.arange(48.0).reshape(6, 8), (0.5, 0.7))

    def read_mask(self, path: Path, image: Volume | None = None) -> Volume:
        if image is None:
            raise DataError("a contour has no grid of its own. Give it with its image.")
        inside = np.zeros(image.array.shape, np.uint8)
        first, last = (int(part) for part in path.stem.split("-"))
        inside[first:last, first:last] = 1
        return Volume(inside, image.spacing_mm, image.origin_mm, image.direction)


class OldReader(Contour):
    """Written when masks were read by themselves."""

    def read_mask(self, path: Path) -> Volume:  # type: ignore[override]
        inside = np.zeros((6, 8), np.uint8)
        inside[1:3] = 1
        return Volume.of(inside, (0.5, 0.7))


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_mask_is_read_with_its_image(wrapped, tmp_path):
    reader = AutoReader([Contour()]) if wrapped else Contour()
    paths = [tmp_path / "image", tmp_path / "2-5.contour"]
    for path in paths:
        path.touch()
    tumour = Case("a", "p", *paths, reader=reader).load()
    assert tumour.mask.sum() == 9
    assert tumour.mask[2:5, 2:5].all()


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_reader_that_takes_no_image_reads_as_before(wrapped, tmp_path):
    reader = AutoReader([OldReader()]) if wrapped else OldReader()
    paths = [tmp_path / "image", tmp_path / "mask"]
    for path in paths:
        path.touch()
    assert Case("a", "p", *paths, reader=reader).load().mask.sum() == 16


class Parts(Reader):
    """Reads one row of a text file of numbers: ``FILE.rows#2``."""

    def reads(self, path: Path) -> bool:
        return ".rows" in path.name

    def place(self, path: Path) -> Path:
        return path.with_name(path.name.partition("#")[0])

    def read_image(self, path: Path) -> Volume:
        row = int(path.name.partition("#")[2])
        return Volume.of(np.loadtxt(self.place(path))[row : row + 1])

    def identity(self, path: Path) -> str:
        return f"{super().identity(path)} {path.name.partition('#')[2]}"


def test_a_path_may_name_a_part_of_a_file(tmp_path):
    np.savetxt(tmp_path / "a.rows", [[1, 2, 3], [0, 0, 1]])
    auto = AutoReader([Parts()])

    def part(row: int, file: str = "a.rows") -> Case:
        return Case("a", "a", tmp_path / f"{file}#0", tmp_path / f"{file}#{row}", reader=auto)

    tumour = part(1).load()
    assert tumour.image.array.tolist() == [[1, 2, 3]]
    assert tumour.mask.tolist() == [[False, False, True]]
    assert part(1).fingerprint() != part(0).fingerprint()  # one file, another part of it
    before = part(1).fingerprint(), part(1).file_states([Needs()])
    np.savetxt(tmp_path / "a.rows", [[1, 2, 4], [0, 0, 1]])
    assert part(1).fingerprint() != before[0]
    assert part(1).file_states([Needs()]) != before[1]
    with pytest.raises(DataError, match=r"the image .*b\.rows#0 does not exist"):
        part(1, "b.rows").load()
    problems = check_case(part(1, "b.rows")).problems
    assert ["does not exist" in problem.message for problem in problems] == [True, True]
