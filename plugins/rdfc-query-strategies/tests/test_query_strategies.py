"""The strategies keep what rdfc relies on, and choose what their papers say."""

from __future__ import annotations

import pytest

from rdfc_core.plugin.registry import installed
from rdfc_core.testing import check_plugin, check_query_strategy

COLD = ("typiclust", "probcover", "coreset", "maxherding")
DOUBTFUL = ("margin", "badge", "typiclust-uncertain")


def built(name, **options):
    component = installed().get("query_strategy", name)
    return component.build(component.load_config()(**options))


@pytest.mark.parametrize("name", [*COLD, *DOUBTFUL, "random"])
def test_each_strategy_keeps_its_promises(name):
    check_query_strategy(built(name))


def test_the_plugin_is_sound():
    check_plugin("rdfc_query_strategies")
