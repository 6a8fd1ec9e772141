"""How fast maps of features are beside PyRadiomics', measured in one run on one core.

    python tests/benchmarks/radiomics_voxels.py [--voxels 500] [--bins 25,10,5] [--radius 1,2]
                                                [--json FILE]

CPU seconds of this process for the maps of all six classes on the original image. PyRadiomics runs
once on a small tumour of a CT (``voxelBatch`` 100, which is its fastest); the engine the median of
five times on the same, and once on a whole tumour. Numba's cache is warm. Values are compared.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import SimpleITK as sitk  # noqa: N813
from tumours import ct_tumour

from rdfc_core.case import Volume
from rdfc_core.volume import bounding_box
from rdfc_features_native import RadiomicsFeatureExtractor

CLASSES = ("firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm")
WHOLE = 5_000
MARGIN = 5


def scans(voxels: int) -> tuple[tuple[sitk.Image, sitk.Image], tuple[sitk.Image, sitk.Image]]:
    """Image and mask of about so many voxels from the middle of a tumour, and of the whole."""
    tumour = ct_tumour(WHOLE)
    box = tuple(
        slice(span.start - MARGIN, span.stop + MARGIN) for span in bounding_box(tumour.mask)
    )
    inside, spacing_mm = tumour.mask[box], tumour.image.spacing_mm
    places = np.argwhere(inside)
    away = (((places - places.mean(axis=0)) * spacing_mm) ** 2).sum(axis=1)
    middle = np.zeros_like(inside)
    middle[tuple(places[np.argsort(away)[:voxels]].T)] = True
    image = Volume.of(tumour.image.array[box].astype(np.float64), spacing_mm).to_sitk()
    small, whole = (
        Volume.of(mask.astype(np.uint8), spacing_mm).to_sitk() for mask in (middle, inside)
    )
    return (image, small), (image, whole)


def measured(kind: Any, content: dict[str, Any], images: Any, repeats: int) -> tuple[float, Any]:
    """Median CPU seconds, and the maps."""
    extractor = kind(content)
    extractor.addProvenance(False)
    times, maps = [], None
    for _ in range(repeats):
        start = time.process_time()
        maps = extractor.execute(*images, voxelBased=True)
        times.append(time.process_time() - start)
    return statistics.median(times), maps


def unequal(theirs: dict[str, sitk.Image], ours: dict[str, sitk.Image]) -> float:
    """The share of values that differ by more than 1e-6 where PyRadiomics has one."""
    apart, compared = 0, 0
    for name, image in theirs.items():
        a, b = sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(ours[name])
        known = ~np.isnan(a)
        if name.endswith("MCC"):
            known &= a != 0  # PyRadiomics leaves out a batch if one window lacks one direction
        error = np.abs(a - b)[known]
        scale = np.maximum(np.abs(a), np.abs(b))[known]
        apart += int(np.sum(~((error <= 1e-6 * scale) | (error <= 1e-8))))
        compared += int(known.sum())
    return apart / compared


def main() -> None:
    """Print a row for each bin width and radius."""
    import radiomics
    from radiomics.featureextractor import RadiomicsFeatureExtractor as Original

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voxels", type=int, default=500)
    parser.add_argument("--bins", default="25,10,5")
    parser.add_argument("--radius", default="1,2")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    radiomics.setVerbosity(60)
    warnings.simplefilter("ignore")
    small, large = scans(options.voxels)
    counts = [int((sitk.GetArrayViewFromImage(mask) > 0).sum()) for _, mask in (small, large)]
    rows = []
    for radius in map(int, options.radius.split(",")):
        for width in map(float, options.bins.split(",")):
            content = {
                "setting": {"binWidth": width},
                "featureClass": {name: [] for name in CLASSES},
                "voxelSetting": {"kernelRadius": radius, "voxelBatch": 100},
            }
            measured(RadiomicsFeatureExtractor, content, small, 1)  # compiled, or from the cache
            ours, made = measured(RadiomicsFeatureExtractor, content, small, 5)
            whole, _ = measured(RadiomicsFeatureExtractor, content, large, 1)
            theirs, original = measured(Original, content, small, 1)
            image, mask = (sitk.GetArrayViewFromImage(one) for one in small)
            low, high = image[mask > 0].min(), image[mask > 0].max()
            row = {
                "radius": radius,
                "bin_width": width,
                "levels": int(high // width - low // width) + 1,
                "pyradiomics_us": theirs / counts[0] * 1e6,
                "native_us": ours / counts[0] * 1e6,
                "native_whole_us": whole / counts[1] * 1e6,
                "ratio": theirs / ours,
                "ratio_whole": theirs / counts[0] / (whole / counts[1]),
                "unequal": unequal(original, made),
            }
            rows.append(row)
            print(" ".join(f"{k}={v:.4g}" for k, v in row.items()), flush=True)
    print(f"voxels: {counts[0]} and {counts[1]}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
