"""A case: one tumour as files on disk, and the tumour once it is loaded."""

from rdfc_core.case.case import IMAGE_NAME, Case
from rdfc_core.case.files import ReadsFiles, absence, mask_of, place_of, reader_of
from rdfc_core.case.loading import LoadedCase
from rdfc_core.case.tumour import (
    ANY_IMAGE,
    MOST_VALUES,
    Needs,
    Tumour,
    WhichComponent,
    components_of,
    of_component,
    values_inside,
    voxels_inside,
)
from rdfc_core.volume import Volume

__all__ = [
    "ANY_IMAGE",
    "IMAGE_NAME",
    "MOST_VALUES",
    "Case",
    "LoadedCase",
    "Needs",
    "ReadsFiles",
    "Tumour",
    "Volume",
    "WhichComponent",
    "absence",
    "components_of",
    "mask_of",
    "of_component",
    "place_of",
    "reader_of",
    "values_inside",
    "voxels_inside",
]
