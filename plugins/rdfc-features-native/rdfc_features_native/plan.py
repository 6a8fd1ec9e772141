"""A parameter file laid out for tumours with so many axes, once, before any is measured."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

from rdfc_core.errors import StudyError
from rdfc_core.radiomics.checks import check_mask_value
from rdfc_core.radiomics.parameters import Parameters, RadiomicsSettings
from rdfc_features_native.images import SUPPORTED
from rdfc_features_native.texture import CLASSES


@dataclass(frozen=True)
class ImagePlan:
    """The images of one image type.

    Args:
        image_type: Its name.
        images: The names of the images that it makes, in order.
        settings: Those that hold for it.
    """

    image_type: str
    images: tuple[str, ...]
    settings: RadiomicsSettings


@dataclass(frozen=True)
class ExtractionPlan:
    """What is measured on a tumour.

    Args:
        settings: Of image and mask.
        shapes: Shape class → features wanted.
        classes: Every other class → features wanted, on each image.
        images: Image types in order.
        names: Of all features, in order.
        axes_as_stored: Whether array axes mean what the file stores; else slices come first.
    """

    settings: RadiomicsSettings
    shapes: dict[str, tuple[str, ...]]
    classes: dict[str, tuple[str, ...]]
    images: tuple[ImagePlan, ...]
    names: tuple[str, ...]
    axes_as_stored: bool

    @classmethod
    def of(cls, parameters: Parameters, ndim: int) -> ExtractionPlan:
        """The plan for tumours with ``ndim`` axes.

        Raises:
            StudyError: If the parameters do not fit tumours with so many axes.
        """
        wanted = parameters.feature_classes
        stated = [parameters.settings, *parameters.image_types.values()]
        return cls(
            settings=parameters.settings,
            shapes={name: wanted[name] for name in parameters.shape_classes(ndim)},
            classes={name: features for name, features in wanted.items() if name in CLASSES},
            images=tuple(
                ImagePlan(
                    image_type,
                    parameters.image_names(image_type, ndim),
                    parameters.settings_of(image_type),
                )
                for image_type in parameters.image_types
            ),
            names=parameters.feature_names(ndim),
            axes_as_stored=any(own.force_2d_dimension is not None for own in stated),
        )

    @property
    def features_per_image(self) -> int:
        """Of all classes but the shape classes."""
        return sum(map(len, self.classes.values()))


def check_supported(parameters: Parameters) -> None:
    """Parameters must ask for nothing that the engine does not have here.

    Raises:
        StudyError: If they do, need scikit-image and it is not installed, or select a mask value,
            which is the data set's to select.
    """
    check_mask_value(parameters)
    for image_type in parameters.image_types:
        if image_type not in SUPPORTED:
            raise StudyError(
                f"imageType.{image_type}: the extractor native has no such filter. Remove "
                f"{image_type}, or choose the extractor pyradiomics (rdfc-features-pyradiomics)."
            )
        if image_type == "LBP2D" and importlib.util.find_spec("skimage") is None:
            raise StudyError(
                "imageType.LBP2D: local binary patterns need scikit-image, which is not installed "
                'here. Install it (pip install "rdfc-features-native[lbp]"), or remove LBP2D.'
            )
