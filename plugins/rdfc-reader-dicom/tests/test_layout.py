"""`rdfc datasets build` of a tree of DICOM pairs by what headers say, and guesses nothing."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rdfc_core.interfaces import Doubt, Found, LayoutOptions
from rdfc_reader_dicom.layout import DicomTree
from rdfc_reader_dicom.reader import DicomReader

sys.path.append(str(Path(__file__).parent))
import dicom_trees as trees

pytest.importorskip("highdicom")

SHAPE = (4, 16, 18)


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """Two patients: one with a CT and an MR in one folder, one with two CTs, some outlined."""
    root = tmp_path_factory.mktemp("tree")
    volume = trees.scan(SHAPE)
    inside = trees.ball(volume, 4)
    square = np.array([[3.2, 3.2], [3.2, 9.1], [9.1, 9.1], [9.1, 3.2]])
    ring = [trees.points(volume, plane, square) for plane in (1, 2)]
    ct, mr = trees.slices(volume), trees.slices(volume, "MR")
    trees.write_series(root / "A" / "all", ct)
    for at, image in enumerate(mr):
        trees.save(image, root / "A" / "all" / f"mr{at}")
    trees.save(trees.segmentation(ct, {"Tumour": inside}), root / "A" / "seg.dcm")
    trees.save(trees.structures(mr, {"GTV": ring, "Body": ring}), root / "A" / "rs.dcm")
    other = {"PatientID": "HOSP-2"}
    for name in ("one", "two", "three"):
        images = trees.slices(volume, **other)
        trees.write_series(root / "B" / name, images)
        if name != "three":
            made = trees.structures(images, {"GTV": ring}, **other)
            trees.save(made, root / "B" / f"{name}.dcm")
    trees.save(trees.structures(trees.slices(volume), {"GTV": ring}), root / "B" / "lost.dcm")
    (root / "B" / "cut.dcm").write_bytes((root / "B" / "one.dcm").read_bytes()[:200])
    (root / "notes.txt").write_text("not DICOM")
    return root


def found(root: Path, **options) -> Found:
    return DicomTree().find(root, LayoutOptions(**options))


def test_a_tree_of_dicom_is_recognised(root, tmp_path):
    assert DicomTree().recognises(root)
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    assert not DicomTree().recognises(tmp_path)


def test_series_are_paired_with_the_outlines_that_refer_to_them(root):
    made = found(root, only_masks="[GT]*")
    rows = {case.case_id: (case.images[""], case.masks[""]) for case in made.cases}
    images = {case_id: str(image.relative_to(root)) for case_id, (image, _) in rows.items()}
    assert list(rows) == ["A_all_CT", "A_all_MR", "B_one", "B_two"]
    assert images["B_one"] == str(Path("B", "one"))
    assert images["A_all_CT"].startswith(f"{Path('A', 'all')}#series=")
    assert rows["A_all_MR"][1] == Path(f"{root / 'A' / 'rs.dcm'}#roi=GTV")
    assert rows["B_two"][1] == root / "B" / "two.dcm"
    patients = {case.case_id: case.patient_id for case in made.cases}
    assert set(patients.values()) == {"patient-001", "patient-002"}
    assert patients["B_one"] == patients["B_two"] != patients["A_all_CT"]
    reader = DicomReader()
    for image, mask in rows.values():  # every row is read
        assert reader.read_mask(mask, reader.read_image(image)).array.any()


def test_what_would_be_guessed_is_left_out_and_told(root):
    doubts = {Path(one.what.partition("#")[0]).name: one for one in found(root).doubts}
    assert doubts["rs.dcm"] == Doubt(
        str(root / "A" / "rs.dcm"),
        "it holds 2 outlines: GTV, Body",
        "Say which by --only-masks, or make a case of each by --several-masks cases.",
    )
    assert doubts["lost.dcm"].why == "it refers to no series of the tree"
    assert doubts["three"].why.startswith("no SEG or RTSTRUCT of the tree refers to this series")
    assert "damaged or cut short" in doubts["cut.dcm"].why
    assert "A_all_MR" not in {case.case_id for case in found(root).cases}


def test_contours_without_their_series_go_to_the_only_one_in_their_coordinates(tmp_path):
    volume = trees.scan(SHAPE)
    square = np.array([[3.2, 3.2], [3.2, 9.1], [9.1, 9.1], [9.1, 3.2]])
    images = trees.slices(volume)
    frame = images[0].FrameOfReferenceUID
    trees.write_series(tmp_path / "CT", images)
    lost = trees.slices(volume, FrameOfReferenceUID=frame)
    drawn = {"GTV": [trees.points(volume, 1, square)]}
    trees.save(trees.structures(lost, drawn), tmp_path / "rs.dcm")
    made = found(tmp_path)
    assert [case.case_id for case in made.cases] == ["CT"]
    assert "refers to a series that is not there, and is taken for the only one" in made.notes[0]
    trees.write_series(tmp_path / "PET", trees.slices(volume, "PT", FrameOfReferenceUID=frame))
    made = found(tmp_path)
    assert not made.cases
    assert "it belongs to 2 series of the tree as well: " in made.doubts[0].why


def test_of_several_series_in_one_frame_the_nearest_is_taken_when_asked_for(tmp_path):
    volume = trees.scan(SHAPE)
    square = np.array([[3.2, 3.2], [3.2, 9.1], [9.1, 9.1], [9.1, 3.2]])
    drawn = {"GTV": [trees.points(volume, 1, square)]}
    frame = trees.slices(volume)[0].FrameOfReferenceUID
    for modality in ("CT", "MR", "PT"):
        images = trees.slices(volume, modality, FrameOfReferenceUID=frame)
        trees.write_series(tmp_path / modality / "image", images)
        lost = trees.slices(volume, FrameOfReferenceUID=frame)  # another series than that beside it
        trees.save(trees.structures(lost, drawn), tmp_path / modality / "mask" / "rs.dcm")
    left = found(tmp_path)
    assert not left.cases
    doubts = [one for one in left.doubts if "belongs to 3 series" in one.why]
    assert len(doubts) == 3
    assert "--by-folder" in doubts[0].fix
    made = found(tmp_path, by_folder=True)
    assert {case.images[""].parent for case in made.cases} == {
        case.masks[""].parent.parent for case in made.cases
    }
    assert (len(made.cases), made.doubts) == (3, [])
    assert sum("is taken for the one in its frame" in note for note in made.notes) == 3
    # At equal distance nothing is guessed.
    (tmp_path / "MR" / "mask" / "rs.dcm").rename(tmp_path / "rs.dcm")
    again = found(tmp_path, by_folder=True)
    assert len(again.cases) == 2
    assert any("rs.dcm" in one.what and "belongs to 3 series" in one.why for one in again.doubts)


def test_a_case_of_each_outline_or_of_one_modality(root):
    made = found(root, several_masks="cases")
    ids = [case.case_id for case in made.cases]
    assert ids == ["A_all_CT", "A_all_MR_Body", "A_all_MR_GTV", "B_one", "B_two"]
    only = found(root, only_images="CT")
    assert [case.case_id for case in only.cases] == ["A_all", "B_one", "B_two"]


def test_the_command_writes_a_list_that_names_nobody(root, tmp_path):
    out = tmp_path / "manifest.csv"
    command = [sys.executable, "-m", "rdfc_core", "datasets", "build", str(root)]
    done = subprocess.run(
        [*command, "--out", str(out), "--several-masks", "cases"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 5
    assert {row["patient_id"] for row in rows} == {"patient-001", "patient-002"}
    doubts = out.with_name("manifest.doubts.csv").read_text()
    assert "lost.dcm" in doubts
    for identity in (*trees.IDENTITIES.values(), "HOSP-2"):
        assert identity not in out.read_text() + doubts + done.stdout + done.stderr
