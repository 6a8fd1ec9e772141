"""How closely the native extractor's values agree with PyRadiomics', by class and image type.

    python tests/benchmarks/radiomics_parity.py [FOLDER …] [--cases 40] [--parameters auto]

Each folder is a data set: one with a manifest.csv, or one laid out as TN-SCUI2020. Without one,
the benchmark's made tumours are compared. Both extractors are run through rdfc, on the same tumour,
PyRadiomics on an image of floats. Shares are of features whose relative difference is at most 1e-6
(and 1e-4); a difference of less than 1e-9 counts as none. "missing" counts features that one of
the two gives and the other does not.
"""

from __future__ import annotations

import argparse
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from tumours import RADII, ct_tumour, ultrasound_tumour

from rdfc_core.case import Tumour
from rdfc_core.data.readers.auto import AutoReader
from rdfc_core.errors import DataError
from rdfc_core.plugin.registry import installed
from rdfc_features_native.config import NativeConfig
from rdfc_features_native.extractor import NativeExtractor

ALL = {
    "imageType": {
        **{name: {} for name in ("Original", "Wavelet", "Gradient", "Square", "SquareRoot")},
        **{name: {} for name in ("Logarithm", "Exponential", "LBP2D")},
        "LoG": {"sigma": [1, 2, 3, 4, 5]},
    },
    "setting": {"binWidth": 25},
}
"""Every image type and every class."""


def from_folder(folder: Path, most: int) -> Iterator[tuple[str, Tumour]]:
    """Up to so many cases of a data set, spread over its listing."""
    registry = installed()
    name = "manifest" if (folder / "manifest.csv").exists() else "tn-scui2020"
    component = registry.get("dataset", name)
    dataset = component.load()(component.load_config()(root=folder))
    cases = dataset.cases()
    chosen = [cases[k] for k in np.unique(np.linspace(0, len(cases) - 1, most).astype(int))]
    for case in AutoReader.installed(registry).given_to(chosen):
        yield case.case_id, case.load()


def made() -> Iterator[tuple[str, Tumour]]:
    """The benchmark's tumours."""
    yield "ultrasound", ultrasound_tumour()
    for voxels in RADII:
        yield f"CT, {voxels:,} voxels", ct_tumour(voxels)


def compare(tumours: Iterator[tuple[str, Tumour]], parameters: str | dict[str, object]) -> None:
    """Print the table."""
    from rdfc_features_pyradiomics.config import PyRadiomicsConfig
    from rdfc_features_pyradiomics.extractor import PyRadiomicsExtractor

    ours = NativeExtractor(NativeConfig(parameters=parameters))
    theirs = PyRadiomicsExtractor(PyRadiomicsConfig(parameters=parameters))
    errors: dict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
    count, missing, refused = 0, 0, 0
    for case, tumour in tumours:
        try:
            other = theirs.extract(tumour).values
        except DataError as error:
            refused += 1
            print(f"{case}: {error}")
            continue
        names, values = ours.names(tumour.ndim), ours.extract(tumour).values
        assert names == theirs.names(tumour.ndim)
        count += 1
        missing += int(np.sum(np.isfinite(values) != np.isfinite(other)))
        scale = np.maximum(np.abs(values), np.abs(other))
        difference = np.abs(values - other)
        relative = np.where(difference < 1e-9, 0, difference / np.maximum(scale, 1e-300))
        for name, error, value in zip(names, relative, other, strict=True):
            image, kind, _ = name.split("_")
            if np.isfinite(error):
                told = f"{error:.1e} {name} ({value:.3g}) of {case}"
                errors[image.split("-")[0], kind].append((float(error), told))
    print(f"{count} tumours, {refused} refused, {missing} features missing in one of the two")
    _table(errors)


def _table(errors: dict[tuple[str, str], list[tuple[float, str]]]) -> None:
    print(f"{'images':>12} {'class':>10} {'values':>9} {'≤ 1e-6':>9} {'≤ 1e-4':>9}  worst")
    everything = [pair for pairs in errors.values() for pair in pairs]
    for (image, kind), pairs in [*errors.items(), (("all", "all"), everything)]:
        relative = np.array([error for error, _ in pairs])
        shares = [f"{np.mean(relative <= limit):9.4%}" for limit in (1e-6, 1e-4)]
        print(f"{image:>12} {kind:>10} {len(pairs):9,} {' '.join(shares)}  {max(pairs)[1]}")


def main() -> None:
    """Compare on the folders, or on made tumours."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--cases", type=int, default=40)
    parser.add_argument("--parameters", default="auto", help="a set, a file, or all")
    chosen = parser.parse_args()
    parameters = ALL if chosen.parameters == "all" else chosen.parameters
    for folder in chosen.folders:
        print(folder.name)
        compare(from_folder(folder, chosen.cases), parameters)
    if not chosen.folders:
        compare(made(), parameters)


if __name__ == "__main__":
    main()
