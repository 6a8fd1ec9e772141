"""The reader as rdfc relies on it: names, keys, selections, and a study from end to end."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

import rdfc_core
from rdfc_core import Case, DataError
from rdfc_core.case import Needs
from rdfc_core.data.readers.auto import AutoReader
from rdfc_core.plugin.registry import installed
from rdfc_core.testing import check_plugin, check_reader
from rdfc_reader_dicom.config import DicomReaderConfig
from rdfc_reader_dicom.reader import DicomReader
from rdfc_reader_dicom.selection import SelectedPath

sys.path.append(str(Path(__file__).parent))
import dicom_trees as trees

pytest.importorskip("highdicom")

dicom = DicomReader()


@pytest.fixture
def tree(tmp_path) -> tuple[Path, Path]:
    """A series in a folder and a SEG."""
    volume = trees.scan()
    images = trees.slices(volume)
    trees.write_series(tmp_path / "CT", images)
    made = trees.segmentation(images, {"Tumour": trees.ball(volume)})
    return tmp_path / "CT", trees.save(made, tmp_path / "seg.dcm")


def test_it_is_a_sound_reader_and_plugin(tree):
    check_reader(dicom, *tree)
    check_plugin("rdfc-reader-dicom")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CT", True),
        ("a.dcm", True),
        ("a.DCM", True),
        ("a.ima", True),
        ("IM000001", True),
        ("DICOMDIR", True),
        ("1.2.840.10008.7", True),
        ("chosen.dcmlist", True),
        ("A/B.folder#series=1.2.3", True),
        ("B.folder#dicom", True),
        ("a.png", False),
        ("a.nii.gz", False),
        ("a.nrrd", False),
        ("a#1.nii.gz", False),
        ("a.csv", False),
    ],
)
def test_names(name, meant):
    assert dicom.reads(Path(name)) is meant


def test_a_path_says_what_is_meant():
    chosen = SelectedPath.of(Path("a#b/rs.dcm#roi=GTV/1 & a#2&frame=3"))
    assert (chosen.place, chosen.roi, chosen.frame) == (Path("a#b/rs.dcm"), "GTV/1 & a#2", 3)
    assert chosen.text == "roi=GTV/1 & a#2&frame=3"
    assert SelectedPath.of(Path("a#b/c.dcm")) == SelectedPath(Path("a#b/c.dcm"))
    assert dicom.place(Path("x/y#series=1.2")) == Path("x/y")
    with pytest.raises(DataError, match="says twice which roi is meant"):
        SelectedPath.of(Path("a#roi=1&roi=2"))
    with pytest.raises(DataError, match="leaves empty which segment"):
        SelectedPath.of(Path("a#segment="))


def test_a_changed_slice_changes_the_key(tree):
    reader = AutoReader([dicom])
    case = Case("a", "a", *tree, reader=reader)
    before, states = case.fingerprint(), case.file_states([Needs()])
    assert len(dicom.files(tree[0])) == 8
    moved = tree[0] / "IM007.dcm"
    moved.rename(tree[0] / "renamed.dcm")
    assert case.fingerprint() == before  # the order is that in the patient
    moved = tree[0] / "renamed.dcm"
    content = bytearray(moved.read_bytes())
    content[-1] ^= 1
    moved.write_bytes(content)
    assert case.fingerprint() != before
    assert case.file_states([Needs()]) != states
    (tree[0] / "Thumbs.db").write_bytes(b"not DICOM")
    after = case.fingerprint()
    (tree[0] / "Thumbs.db").unlink()
    assert case.fingerprint() == after


def test_what_is_selected_is_part_of_the_key(tree):
    image, mask = tree
    one = Case("a", "a", image, Path(f"{mask}#segment=1"), reader=dicom)
    other = Case("a", "a", image, Path(f"{mask}#segment=Tumour"), reader=dicom)
    whole = Case("a", "a", image, mask, reader=dicom)
    assert len({case.fingerprint() for case in (one, other, whole)}) == 3
    np.testing.assert_array_equal(one.load().mask, whole.load().mask)


def test_the_identity_holds_no_module(tree):
    assert dicom.identity(tree[0]) == "rdfc_reader_dicom.DicomReader 1"
    resampling = DicomReader(DicomReaderConfig(slice_spacing="resample"))
    assert resampling.identity(tree[0]) == "rdfc_reader_dicom.DicomReader 1; slices resampled"


def test_finding_the_readers_loads_no_pydicom():
    code = (
        "import sys; from rdfc_core.plugin.registry import installed; "
        "from rdfc_core.data.readers.auto import AutoReader; "
        "AutoReader.installed(installed()); print('pydicom' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


STUDY = {
    "features": {"name": "native", "parameters": {"setting": {"binWidth": 25}}},
    "encoder": "timm:model=resnet10_half",
    "views": {"image": {"size": [16, 16], "slices": 3, "window": [-160, 240]}},
    "readers": {"dicom": {"roi": "GTV.*"}},
    "pretrain": {"steps": 2, "batch_size": 8, "precision": "32-true"},
    "evaluate": {
        "bootstrap": 100,
        "methods": [],
        "selection": {"enabled": False},
        "supervised": {"min_steps": 0, "epochs": 1},
    },
}


def write_cases(folder: Path, count: int) -> Path:
    """A manifest of CT series with SEG and RTSTRUCT in turn, one case with a report for a mask."""
    rows = []
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    for number in range(count):
        volume = trees.scan((6, 24, 24))
        volume.array[...] += np.int16(60 * (number % 2) + number)
        images = trees.slices(volume)
        name = f"case-{number:02d}"
        trees.write_series(folder / name / "CT", images)
        if number % 2:
            radius = 5 + number % 3
            ring = np.stack([12 + radius * np.sin(turn), 12 + radius * np.cos(turn)], axis=1)
            drawn = [trees.points(volume, plane, ring) for plane in (2, 3, 4)]
            made = trees.structures(images, {"GTV 1": drawn, "Body": drawn[:1]})
        else:
            made = trees.segmentation(images, {"Tumour": trees.ball(volume, 6 + number % 3)})
        trees.save(made, folder / name / "mask.dcm")
        rows.append([name, name, f"{name}/CT", f"{name}/mask.dcm", "ab"[number // 2 % 2]])
    trees.save(trees.blank("SR"), folder / "case-00" / "report.dcm")
    rows.append(["bad", "case-00", "case-00/CT", "case-00/report.dcm", "a"])
    with (folder / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["case_id", "patient_id", "image", "mask", "label"], *rows])
    return folder


def all_text(folder: Path) -> str:
    """Every byte below a folder as text, tables also as what they hold."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found.append(path.read_bytes().decode("latin-1"))
            if path.suffix == ".parquet":
                found.append(str(pq.read_table(path).to_pydict()))
    return "\n".join(found)


