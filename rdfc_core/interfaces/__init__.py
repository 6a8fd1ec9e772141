"""The kinds of component, one file a kind.

Names are looked up on first use, so that ``from rdfc_core.interfaces import Reader`` does not
load torch, which the kinds with networks need.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rdfc_core.case import Needs
    from rdfc_core.interfaces.dataset import Dataset, Problem, SplitSpec, refuse_problems
    from rdfc_core.interfaces.executor import Executor, Outcome, WorkerDiedError
    from rdfc_core.interfaces.feature_extractor import FeatureExtractor, Features, MaskGrid
    from rdfc_core.interfaces.image_encoder import ImageEncoder
    from rdfc_core.interfaces.layout import ONLY, Doubt, Found, FoundCase, Layout, LayoutOptions
    from rdfc_core.interfaces.memory_store import MemoryStore
    from rdfc_core.interfaces.objective import Memory, Objective, at_least_single
    from rdfc_core.interfaces.prepared import Prepared, Preparer
    from rdfc_core.interfaces.pretext import Batch, Pretext, PretextOutput
    from rdfc_core.interfaces.published import PublishedRow, PublishedStudy
    from rdfc_core.interfaces.reader import Reader
    from rdfc_core.interfaces.view import Tower, View

_HOME = {
    "ONLY": "layout",
    "Batch": "pretext",
    "Dataset": "dataset",
    "Doubt": "layout",
    "Executor": "executor",
    "FeatureExtractor": "feature_extractor",
    "Features": "feature_extractor",
    "Found": "layout",
    "FoundCase": "layout",
    "ImageEncoder": "image_encoder",
    "Layout": "layout",
    "LayoutOptions": "layout",
    "MaskGrid": "feature_extractor",
    "Memory": "objective",
    "MemoryStore": "memory_store",
    "Objective": "objective",
    "Outcome": "executor",
    "Prepared": "prepared",
    "Preparer": "prepared",
    "Pretext": "pretext",
    "PretextOutput": "pretext",
    "Problem": "dataset",
    "PublishedRow": "published",
    "PublishedStudy": "published",
    "Reader": "reader",
    "SplitSpec": "dataset",
    "Tower": "view",
    "View": "view",
    "WorkerDiedError": "executor",
    "at_least_single": "objective",
    "refuse_problems": "dataset",
}

__all__ = [
    "ONLY",
    "Batch",
    "Dataset",
    "Doubt",
    "Executor",
    "FeatureExtractor",
    "Features",
    "Found",
    "FoundCase",
    "ImageEncoder",
    "Layout",
    "LayoutOptions",
    "MaskGrid",
    "Memory",
    "MemoryStore",
    "Needs",
    "Objective",
    "Outcome",
    "Prepared",
    "Preparer",
    "Pretext",
    "PretextOutput",
    "Problem",
    "PublishedRow",
    "PublishedStudy",
    "Reader",
    "SplitSpec",
    "Tower",
    "View",
    "WorkerDiedError",
    "at_least_single",
    "refuse_problems",
]


def __getattr__(name: str) -> Any:
    if name == "Needs":
        return importlib.import_module("rdfc_core.case").Needs
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
