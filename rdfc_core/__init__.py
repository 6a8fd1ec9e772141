"""rdfc: self-supervised learning from the correspondence of radiomics and deep features.

Importing this package is cheap: nothing heavier than pydantic and pluggy is loaded until a
component is built, so that plugins can be listed and completed at once.
"""

from rdfc_core.errors import DataError, PluginError, RdfcError, ShapeError, StudyError
from rdfc_core.plugin.component import Component, NoOptions, Part, PartOf
from rdfc_core.plugin.hookspecs import hookimpl

__version__ = "0.1.0"

__all__ = [
    "Component",
    "DataError",
    "NoOptions",
    "Part",
    "PartOf",
    "PluginError",
    "RdfcError",
    "ShapeError",
    "StudyError",
    "__version__",
    "hookimpl",
]
