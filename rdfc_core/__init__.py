"""rdfc: self-supervised learning from the correspondence of radiomics and deep features.

Importing this package is cheap: nothing heavier than pydantic and pluggy is loaded until a name
that needs it is used, so that plugins can be listed and completed at once.

```python
import rdfc_core as rdfc

run = rdfc.run({"dataset": "manifest:root=DIR"}, out="runs/mine")
run.predict("new_cases.csv")
```
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from rdfc_core.errors import (
    ContractError,
    DataError,
    PluginError,
    RdfcError,
    ShapeError,
    StoppedError,
    StudyError,
)
from rdfc_core.plugin.component import Component, NoOptions, Part, PartOf
from rdfc_core.plugin.hookspecs import Stop, hookimpl

if TYPE_CHECKING:
    from rdfc_core.api.classifier import RdfcClassifier
    from rdfc_core.api.encoder import Encoder
    from rdfc_core.api.feature_maps import write_feature_maps
    from rdfc_core.api.feature_table import extract_features
    from rdfc_core.api.reliability import feature_reliability
    from rdfc_core.api.running import run
    from rdfc_core.api.stability import Repetitions, feature_stability
    from rdfc_core.api.suggesting import suggest
    from rdfc_core.api.trained_run import Run, load_run
    from rdfc_core.api.validating import validate
    from rdfc_core.case import Case, Tumour
    from rdfc_core.config.load import load_study
    from rdfc_core.config.study import Study
    from rdfc_core.results.schema import Results
    from rdfc_core.volume import Volume

__version__ = "0.1.0"

_HOME = {
    "Case": "case",
    "Encoder": "api.encoder",
    "RdfcClassifier": "api.classifier",
    "Repetitions": "api.stability",
    "Results": "results.schema",
    "Run": "api.trained_run",
    "Study": "config.study",
    "Tumour": "case",
    "Volume": "volume",
    "extract_features": "api.feature_table",
    "feature_reliability": "api.reliability",
    "feature_stability": "api.stability",
    "load_run": "api.trained_run",
    "load_study": "config.load",
    "run": "api.running",
    "suggest": "api.suggesting",
    "validate": "api.validating",
    "write_feature_maps": "api.feature_maps",
}
"""Name → the module that has it; loaded when the name is first used."""

__all__ = [
    "Case",
    "Component",
    "ContractError",
    "DataError",
    "Encoder",
    "NoOptions",
    "Part",
    "PartOf",
    "PluginError",
    "RdfcClassifier",
    "RdfcError",
    "Repetitions",
    "Results",
    "Run",
    "ShapeError",
    "Stop",
    "StoppedError",
    "Study",
    "StudyError",
    "Tumour",
    "Volume",
    "__version__",
    "extract_features",
    "feature_reliability",
    "feature_stability",
    "hookimpl",
    "load_run",
    "load_study",
    "run",
    "suggest",
    "validate",
    "write_feature_maps",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
