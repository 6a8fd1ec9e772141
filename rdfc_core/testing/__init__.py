"""Conformance checks: what rdfc relies on in a component, for its author's own tests.

Each check takes a built component, does with it what rdfc will do, and raises `AssertionError`
with one sentence that says what does not hold, where, and what to do::

    def test_my_encoder_keeps_the_promises():
        check_image_encoder(MyEncoder(MyConfig()), channels=(1, 3))

The tumours and towers that the checks need are made by themselves.
"""

from rdfc_core.testing.component import check_component
from rdfc_core.testing.dataset import check_dataset
from rdfc_core.testing.evaluator import check_evaluator
from rdfc_core.testing.executor import check_executor
from rdfc_core.testing.feature_extractor import check_feature_extractor
from rdfc_core.testing.harmoniser import check_harmoniser
from rdfc_core.testing.image_encoder import check_image_encoder
from rdfc_core.testing.logger import check_logger
from rdfc_core.testing.memory_queue import check_memory_queue
from rdfc_core.testing.memory_store import check_memory_store
from rdfc_core.testing.metric import check_metric
from rdfc_core.testing.objective import check_objective
from rdfc_core.testing.optimizer import check_optimizer, check_schedule
from rdfc_core.testing.plugin import check_plugin
from rdfc_core.testing.pretext import check_pretext
from rdfc_core.testing.projector import check_projector
from rdfc_core.testing.query_strategy import check_query_strategy
from rdfc_core.testing.reader import check_reader
from rdfc_core.testing.report_section import check_report_section
from rdfc_core.testing.tumours import example_tumours
from rdfc_core.testing.view import check_view

__all__ = [
    "check_component",
    "check_dataset",
    "check_evaluator",
    "check_executor",
    "check_feature_extractor",
    "check_harmoniser",
    "check_image_encoder",
    "check_logger",
    "check_memory_queue",
    "check_memory_store",
    "check_metric",
    "check_objective",
    "check_optimizer",
    "check_plugin",
    "check_pretext",
    "check_projector",
    "check_query_strategy",
    "check_reader",
    "check_report_section",
    "check_schedule",
    "check_view",
    "example_tumours",
]
