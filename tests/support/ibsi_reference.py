"""The IBSI's phantoms, configurations and reference values, where they lie on this machine.

They are read from the folder that ``RDFC_IBSI`` names, or from ``shared/data/ibsi`` beside the
repository: the layout is that of github.com/oncoray/mirp, ``test/data``. Nothing of it is copied
into the project.

Sources: Zwanenburg et al. 2020, Radiology 295(2); Whybra et al. 2024, Radiology 310(2).
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import SimpleITK as sitk  # noqa: N813

from rdfc_core.case import Tumour, Volume
from rdfc_features_native.ibsi.config import AGGREGATIONS, IbsiConfig
from rdfc_features_native.ibsi.local_intensity import RADIUS_MM
from rdfc_features_native.ibsi.measure import family_features
from rdfc_features_native.ibsi.preparation import prepared, resegmented
from rdfc_features_native.ibsi.vocabulary import FAMILIES, TEXTURES

IN_SLICES = tuple(name for name in AGGREGATIONS if not name.startswith("3d"))
IN_SPACE = tuple(name for name in AGGREGATIONS if name.startswith("3d"))


@dataclass(frozen=True)
class Configuration:
    """A phantom and how it is measured.

    Args:
        phantom: Its folder.
        values: The file of its reference values.
        options: Of `IbsiConfig`, without the aggregation.
        aggregations: All that have reference values.
    """

    phantom: str
    values: str
    options: dict[str, Any]
    aggregations: tuple[str, ...]


_CT = "ibsi_1_ct_radiomics_phantom"
_WHOLE: dict[str, Any] = {"ivh_bin_count": None}
_CUBES: dict[str, Any] = {"spacing_mm": (2, 2, 2), "round_intensities": True}
CONFIGURATIONS = {
    "digital": Configuration(
        "ibsi_1_digital_phantom", "dig_phantom", {"bin_width": 1, **_WHOLE}, AGGREGATIONS
    ),
    "A": Configuration(
        _CT,
        "chest_config_a",
        {"resegment_range": (-500, 400), "bin_width": 25, **_WHOLE},
        IN_SLICES,
    ),
    "B": Configuration(
        _CT,
        "chest_config_b",
        {
            **{"spacing_mm": (2, 2, 0), "round_intensities": True},
            **{"resegment_range": (-500, 400), "bin_count": 32, **_WHOLE},
        },
        IN_SLICES,
    ),
    "C": Configuration(
        _CT,
        "chest_config_c",
        {**_CUBES, "resegment_range": (-1000, 400), "bin_width": 25, "ivh_bin_width": 2.5},
        IN_SPACE,
    ),
    "D": Configuration(
        _CT,
        "chest_config_d",
        {**_CUBES, "outlier_deviations": 3, "bin_count": 32, **_WHOLE},
        IN_SPACE,
    ),
    "E": Configuration(
        _CT,
        "chest_config_e",
        {
            **{**_CUBES, "interpolation": "cubic", "resegment_range": (-1000, 400)},
            **{"outlier_deviations": 3, "bin_count": 32, "ivh_bin_count": 1000},
        },
        IN_SPACE,
    ),
}
"""The digital phantom, and the CT phantom in the configurations A to E of the manual."""


@dataclass(frozen=True)
class Comparison:
    """A feature beside its reference value.

    Args:
        family: Its family.
        tag: The IBSI's, with the aggregation.
        reference: The consensus value, in three digits.
        tolerance: That goes with it.
        value: Of the engine.
    """

    family: str
    tag: str
    reference: float
    tolerance: float
    value: float

    @property
    def within(self) -> bool:
        """Whether the value, rounded to three digits as the reference is, lies within."""
        rounded = float(f"{self.value:.2e}")
        return abs(rounded - self.reference) <= self.tolerance * (1 + 1e-9) + 1e-12


def folder() -> Path | None:
    """Where the IBSI's material lies; None if it is absent.

    Raises:
        FileNotFoundError: If ``RDFC_IBSI`` names a folder that does not hold it.
    """
    named = os.environ.get("RDFC_IBSI")
    beside = Path(__file__).resolve().parents[3] / "shared" / "data" / "ibsi"
    place = Path(named) if named else beside
    if (place / "ibsi_1_reference_values").is_dir():
        return place
    if named:
        raise FileNotFoundError(f"RDFC_IBSI is {named}, which has no ibsi_1_reference_values.")
    return None


ABSENT = (
    "the IBSI's phantoms are absent: name their folder by RDFC_IBSI (test/data of "
    "github.com/oncoray/mirp)"
)


@cache
def _tumour(phantom: Path) -> Tumour:
    image = sitk.ReadImage(str(phantom / "nifti" / "image" / "phantom.nii.gz"))
    mask = sitk.ReadImage(str(phantom / "nifti" / "mask" / "mask.nii.gz"))
    return Tumour(Volume.from_sitk(image), sitk.GetArrayFromImage(mask) == 1)


def reference_values(place: Path, configuration: Configuration) -> dict[str, tuple[float, float]]:
    """Tag → consensus value and tolerance, of the features that have them."""
    file = place / "ibsi_1_reference_values" / f"ibsi_1_{configuration.values}.csv"
    with file.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream, delimiter=";"))
    return {
        row["tag"]: (float(row["reference value"]), float(row["tolerance"]))
        for row in rows
        if row["reference value"]
    }


def measured(tumour: Tumour, configuration: Configuration) -> dict[str, tuple[str, float]]:
    """Tag with aggregation → family and value, of all features."""
    found: dict[str, tuple[str, float]] = {}
    plain = IbsiConfig(**configuration.options)
    roi = prepared(tumour, plain, RADIUS_MM)
    mask = resegmented(roi, plain)
    once = tuple(family for family in FAMILIES if family not in TEXTURES)
    for family, values in family_features(roi, mask, plain, once).items():
        for feature, value in zip(FAMILIES[family], values, strict=True):
            found[feature.tag] = (family, float(value))
    for aggregation in configuration.aggregations:
        config = IbsiConfig(**configuration.options, aggregation=aggregation)
        for family, values in family_features(roi, mask, config, TEXTURES).items():
            for feature, value in zip(FAMILIES[family], values, strict=True):
                found[feature.tag + _suffix(family, aggregation)] = (family, float(value))
    return found


def _suffix(family: str, aggregation: str) -> str:
    dimensions, _, way = aggregation.partition("_")
    suffix = "_" + dimensions.upper().replace(".", "_")
    if family not in ("glcm", "glrlm"):
        return suffix
    return suffix + ("_avg" if way in ("averaged", "direction_merged") else "_comb")


@cache
def comparisons(place: Path, name: str) -> tuple[Comparison, ...]:
    """Each feature of a configuration that has a consensus value."""
    configuration = CONFIGURATIONS[name]
    found = measured(_tumour(place / configuration.phantom), configuration)
    references = reference_values(place, configuration)
    return tuple(
        Comparison(family, tag, *references[tag], value)
        for tag, (family, value) in found.items()
        if tag in references
    )
