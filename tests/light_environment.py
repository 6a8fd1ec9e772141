"""An environment for extraction alone, looked at from inside: what works, how large it is.

    python tests/light_environment.py

Run by the Python of an environment in which rdfc-features-native and rdfc-dataset-manifest are
installed and the extra ``train`` is not (``nox -s distributions`` makes one).
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813

LARGEST = 700
"""Megabytes of all that is installed."""


def main() -> None:
    """Run the commands that need no torch, and print the size.

    Raises:
        SystemExit: If one fails, torch is there, or the environment is too large.
    """
    heavy = [name for name in ("torch", "pyarrow", "sklearn") if importlib.util.find_spec(name)]
    if heavy:
        raise SystemExit(f"{', '.join(heavy)} came along")
    with tempfile.TemporaryDirectory() as folder:
        _write_cases(Path(folder))
        for words in (
            ["features", "image0.nrrd", "mask0.nrrd", "--param", "ct-3d"],
            ["features", "cases.csv", "--param", "ct-3d", "--out", "features.csv"],
            ["datasets", "check", "manifest", "--root", "cases.csv"],
            ["extract", "--dataset", "manifest:csv=cases.csv"],
            ["doctor"],
        ):
            rdfc = [sys.executable, "-m", "rdfc_core", *words]
            if words[0] in ("features", "extract"):
                rdfc += ["--store", "store.sqlite"]
            subprocess.run(rdfc, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    packages = Path(sysconfig.get_path("purelib"))
    size = sum(file.stat().st_size for file in packages.rglob("*") if file.is_file()) / 2**20
    print(f"extraction alone: {size:.0f} MB installed")
    if size > LARGEST:
        raise SystemExit(f"more than {LARGEST} MB")


def _write_cases(folder: Path) -> None:
    rng = np.random.default_rng(0)
    rows = ["case_id,patient_id,image,mask,label"]
    for place in range(4):
        mask = np.zeros((8, 24, 24), np.uint8)
        mask[2:6, 5:17, 4 : 16 + place] = 1
        image = rng.normal(0, 100, mask.shape).astype(np.int16)
        for name, array in (("image", image), ("mask", mask)):
            sitk.WriteImage(sitk.GetImageFromArray(array), str(folder / f"{name}{place}.nrrd"))
        rows.append(f"c{place},p{place},image{place}.nrrd,mask{place}.nrrd,{'ab'[place % 2]}")
    (folder / "cases.csv").write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
