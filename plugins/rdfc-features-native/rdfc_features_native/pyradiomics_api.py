"""The class that scripts of PyRadiomics call, on rdfc's engine.

Change the import, and leave the rest of the script as it is::

    from rdfc_features_native import RadiomicsFeatureExtractor

    extractor = RadiomicsFeatureExtractor("params.yaml", binWidth=20)
    result = extractor.execute("image.nrrd", "mask.nrrd")

Methods and attributes are those of ``radiomics.featureextractor`` of PyRadiomics 3.0.1 (van
Griethuysen et al. 2017) as its documentation shows them. Everything is computed in double
precision; PyRadiomics resamples and filters in the image's own, so that of an image in single
precision sums of small numbers may differ in the fifth digit.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813

from rdfc_core.radiomics.parameter_file import read_mapping
from rdfc_core.radiomics.parameters import parse_parameters
from rdfc_core.radiomics.vocabulary import FEATURES, IMAGE_TYPES
from rdfc_features_native import diagnostics
from rdfc_features_native.config import NativeConfig
from rdfc_features_native.extractor import NativeExtractor
from rdfc_features_native.pyradiomics_inputs import (
    as_image,
    as_value_error,
    one_channel,
    read_image,
    tumour_of,
)

OF_THE_CALL = ("label", "label_channel", "additionalInfo", "voxelBased")
"""Settings that say what is done with the result or the mask, and nothing of the measuring."""

OF_MAPS = ("kernelRadius", "maskedKernel", "initValue", "voxelBatch")
"""Settings that a parameter file has under ``voxelSetting``."""

NOT_BY_DEFAULT = "shape2D"


class RadiomicsFeatureExtractor:
    """Measures images and masks as PyRadiomics does, by its calls and with its names.

    Args:
        parameters: A parameter file (YAML or JSON), or its content; None: PyRadiomics' defaults.
        settings: Settings by their names in PyRadiomics, which go before those of the file.

    Raises:
        ValueError: If a parameter is none, or not one that the engine obeys.
    """

    def __init__(
        self, parameters: str | Path | Mapping[str, Any] | None = None, /, **settings: Any
    ) -> None:
        self.settings: dict[str, Any] = {"additionalInfo": True, "label": 1}
        self.enabledImagetypes: dict[str, dict[str, Any]] = {"Original": {}}
        self.enabledFeatures: dict[str, list[str]] = {
            name: [] for name in FEATURES if name != NOT_BY_DEFAULT
        }
        self._built: tuple[str, NativeExtractor] | None = None
        if isinstance(parameters, Mapping):
            self._take(parameters)
        elif parameters is not None:
            self.loadParams(parameters)
        self.settings |= settings
        self._extractor()

    @property
    def featureClassNames(self) -> list[str]:  # noqa: N802
        """The classes of features that there are."""
        return list(FEATURES)

    def getFeatureClassNames(self) -> list[str]:  # noqa: N802
        """The classes of features that there are."""
        return self.featureClassNames

    def getFeatureNames(self, featureClassName: str) -> list[str]:  # noqa: N802, N803
        """The features of a class."""
        return list(FEATURES[featureClassName])

    def loadParams(self, paramsFile: str | Path) -> None:  # noqa: N802, N803
        """Take settings, image types and features from a parameter file in place of the present."""
        with as_value_error():
            self._take(read_mapping(Path(paramsFile)))

    def loadJSONParams(self, JSON_configuration: str) -> None:  # noqa: N802, N803
        """The same from a text in JSON."""
        self._take(json.loads(JSON_configuration))

    def addProvenance(self, provenance_on: bool = True) -> None:  # noqa: N802
        """Whether `execute` gives versions, settings, image and mask in numbers as well."""
        self.settings["additionalInfo"] = provenance_on

    def enableAllImageTypes(self) -> None:  # noqa: N802
        """Every filter, with its default settings."""
        self.enabledImagetypes = {name: {} for name in IMAGE_TYPES}

    def disableAllImageTypes(self) -> None:  # noqa: N802
        """No filter, and not the image itself."""
        self.enabledImagetypes = {}

    def enableImageTypeByName(  # noqa: N802
        self,
        imageType: str,  # noqa: N803
        enabled: bool = True,
        customArgs: Mapping[str, Any] | None = None,  # noqa: N803
    ) -> None:
        """Switch a filter on or off.

        Args:
            imageType: Such as ``Wavelet``.
            enabled: On or off.
            customArgs: Settings for it alone.

        Raises:
            ValueError: If there is no such filter.
        """
        if imageType not in IMAGE_TYPES:
            raise ValueError(
                f"There is no image type {imageType!r}. Known: {', '.join(IMAGE_TYPES)}."
            )
        if enabled:
            self.enabledImagetypes[imageType] = dict(customArgs or {})
        else:
            self.enabledImagetypes.pop(imageType, None)

    def enableImageTypes(self, **enabledImagetypes: Mapping[str, Any]) -> None:  # noqa: N802, N803
        """These filters with their settings, in place of the present ones."""
        self.enabledImagetypes = {}
        for name, own in enabledImagetypes.items():
            self.enableImageTypeByName(name, True, own)

    def enableAllFeatures(self) -> None:  # noqa: N802
        """Every feature of every class."""
        self.enabledFeatures = {name: [] for name in FEATURES}

    def disableAllFeatures(self) -> None:  # noqa: N802
        """No feature."""
        self.enabledFeatures = {}

    def enableFeatureClassByName(self, featureClass: str, enabled: bool = True) -> None:  # noqa: N802, N803
        """Switch a whole class on or off.

        Raises:
            ValueError: If there is no such class.
        """
        if featureClass not in FEATURES:
            raise ValueError(
                f"There is no feature class {featureClass!r}. Known: {', '.join(FEATURES)}."
            )
        if enabled:
            self.enabledFeatures[featureClass] = []
        else:
            self.enabledFeatures.pop(featureClass, None)

    def enableFeaturesByName(self, **enabledFeatures: list[str] | None) -> None:  # noqa: N802, N803
        """These features of these classes, beside what is on; an empty list is a whole class."""
        for name, wanted in enabledFeatures.items():
            self.enableFeatureClassByName(name)
            self.enabledFeatures[name] = list(wanted or [])

    def execute(
        self,
        imageFilepath: str | Path | sitk.Image,  # noqa: N803
        maskFilepath: str | Path | sitk.Image,  # noqa: N803
        label: int | None = None,
        label_channel: int | None = None,
        voxelBased: bool = False,  # noqa: N803
    ) -> OrderedDict[str, Any]:
        """The features of one region.

        Args:
            imageFilepath: The image, or the path of its file.
            maskFilepath: The label map, or the path of its file.
            label: The value that marks the region; None: the setting ``label``, which is 1.
            label_channel: Of a label map with several channels.
            voxelBased: Maps of features in place of numbers: of the window around every voxel, by
                the settings ``kernelRadius``, ``maskedKernel`` and ``initValue``.

        Returns:
            Name → number, NaN where a feature is not defined, or map (an image in double precision
            that covers the region's box and what windows reach beyond it); first, unless
            ``additionalInfo`` is off, ``diagnostics_…``.

        Raises:
            ValueError: If a file cannot be read, or the region cannot be measured.
        """
        value = int(self.settings.get("label", 1) if label is None else label)
        channel = self.settings.get("label_channel", 0) if label_channel is None else label_channel
        image = read_image(imageFilepath, "image")
        mask = one_channel(read_image(maskFilepath, "mask"), int(channel))
        extractor = self._extractor()
        found: OrderedDict[str, Any] = OrderedDict()
        with as_value_error():
            tumour = tumour_of(image, mask, value, extractor)
            if self.settings.get("additionalInfo", True):
                found |= diagnostics.of_settings(self.settings, self.enabledImagetypes)
                found |= diagnostics.of_image(image)
                inside = np.asarray(sitk.GetArrayViewFromImage(mask) == value)
                found |= diagnostics.of_mask(mask, inside)
            if voxelBased or self.settings.get("voxelBased"):
                maps = extractor.maps(tumour)
                return found | OrderedDict((name, as_image(made, image)) for name, made in maps)
            names = extractor.names(tumour.ndim)
            values = extractor.extract(tumour).values
        return found | OrderedDict(
            (name, np.float64(number)) for name, number in zip(names, values, strict=True)
        )

    def _take(self, parameters: Mapping[str, Any]) -> None:
        given = {name: inner or {} for name, inner in parameters.items()}
        self.settings |= dict(given.get("setting", {})) | dict(given.get("voxelSetting", {}))
        if given.get("imageType"):
            self.enabledImagetypes = {n: dict(own or {}) for n, own in given["imageType"].items()}
        if given.get("featureClass"):
            wanted = given["featureClass"]
            self.enabledFeatures = {name: list(own or []) for name, own in wanted.items()}
        others = set(given) - {"setting", "imageType", "featureClass", "voxelSetting"}
        if others:
            raise ValueError(
                f"The parameters have {min(others)}, which is not obeyed. Take it out."
            )

    def _extractor(self) -> NativeExtractor:
        """What measures with the present parameters; made anew when they have changed."""
        settings = {n: one for n, one in self.settings.items() if n not in OF_THE_CALL}
        of_maps = {name: settings.pop(name) for name in OF_MAPS if name in settings}
        if of_maps.get("voxelBatch") == -1:  # PyRadiomics' word for all at once
            del of_maps["voxelBatch"]
        now = {
            "setting": settings,
            "voxelSetting": of_maps,
            "imageType": self.enabledImagetypes,
            "featureClass": self.enabledFeatures,
        }
        key = json.dumps(now, sort_keys=False, default=str)
        if self._built is None or self._built[0] != key:
            with as_value_error():
                parse_parameters(now, "the extractor's parameters")
                self._built = key, NativeExtractor(NativeConfig(parameters=now))
        return self._built[1]
