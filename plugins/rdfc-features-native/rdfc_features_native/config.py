"""Options of the extractor ``native``."""

from rdfc_core.radiomics.config import RadiomicsConfig


class NativeConfig(RadiomicsConfig):
    """What to measure."""
