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
    from rdfc_core.interfaces.evaluator import Evaluator, EvaluatorCases, Labels, Predictor
    from rdfc_core.interfaces.executor import Executor, Outcome, WorkerDiedError
    from rdfc_core.interfaces.feature_extractor import FeatureExtractor, Features, MaskGrid
    from rdfc_core.interfaces.harmoniser import AffineBySite, Harmoniser
    from rdfc_core.interfaces.image_encoder import ImageEncoder
    from rdfc_core.interfaces.layout import ONLY, Doubt, Found, FoundCase, Layout, LayoutOptions
    from rdfc_core.interfaces.logger import Ending, LoggedRun, Logger
    from rdfc_core.interfaces.memory_queue import MemoryQueue
    from rdfc_core.interfaces.memory_store import MemoryStore
    from rdfc_core.interfaces.metric import Metric
    from rdfc_core.interfaces.objective import Memory, Objective, at_least_single
    from rdfc_core.interfaces.optimizer import Optimizer
    from rdfc_core.interfaces.prepared import Prepared, Preparer
    from rdfc_core.interfaces.pretext import Batch, Pretext, PretextOutput
    from rdfc_core.interfaces.projector import Projector
    from rdfc_core.interfaces.published import PublishedRow, PublishedStudy
    from rdfc_core.interfaces.query_strategy import Query, QueryPool, QueryStrategy
    from rdfc_core.interfaces.reader import Reader
    from rdfc_core.interfaces.report_section import (
        Block,
        FigureBlock,
        ReportSection,
        TableBlock,
        TextBlock,
    )
    from rdfc_core.interfaces.schedule import Schedule
    from rdfc_core.interfaces.tower import Tower
    from rdfc_core.interfaces.view import View

_HOME = {
    "ONLY": "layout",
    "Batch": "pretext",
    "Block": "report_section",
    "Dataset": "dataset",
    "Doubt": "layout",
    "Ending": "logger",
    "Evaluator": "evaluator",
    "EvaluatorCases": "evaluator",
    "Executor": "executor",
    "FeatureExtractor": "feature_extractor",
    "Features": "feature_extractor",
    "Found": "layout",
    "FoundCase": "layout",
    "FigureBlock": "report_section",
    "AffineBySite": "harmoniser",
    "Harmoniser": "harmoniser",
    "ImageEncoder": "image_encoder",
    "Labels": "evaluator",
    "Layout": "layout",
    "LayoutOptions": "layout",
    "LoggedRun": "logger",
    "Logger": "logger",
    "MaskGrid": "feature_extractor",
    "Memory": "objective",
    "MemoryQueue": "memory_queue",
    "MemoryStore": "memory_store",
    "Metric": "metric",
    "Objective": "objective",
    "Optimizer": "optimizer",
    "Outcome": "executor",
    "Predictor": "evaluator",
    "Prepared": "prepared",
    "Preparer": "prepared",
    "Pretext": "pretext",
    "PretextOutput": "pretext",
    "Problem": "dataset",
    "Projector": "projector",
    "PublishedRow": "published",
    "PublishedStudy": "published",
    "Query": "query_strategy",
    "QueryPool": "query_strategy",
    "QueryStrategy": "query_strategy",
    "Reader": "reader",
    "ReportSection": "report_section",
    "Schedule": "schedule",
    "SplitSpec": "dataset",
    "TableBlock": "report_section",
    "TextBlock": "report_section",
    "Tower": "tower",
    "View": "view",
    "WorkerDiedError": "executor",
    "at_least_single": "objective",
    "refuse_problems": "dataset",
}

__all__ = [
    "ONLY",
    "AffineBySite",
    "Batch",
    "Block",
    "Dataset",
    "Doubt",
    "Ending",
    "Evaluator",
    "EvaluatorCases",
    "Executor",
    "FeatureExtractor",
    "Features",
    "FigureBlock",
    "Found",
    "FoundCase",
    "Harmoniser",
    "ImageEncoder",
    "Labels",
    "Layout",
    "LayoutOptions",
    "LoggedRun",
    "Logger",
    "MaskGrid",
    "Memory",
    "MemoryQueue",
    "MemoryStore",
    "Metric",
    "Needs",
    "Objective",
    "Optimizer",
    "Outcome",
    "Predictor",
    "Prepared",
    "Preparer",
    "Pretext",
    "PretextOutput",
    "Problem",
    "Projector",
    "PublishedRow",
    "PublishedStudy",
    "Query",
    "QueryPool",
    "QueryStrategy",
    "Reader",
    "ReportSection",
    "Schedule",
    "SplitSpec",
    "TableBlock",
    "TextBlock",
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