def test_a_study_of_dicom_runs_predicts_and_discloses_nobody(tmp_path, capfd, caplog):
    folder = write_cases(tmp_path / "data", 16)
    out, store = tmp_path / "out", tmp_path / "store"
    run = rdfc_core.run({**STUDY, "dataset": f"manifest:root={folder}"}, out, store=store / "s")
    assert [failed["case_id"] for failed in run.results.failed] == ["bad"]
    saved = yaml.safe_load((out / "study.yaml").read_text())
    recorded = saved["inputs"]["readers"]["dicom"]
    assert recorded["identity"] == "rdfc_reader_dicom.DicomReader 1"
    assert recorded["options"]["roi"] == "GTV.*"
    assert recorded["distribution"] == "rdfc-reader-dicom"
    assert saved["versions"]["rdfc-reader-dicom"] == rdfc_core.__version__
    predicted = run.predict(folder / "manifest.csv", errors="skip", store=store / "s")
    assert len(predicted) == 16
    assert np.isfinite(predicted.select_dtypes("number").to_numpy()).all()
    command = [sys.executable, "-m", "rdfc_core", "datasets", "check", "manifest"]
    done = subprocess.run(
        [*command, "--root", str(folder)], capture_output=True, text=True, check=False
    )
    assert "case-00/report.dcm is not a mask" in " ".join(done.stdout.split())
    written = capfd.readouterr()
    texts = [all_text(out), all_text(store), written.out, written.err, caplog.text]
    texts += [done.stdout, done.stderr]
    for text in texts:
        for identity in trees.IDENTITIES.values():
            assert identity not in text
            assert identity.partition("^")[0] not in text
    assert "case-03" in texts[0]  # so that what is looked through holds the cases


def test_the_reader_is_among_the_installed():
    names = [component.name for component, _ in installed().components("reader")]
    assert "dicom" in names
