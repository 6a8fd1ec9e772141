"""Real DICOM from its folder to a run: masks and features beside those of the same data as NIfTI.

    python tests/benchmarks/real_dicom.py FOLDER [--steps rtstruct seg run]

FOLDER holds ``sts-001`` (one patient's CT, MR and PET with RTSTRUCT, and the same images and masks
as NIfTI; soft-tissue sarcoma collection, as the repository oncoray/mirp carries it) and
``crlm-1004`` (an abdominal CT; colorectal liver metastases collection). Without it the script says
so and ends. Nothing is written into FOLDER.

``rtstruct``: the mask of each RTSTRUCT beside the NIfTI mask (Dice, voxels that differ), and the
features of both pairs of files. ``seg``: a ball in the CT, as SEG by highdicom and as NIfTI.
``run``: ``rdfc datasets build`` and ``check`` of the whole folder, then ``rdfc extract`` and one
epoch of ``rdfc pretrain`` on the cases that it lists.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pydicom
import SimpleITK as sitk  # noqa: N813

from rdfc_core import Case, Volume, extract_features
from rdfc_core.data.readers.volumes import VolumeReader
from rdfc_reader_dicom.reader import DicomReader

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "plugins/rdfc-reader-dicom/tests"))
import dicom_trees as trees  # noqa: E402

BIN_WIDTHS = {"CT": 25.0, "MR_T1": 25.0, "PET": 0.25}
BALL_MM = 25.0
STUDY = (
    "views.radiomics.extractor={name: native, parameters: {setting: {binCount: 32}}}",
    "views.image.encoder={name: timm, model: resnet10_half}",
    "pretrain.epochs=1",
    "pretrain.batch_size=3",
)


def of_rtstruct(folder: Path, place: Path) -> None:
    """Mask and features by RTSTRUCT beside those of the NIfTI files."""
    dicom, volumes = DicomReader(), VolumeReader()
    for modality, bin_width in BIN_WIDTHS.items():
        own = folder / "sts-001" / modality
        series, contours = own / "dicom/image", own / "dicom/mask/RS.dcm"
        image, mask = own / "nifti/image/image.nii.gz", own / "nifti/mask/mask.nii.gz"
        drawn = dicom.read_mask(contours, dicom.read_image(series)).array != 0
        given = volumes.read_mask(mask).array != 0
        dice = 2 * (drawn & given).sum() / (drawn.sum() + given.sum())
        cases = [Case("dicom", "a", series, contours), Case("nifti", "b", image, mask)]
        print(
            f"{modality}: Dice {dice:.6f}, {(drawn != given).sum()} of {given.sum()} voxels "
            f"differ; {compared(cases, bin_width, place)}"
        )


def of_seg(folder: Path, place: Path) -> None:
    """A ball in a real CT as SEG, and as NIfTI."""
    series = folder / "crlm-1004" / "image"
    dicom = DicomReader()
    volume = dicom.read_image(series)
    middle = (np.array(volume.array.shape) - 1) / 2
    places = np.indices(volume.array.shape).reshape(3, -1).T - middle
    away = np.linalg.norm(places * volume.spacing_mm, axis=1).reshape(volume.array.shape)
    inside = away <= BALL_MM
    headers = [pydicom.dcmread(file) for file in sorted(series.iterdir())]
    headers.sort(key=lambda one: np.dot(one.ImagePositionPatient, volume.direction[:, 0]))
    seg = trees.save(trees.segmentation(headers, {"Tumour": inside}), place / "seg.dcm")
    drawn = dicom.read_mask(seg, volume).array != 0
    files = place / "image.nii.gz", place / "mask.nii.gz"
    grid = volume.spacing_mm, volume.origin_mm, volume.direction
    sitk.WriteImage(volume.to_sitk(), str(files[0]))
    sitk.WriteImage(Volume(inside.astype(np.uint8), *grid).to_sitk(), str(files[1]))
    cases = [Case("dicom", "a", series, seg), Case("nifti", "b", *files)]
    print(
        f"SEG of a ball of {inside.sum()} voxels in the CT: {(drawn != inside).sum()} voxels "
        f"differ; {compared(cases, 25.0, place)}"
    )


def compared(cases: list[Case], bin_width: float, place: Path) -> str:
    """How far the features of two cases lie apart, in words."""
    parameters: dict[str, Any] = {"setting": {"binWidth": bin_width}}
    store = place / "features.sqlite"
    table = extract_features(cases, parameters, store=store, executor="local:workers=0")
    table = table.drop(columns=["case_id", "patient_id", "label"])
    ours, theirs = table.to_numpy(float)
    missing = np.isnan(ours) != np.isnan(theirs)
    scale = np.maximum(np.abs(theirs), 1e-12)
    apart = np.abs(ours - theirs) / scale
    worst = int(np.nanargmax(apart))
    return (
        f"{len(ours)} features, {missing.sum()} missing in one of the two, largest relative "
        f"difference {apart[worst]:.2g} ({table.columns[worst]})"
    )


def of_run(folder: Path, place: Path) -> None:
    """The whole folder by the command line."""
    manifest, store = place / "manifest.csv", place / "run.sqlite"
    build = ("datasets", "build", folder, "--by-folder", "--overwrite", "--out", manifest)
    command(*build)
    command("datasets", "check", "manifest", "--root", place, "--features", "none")
    command("datasets", "check", "manifest", "--root", place)  # which refuses the PET, by its bins
    settings = [word for setting in STUDY for word in ("--set", setting)]
    for step in ("extract", "pretrain"):
        out = ("--out", place / step, "--store", store, "--executor", "local:workers=1")
        command(step, "--dataset", f"manifest:root={place}", *settings, *out)


def command(*arguments: Any) -> None:
    """Run rdfc, and print what it says and how long it took."""
    start = time.perf_counter()
    words = list(map(str, arguments))
    print(f"$ rdfc {' '.join(words)}", flush=True)
    done = subprocess.run([sys.executable, "-m", "rdfc_core", *words], check=False)
    print(f"exit {done.returncode} after {time.perf_counter() - start:.0f} s", flush=True)


STEPS = {"rtstruct": of_rtstruct, "seg": of_seg, "run": of_run}


def main() -> None:
    """Compare, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS))
    chosen = parser.parse_args()
    if not (chosen.folder / "sts-001").is_dir() or not (chosen.folder / "crlm-1004").is_dir():
        sys.exit(f"{chosen.folder} does not hold sts-001 and crlm-1004, so nothing is compared.")
    with tempfile.TemporaryDirectory() as place:
        for step in chosen.steps:
            STEPS[step](chosen.folder.resolve(), Path(place))


if __name__ == "__main__":
    main()
