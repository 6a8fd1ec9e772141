"""The layout of TN-SCUI2020, written small."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rdfc_core.data.readers.pictures import PictureReader
from rdfc_core.data.splits import make_splits
from rdfc_core.errors import DataError
from rdfc_core.plugin.registry import installed
from rdfc_core.testing import check_dataset, check_plugin
from rdfc_dataset_tnscui2020.config import TnScui2020Config
from rdfc_dataset_tnscui2020.dataset import TnScui2020

IDS = ["1006588", "1009091", "17", "4003"]


def write(root: Path, header: str = "ID,CATE\n", ending: str = ".PNG") -> Path:
    for folder in ("image", "mask"):
        (root / folder).mkdir(parents=True)
    for place, case_id in enumerate(IDS):
        picture = np.full((20, 30 + place), place, np.uint8)
        mask = np.zeros_like(picture)
        mask[3:7, 5:11] = 255
        Image.fromarray(picture).save(root / "image" / f"{case_id}{ending}")
        Image.fromarray(mask).save(root / "mask" / f"{case_id}{ending}")
    lines = [f"{case_id}.PNG,{place % 2}\n" for place, case_id in enumerate(IDS)]
    (root / "train.csv").write_text(header + "".join(lines))
    return root


def dataset(root: Path) -> TnScui2020:
    return TnScui2020(TnScui2020Config(root=root))


def test_the_plugin_keeps_what_every_plugin_promises() -> None:
    check_plugin("rdfc-dataset-tnscui2020")
    assert installed().get("dataset", "tn-scui2020").load() is TnScui2020


def test_it_keeps_what_every_data_set_promises(tmp_path: Path) -> None:
    check_dataset(dataset(write(tmp_path)))


@pytest.mark.parametrize("header", ["ID,CATE\n", "name,class,remark\n", "", "\ufeffID,CATE\n"])
def test_the_list_is_read_by_position_with_or_without_a_header(tmp_path: Path, header: str) -> None:
    cases = dataset(write(tmp_path, header)).cases()
    assert [case.case_id for case in cases] == IDS
    assert [case.label for case in cases] == ["benign", "malignant"] * 2
    assert [case.patient_id for case in cases] == IDS
    assert cases[0].image == tmp_path / "image/1006588.PNG"
    assert cases[0].mask == tmp_path / "mask/1006588.PNG"


def test_every_case_loads_with_its_outline(tmp_path: Path) -> None:
    found = dataset(write(tmp_path))
    assert found.classes == ("benign", "malignant")
    assert list(found.problems()) == []
    for case in found.cases():
        tumour = replace(case, reader=PictureReader()).load()
        assert tumour.mask.sum() == 4 * 6
        assert tumour.box == (slice(3, 7), slice(5, 11))


def test_the_folder_around_it_will_do(tmp_path: Path) -> None:
    write(tmp_path / "TNSCUI2020_train")
    assert len(dataset(tmp_path).cases()) == 4


def test_file_endings_may_be_in_small_letters(tmp_path: Path) -> None:
    found = dataset(write(tmp_path, ending=".png"))
    assert list(found.problems()) == []
    assert found.cases()[0].image.read_bytes().startswith(b"\x89PNG")


# The split


def listed(root: Path, cases: int) -> TnScui2020:
    write(root)
    lines = [f"{i}.PNG,{int(i >= 1641)}\n" for i in range(cases)]
    (root / "train.csv").write_text("ID,CATE\n" + "".join(lines))
    return dataset(root)


def test_the_whole_data_set_is_split_as_in_the_paper(tmp_path: Path) -> None:
    found = listed(tmp_path, 3644)
    (split,) = make_splits(found.cases(), found.protocol(), seed=1)
    assert (len(split.train), len(split.test), len(split.pretext)) == (2916, 728, 2916)
    assert set(split.pretext) == set(split.train)
    malignant = sum(int(case_id) >= 1641 for case_id in split.test)
    assert malignant == pytest.approx(728 * 2003 / 3644, abs=1)


def test_a_part_of_the_data_set_holds_out_a_fifth(tmp_path: Path) -> None:
    found = listed(tmp_path, 2000)
    assert found.protocol().test_cases is None
    (split,) = make_splits(found.cases(), found.protocol(), seed=1)
    assert (len(split.train), len(split.test)) == (1600, 400)


# Problems


def test_missing_and_unlisted_files_are_listed_at_once_and_do_not_stop_the_others(
    tmp_path: Path,
) -> None:
    found = dataset(write(tmp_path))
    (tmp_path / "image" / "17.PNG").unlink()
    (tmp_path / "mask" / "4003.PNG").rename(tmp_path / "mask" / "4004.PNG")
    assert [(p.case_id, p.field, p.severity) for p in found.problems()] == [
        ("17", "image", "error"),
        ("4003", "mask", "error"),
        ("", "mask", "warning"),
    ]
    assert "holds more than train.csv lists: 1 (4004.PNG)" in list(found.problems())[2].message
    assert len(found.cases()) == 4


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("17.PNG,2", "line 6: the class is '2'"),
        ("18.PNG", "line 6: the class is ''"),
        (",1", "line 6: the file name is empty"),
        ("17.PNG,1", r"line 6: 17\.PNG is listed a second time"),
    ],
)
def test_a_line_that_cannot_be_understood_is_named(tmp_path: Path, line: str, message: str) -> None:
    root = write(tmp_path)
    with (root / "train.csv").open("a") as stream:
        stream.write(f"{line}\n\n")
    found = dataset(root)
    (problem,) = found.problems()
    assert problem.severity == "error"
    with pytest.raises(DataError, match=f"{message}. A line names a file and 0"):
        found.cases()


@pytest.mark.parametrize("missing", ["train.csv", "image", "mask"])
def test_a_folder_that_is_not_the_data_set_says_what_is_missing(
    tmp_path: Path, missing: str
) -> None:
    root = write(tmp_path)
    (root / missing).rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=rf"{missing} does not exist\. root must be"):
        dataset(root).cases()
    assert len(list(dataset(root).problems())) == 1


def test_the_data_set_says_how_to_cite_it() -> None:
    assert "10.5281/zenodo.3715942" in TnScui2020.citation
