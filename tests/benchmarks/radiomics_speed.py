"""How fast the native extractor is beside PyRadiomics, measured in one run on one core.

    python tests/benchmarks/radiomics_speed.py [--cases 5000,50000,300000,2d] [--repeats 5]
                                               [--json FILE]

CPU seconds of this process, the median of the repeats. PyRadiomics runs once on whole volumes and
on the crop (its runs differ by a few per cent), and on an image of floats, as it bins integers
wrongly under NumPy 2. Numba's cache is warm; whatever the extractor itself keeps from one tumour
to the next is cleared before each repeat. "crop" is the tumour's box and 8 sigma around it, which
PyRadiomics' users would have to cut themselves; "file" is reading image and mask (NIfTI, gzip).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import SimpleITK as sitk  # noqa: N813
from tumours import ct_tumour, ultrasound_tumour

from rdfc_core.case import Tumour, Volume
from rdfc_features_native.config import NativeConfig
from rdfc_features_native.extractor import NativeExtractor
from rdfc_features_native.filters.deriche import coefficients, gaussian_taps

SIGMAS_MM = [1.0, 2.0, 3.0, 4.0, 5.0]
CLASSES = ("firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm")


def parameters(ndim: int) -> dict[str, Any]:
    """The image, its Laplacians of Gaussian and its wavelets, every class whole."""
    shape = "shape" if ndim == 3 else "shape2D"
    return {
        "imageType": {"Original": {}, "Wavelet": {}, "LoG": {"sigma": SIGMAS_MM}},
        "featureClass": {name: [] for name in (shape, *CLASSES)},
        "setting": {"binWidth": 25, "additionalInfo": False},
    }


def seconds(call: Callable[[], object], repeats: int) -> float:
    """The median CPU time of a call."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return statistics.median(times)


def native(tumour: Tumour, repeats: int) -> tuple[float, int]:
    """Seconds a tumour, and the number of features."""
    extractor = NativeExtractor(NativeConfig(parameters=parameters(tumour.ndim)))
    extractor.extract(tumour)

    def once() -> None:
        gaussian_taps.cache_clear()
        coefficients.cache_clear()
        extractor.extract(tumour)

    return seconds(once, repeats), len(extractor.names(tumour.ndim))


def pyradiomics(tumour: Tumour, repeats: int) -> float:
    """Seconds a tumour, as its own extractor takes an image in memory."""
    import radiomics
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    radiomics.setVerbosity(60)
    extractor = RadiomicsFeatureExtractor(parameters(tumour.ndim))
    pixels = tumour.image.array.astype(np.float32)
    image = Volume.of(pixels, tumour.image.spacing_mm).to_sitk()
    mask = Volume.of(tumour.mask.astype(np.uint8), tumour.image.spacing_mm).to_sitk()
    return seconds(lambda: extractor.execute(image, mask), repeats)


def crop(tumour: Tumour) -> Tumour:
    """The tumour's box and 8 sigma around it, along each axis."""
    margins = [int(np.ceil(8 * max(SIGMAS_MM) / mm)) for mm in tumour.image.spacing_mm]
    window = tuple(
        slice(max(0, along.start - margin), along.stop + margin)
        for along, margin in zip(tumour.box, margins, strict=True)
    )
    return Tumour(tumour.image.crop(window), tumour.mask[window])


def reading(tumour: Tumour, repeats: int) -> float:
    """Seconds to read image and mask from files."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder, f"{part}.nii.gz")) for part in ("image", "mask")]
        sitk.WriteImage(tumour.image.to_sitk(), paths[0])
        mask = Volume.of(tumour.mask.astype(np.uint8), tumour.image.spacing_mm).to_sitk()
        sitk.WriteImage(mask, paths[1])
        return seconds(lambda: [sitk.ReadImage(path) for path in paths], repeats)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", default="5000,50000,300000,2d")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--native-only", action="store_true")
    parser.add_argument("--json", type=Path, help="keep the seconds, for radiomics_figure.py")
    chosen = parser.parse_args()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    print("case     voxels  features    file  native   whole    crop  whole/n  crop/n")
    rows: list[dict[str, Any]] = []
    for name in chosen.cases.split(","):
        tumour = ultrasound_tumour() if name == "2d" else ct_tumour(int(name))
        flat = tumour.ndim == 2
        ours, features = native(tumour, chosen.repeats * (10 if flat else 1))
        row = {"case": name, "voxels": int(tumour.mask.sum()), "features": features}
        row |= {"file": reading(tumour, 3), "native": ours}
        line = f"{name:>7} {row['voxels']:7,} {features:9,} {row['file']:7.3f} {ours:7.4f}"
        if not chosen.native_only:
            whole = pyradiomics(tumour, 15 if flat else 1)
            part = whole if flat else pyradiomics(crop(tumour), 3 if ours < 0.5 else 1)
            row |= {"whole": whole} if flat else {"whole": whole, "crop": part}
            line += f" {whole:7.3f} {part:7.3f} {whole / ours:7.1f}× {part / ours:6.1f}×"
        rows.append(row)
        print(line, flush=True)
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
