"""The official layout: what is read, what is refused, and what a check lists."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rdfc_core.data.readers.volumes import VolumeReader
from rdfc_core.errors import DataError
from rdfc_core.plugin.registry import installed
from rdfc_core.testing import check_dataset, check_plugin
from rdfc_dataset_kits19.config import Kits19Config
from rdfc_dataset_kits19.dataset import Kits19


def test_the_plugin_keeps_what_every_plugin_promises():
    check_plugin("rdfc-dataset-kits19")
    assert installed().get("dataset", "kits19").load() is Kits19


def test_it_keeps_what_every_data_set_promises(layout):
    for seed, name in enumerate(["papillary", "chromophobe", "angiomyolipoma"]):
        for case_id in layout.of(name, 2):
            layout.write_small(case_id, seed)
    check_dataset(layout.dataset(allow_missing=True))


def test_a_case_is_what_kits_json_and_its_folder_say(layout):
    layout.touch()
    first = layout.dataset().cases()[0]
    assert first.case_id == first.patient_id == "case_00000"
    assert first.image == layout.data / "case_00000" / "imaging.nii.gz"
    assert first.mask == layout.data / "case_00000" / "segmentation.nii.gz"
    assert first.columns == {
        "gender": "female",
        "body_mass_index": "24.5",
        "malignant": "true",
        "tumor_histologic_subtype": layout.subtypes["case_00000"],
    }
    numbers = [int(case.case_id[-5:]) for case in layout.dataset().cases()]
    assert numbers == list(range(210))


def test_the_data_folder_itself_will_do_and_kits_json_may_lie_beside_it(layout):
    layout.touch()
    within = [case.label for case in layout.dataset().cases()]
    assert [c.label for c in Kits19(Kits19Config(root=layout.data)).cases()] == within
    (layout.data / "kits.json").rename(layout.root / "kits.json")
    for root in (layout.root, layout.data):
        assert [case.label for case in Kits19(Kits19Config(root=root)).cases()] == within


@pytest.mark.parametrize(("component", "voxels"), [("largest", 27), ("all", 27 + 8)])
def test_the_tumour_is_value_2_as_a_whole_or_its_largest_component(layout, component, voxels):
    mask = np.zeros((8, 20, 24), np.uint8)
    mask[0:7, 1:12, 1:12] = 1
    mask[1:4, 2:5, 2:5] = 2
    mask[5:7, 15:17, 18:20] = 2
    (case_id,) = layout.of("papillary", 1)
    layout.write(case_id, np.zeros(mask.shape, np.int16), mask)
    (case,) = layout.dataset(allow_missing=True, component=component).cases()
    assert replace(case, reader=VolumeReader()).load().mask.sum() == voxels


def test_missing_scans_are_refused_by_name(layout):
    layout.touch(c for c in layout.subtypes if int(c[-5:]) not in (3, 7, 8, 9, 209))
    (layout.data / "case_00020" / "segmentation.nii.gz").unlink()
    message = (
        r"KiTS19 in .*data: 6 of 210 cases lack imaging.nii.gz or segmentation.nii.gz "
        r"\(case_00003, case_00007 to case_00009, case_00020, case_00209\)\. Download them with .* "
        r"or set allow_missing: true\.$"
    )
    with pytest.raises(DataError, match=message):
        layout.dataset().cases()
    assert len(layout.dataset(allow_missing=True).cases()) == 204


def check(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name("rdfc"), "datasets", "check", *arguments, "--json"]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)


def test_a_check_lists_every_problem_in_one_pass(layout):
    entry = next(e for e in layout.entries if e["case_id"] == "case_00005")
    del entry["tumor_histologic_subtype"]
    layout.write_list()
    for case_id in ("case_00011", "case_00012", "case_00160"):
        layout.write_small(case_id, int(case_id[-5:]))
    scan = layout.data / "case_00012" / "imaging.nii.gz"
    scan.write_bytes(scan.read_bytes()[:-2000])
    (layout.data / "case_00011" / "segmentation.nii.gz").unlink()
    done = check("kits19", "--root", layout.root)
    assert done.returncode == 2
    found = json.loads(done.stdout)
    assert (found["summary"]["cases"], found["summary"]["usable"]) == (210, 1)
    errors = [(p["case_id"], p["field"]) for p in found["problems"] if p["severity"] == "error"]
    missing = {(f"case_{i:05d}", f) for i in range(210) for f in ("image", "mask")}
    missing -= {(f"case_{i:05d}", f) for i in (12, 160) for f in ("image", "mask")}
    missing -= {("case_00011", "image")}
    assert len(errors) == len(set(errors))  # each told once
    assert set(errors) == missing | {("case_00005", "kits.json"), ("case_00012", "image")}
    warned = {p["case_id"] for p in found["problems"] if p["severity"] == "warning"}
    assert warned >= {"case_00015", "case_00160"}
    allowed = json.loads(check("kits19:allow_missing=true", "--root", layout.root).stdout)
    assert allowed["summary"]["cases"] == 2


@pytest.mark.parametrize(
    ("content", "message", "more"),
    [
        (b"{", "is no JSON", 0),
        (b"\xff\xfe", "is no JSON", 0),
        (b'{"case_id": 1}', "holds no list of cases", 0),
        (b"[3]", "entry 0: it has no case_id", 210),
        (b'[{"case_id": "case_00001"}]', "case_00001 has no tumor_histologic_subtype", 209),
        (b"[]", r"^Case case_00000: kits\.json does not list the case", 209),
    ],
)
def test_a_damaged_list_says_where_and_what_next(layout, content, message, more):
    layout.touch()
    (layout.data / "kits.json").write_bytes(content)
    tail = rf" \({more} more: rdfc datasets check kits19\.\)" if more else ""
    advice = rf"\. Take kits\.json from the challenge's repository again \(.*\)\.{tail}$"
    with pytest.raises(DataError, match=f"{message}.*{advice}"):
        layout.dataset().cases()


def test_a_case_listed_twice_is_refused_and_one_beyond_the_210_is_left_aside(layout):
    layout.touch()
    layout.entries.append({**layout.entries[0], "case_id": "case_00210"})
    layout.write_list()
    assert len(layout.dataset().cases()) == 210
    layout.entries.append(layout.entries[4])
    layout.write_list()
    with pytest.raises(DataError, match="entry 211: case_00004 is listed a second time"):
        layout.dataset().cases()


def test_of_an_incomplete_copy_a_case_without_an_entry_is_missing(layout):
    layout.touch()
    layout.entries = layout.entries[:100]
    layout.write_list()
    assert len(layout.dataset(allow_missing=True).cases()) == 100
    with pytest.raises(DataError, match=r"Case case_00100: kits\.json does not list the case"):
        layout.dataset().cases()


def test_a_folder_that_is_not_the_data_set_says_what_is_missing(layout, tmp_path):
    (layout.data / "kits.json").unlink()
    with pytest.raises(DataError, match=r"kits\.json cannot be read: no such file"):
        layout.dataset().cases()
    nowhere = Kits19(Kits19Config(root=tmp_path / "nowhere"))
    assert [p.field for p in nowhere.problems()] == ["root"]
    with pytest.raises(DataError, match=r"nowhere is no folder\. root must be the folder around"):
        nowhere.cases()


def test_the_data_set_says_how_to_cite_it():
    assert "arXiv:1904.00445" in Kits19.citation
