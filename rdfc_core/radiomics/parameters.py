"""PyRadiomics parameter files: what to measure, on which filtered images, with which settings.

The model takes the files that PyRadiomics 3.0.1 takes, refuses what PyRadiomics would pass over in
silence, and does not need PyRadiomics: every engine that follows its definitions reads this model.

Source: van Griethuysen et al. 2017, Cancer Research 77(21).
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import as_file, files
from os.path import isfile
from pathlib import Path
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from rdfc_core.errors import StudyError
from rdfc_core.radiomics.idle_settings import idle_settings
from rdfc_core.radiomics.parameter_file import read_mapping
from rdfc_core.radiomics.settings import WHOLE_IMAGE, RadiomicsSettings
from rdfc_core.radiomics.vocabulary import (
    FEATURES,
    IMAGE_TYPES,
    features_of,
    suggestion,
)
from rdfc_core.radiomics.voxel_settings import VoxelSettings
from rdfc_core.utils.validation import and_more, plain_message

__all__ = ["Parameters", "RadiomicsSettings", "bundled_sets", "load_parameters", "parse_parameters"]

SHAPE_CLASSES = ("shape", "shape2D")
"""Measured on the mask alone, once; every other class on each filtered image."""


class Parameters(BaseModel):
    """What an extraction measures.

    Args:
        settings: For all image types.
        image_types: Filters, each with the settings that it alone overrides; by default only the
            image itself.
        feature_classes: Classes, each with the features wanted; by default all classes whole.
        voxel_settings: For maps of features alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    settings: RadiomicsSettings = Field(default=RadiomicsSettings(), alias="setting")
    image_types: dict[str, RadiomicsSettings] = Field(
        default={"Original": RadiomicsSettings()}, alias="imageType"
    )
    feature_classes: dict[str, tuple[str, ...]] = Field(default=FEATURES, alias="featureClass")
    voxel_settings: VoxelSettings = Field(default=VoxelSettings(), alias="voxelSetting")

    @model_validator(mode="before")
    @classmethod
    def _leave_out_empty(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        blocks = {field.alias for field in cls.model_fields.values()}
        return {
            key: inner
            for key, inner in value.items()
            if key not in blocks or inner not in (None, {})
        }

    @field_validator("image_types", mode="before")
    @classmethod
    def _known_image_types(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        for name in value:
            if name not in IMAGE_TYPES:
                raise ValueError(
                    f"{name}: no such image type. {suggestion(str(name), IMAGE_TYPES)}"
                )
        return {name: {} if inner is None else inner for name, inner in value.items()}

    @field_validator("feature_classes", mode="before")
    @classmethod
    def _known_features(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        for name in value:
            if name not in FEATURES:
                raise ValueError(
                    f"{name}: no such feature class. {suggestion(str(name), FEATURES)}"
                )
        return {name: features_of(name, wanted) for name, wanted in value.items()}

    @model_validator(mode="after")
    def _nothing_in_silence(self) -> Parameters:
        for name, own in self.image_types.items():
            for key in own.model_fields_set & WHOLE_IMAGE:
                field = RadiomicsSettings.model_fields[key]
                raise ValueError(
                    f"imageType.{name}.{field.alias or key}: this is done "
                    "once, before any filter, and has no effect here. Move it to setting"
                )
        stated = self.settings.model_fields_set
        if "additional_info" in stated and self.settings.additional_info and not self._is_dump:
            raise ValueError(
                "setting.additionalInfo: rdfc gives features alone. Versions and parameters stand "
                "in a run's study.yaml: remove it, or set it to false"
            )
        if "LoG" in self.image_types and not self.settings_of("LoG").sigma_mm:
            raise ValueError(
                "imageType.LoG: without sigma there is no filter, and PyRadiomics would give no "
                "features in silence. Add sigma: [1, 2, 3, 4, 5] (in mm) or remove LoG"
            )
        return self

    @property
    def _is_dump(self) -> bool:
        """Whether every setting is stated, as `dump` does and no person."""
        return self.settings.model_fields_set == set(RadiomicsSettings.model_fields)

    def idle_settings(self) -> tuple[str, ...]:
        """A sentence for each setting that was stated and can have no effect."""
        if self._is_dump:
            return ()
        return tuple(idle_settings(self.settings, self.image_types, self.feature_classes))

    def settings_of(self, image_type: str) -> RadiomicsSettings:
        """The settings that hold for one image type."""
        return self.settings.overridden(self.image_types[image_type])

    def dump_all(self) -> dict[str, Any]:
        """As `dump`, with the settings of maps if there are any."""
        own = self.voxel_settings.model_dump(mode="json", by_alias=True, exclude_unset=True)
        return {**self.dump(), "voxelSetting": own} if own else self.dump()

    def dump(self) -> dict[str, Any]:
        """What decides features, every default filled in, as JSON; equal content, equal dump."""
        return {
            "imageType": {
                name: own.model_dump(mode="json", by_alias=True, exclude_unset=True)
                for name, own in self.image_types.items()
            },
            "featureClass": {name: list(wanted) for name, wanted in self.feature_classes.items()},
            "setting": self.settings.model_dump(mode="json", by_alias=True),
        }

    def image_names(self, image_type: str, ndim: int) -> tuple[str, ...]:
        """The images that a filter makes of an image with ``ndim`` axes, as features name them."""
        own = self.settings_of(image_type)
        if image_type == "LoG":
            # "3D" stands in the name for pictures too.
            sizes = (str(sigma).replace(".", "-") for sigma in own.sigma_mm)
            return tuple(dict.fromkeys(f"log-sigma-{size}-mm-3D" for size in sizes))
        if image_type == "Wavelet":
            return tuple(_wavelet_names(own.level, 2 if own.force_2d else ndim))
        if image_type == "LBP2D":
            return ("lbp-2D",)
        if image_type == "LBP3D":
            levels = (f"lbp-3D-m{level}" for level in range(1, own.lbp_3d_levels + 1))
            return (*levels, "lbp-3D-k") if ndim == 3 else ()
        return (image_type.lower(),)

    def shape_classes(self, ndim: int) -> tuple[str, ...]:
        """The shape classes asked for that tumours with ``ndim`` axes have, in order."""
        has = {"shape": ndim == 3, "shape2D": ndim == 2 or self.settings.force_2d}
        return tuple(name for name in SHAPE_CLASSES if name in self.feature_classes and has[name])

    def feature_names(self, ndim: int) -> tuple[str, ...]:
        """The names of all features of tumours with ``ndim`` axes, in PyRadiomics' order.

        Raises:
            StudyError: If the parameters do not fit tumours with so many axes, or ask for
                nothing that these have.
        """
        spacing = self.settings.resampled_spacing_mm
        kind = "pictures" if ndim == 2 else "volumes"
        if spacing is not None and len(spacing) != ndim:
            raise StudyError(
                f"setting.resampledPixelSpacing has {len(spacing)} values and {kind} have {ndim} "
                f"axes. Give {ndim} values, or choose a parameter set for {kind}."
            )
        shapes = [
            f"original_{name}_{feature}"
            for name in self.shape_classes(ndim)
            for feature in self.feature_classes[name]
        ]
        others = [
            f"{image}_{name}_{feature}"
            for image_type in self.image_types
            for image in self.image_names(image_type, ndim)
            for name, features in self.feature_classes.items()
            if name not in SHAPE_CLASSES
            for feature in features
        ]
        if not shapes and not others:
            raise StudyError(
                f"The parameters ask for no feature that {kind} have. Add a class to featureClass, "
                "for example firstorder."
            )
        return (*shapes, *others)


def bundled_sets() -> tuple[str, ...]:
    """The names of the parameter sets that come with rdfc."""
    folder = files("rdfc_core.radiomics.parameter_sets")
    return tuple(sorted(Path(f.name).stem for f in folder.iterdir() if f.name.endswith(".yaml")))


def load_parameters(name_or_path: str | Path) -> Parameters:
    """A bundled set by its name, or a parameter file (YAML or JSON) by its path.

    Raises:
        StudyError: If there is no such set or file, or something in it is not known.
    """
    bundled = bundled_sets()
    if str(name_or_path) in bundled:
        with as_file(files("rdfc_core.radiomics.parameter_sets") / f"{name_or_path}.yaml") as path:
            return _validated(read_mapping(path), f"the set {name_or_path!r}")
    path = Path(name_or_path).expanduser()
    if not isfile(path):  # noqa: PTH113  (pathlib fails on names that no file can have)
        raise StudyError(
            f"There is no parameter set or file {str(name_or_path)!r}. "
            f"{suggestion(str(name_or_path), bundled)} A file of your own is given by its path."
        )
    try:
        return parse_parameters(read_mapping(path), str(path))
    except ValueError as error:
        raise StudyError(f"The parameter file {path}: {error}.") from error


def parse_parameters(data: Mapping[str, Any], source: str) -> Parameters:
    """The content of a parameter file; ``source`` names it in messages.

    Settings that are stated and can have no effect are warned of.

    Raises:
        StudyError: If a key, a name or a value is not known or of the wrong type.
    """
    parameters = _validated(data, source)
    for sentence in parameters.idle_settings():
        _warn(f"In {source}: {sentence}.")
    return parameters


def _validated(data: Mapping[str, Any], source: str) -> Parameters:
    try:
        return Parameters.model_validate(data)
    except ValidationError as error:
        raise StudyError(f"In {source}: {_sentence(error)}") from error


@cache
def _warn(sentence: str) -> None:
    """Tell a sentence, once: parameters are read several times on their way into a run."""
    logging.getLogger("rdfc").warning("%s", sentence)


def _wavelet_names(levels: int, axes: int) -> Iterator[str]:
    bands = ["".join(letters) for letters in itertools.product("LH", repeat=axes)]
    for level in range(1, levels + 1):
        number = "" if level == 1 else str(level)
        yield from (f"wavelet{number}-{band}" for band in bands[1:])
    yield f"wavelet{'' if levels == 1 else levels}-{bands[0]}"


def _sentence(error: ValidationError) -> str:
    """The first thing that does not fit, by its key."""
    first = error.errors()[0]
    where = ".".join(str(step) for step in first["loc"])
    more = and_more(error.error_count() - 1)
    if first["type"] == "extra_forbidden":
        inner = VoxelSettings if first["loc"][0] == "voxelSetting" else RadiomicsSettings
        model = Parameters if len(first["loc"]) == 1 else inner
        known = sorted(field.alias or name for name, field in model.model_fields.items())
        hint = suggestion(str(first["loc"][-1]), known)
        return f"{where}: there is no such key. {hint}{more}"
    message = plain_message(first, lower=first["type"] != "value_error")
    if first["type"] != "value_error":
        message = f"{message} (given: {first['input']!r})"
        for pydantics, ours in (
            ("dictionary or instance of RadiomicsSettings", "mapping"),
            ("dictionary", "mapping"),
            ("tuple", "list"),
        ):
            message = message.replace(pydantics, ours)
    stop = "" if message.endswith("?") else "."
    return f"{where}{': ' if where else ''}{message.rstrip('.')}{stop}{more}"
