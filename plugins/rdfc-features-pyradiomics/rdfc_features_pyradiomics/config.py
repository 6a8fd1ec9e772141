"""Options of the extractor ``pyradiomics``."""

from rdfc_core.radiomics.config import RadiomicsConfig


class PyRadiomicsConfig(RadiomicsConfig):
    """What to measure."""
