"""Malformed PyRadiomics parameter files, up to the names of the features they ask for."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rdfc_core.errors import StudyError
from rdfc_core.radiomics.parameters import bundled_sets, load_parameters
from tests.fuzz.guard import Guard
from tests.fuzz.mutations import altered, bent, damaged
from tests.fuzz.shares import share

TEXTS = [
    files("rdfc_core.radiomics.parameter_sets").joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    for name in bundled_sets()
]


@pytest.fixture(scope="module")
def read(guard: Guard) -> Any:
    def judge(content: bytes, ending: str = ".yaml") -> None:
        file = guard.inputs / f"parameters{ending}"
        file.write_bytes(content)
        guard.judge("parameters", lambda: _names(str(file)))

    judge(TEXTS[0].encode())
    return judge


def _names(path: str) -> list[tuple[str, ...]]:
    parameters = load_parameters(path)
    names = []
    for ndim in (2, 3):
        try:
            names.append(parameters.feature_names(ndim))
        except StudyError:  # they need not fit both
            names.append(())
    assert parameters.dump()
    return names


@share(40)
@given(st.sampled_from(TEXTS).flatmap(lambda one: damaged(one.encode())))
def test_damaged_parameters_are_refused_or_read(read: Any, content: bytes) -> None:
    read(content)


@share(60)
@given(st.sampled_from(TEXTS).flatmap(altered))
def test_altered_parameters_are_refused_or_read(read: Any, content: str) -> None:
    read(content.encode("utf-8", errors="surrogateescape"))


@share(50)
@given(st.sampled_from([yaml.safe_load(one) for one in TEXTS]).flatmap(bent), st.booleans())
def test_bent_parameters_are_refused_or_read(read: Any, content: Any, as_json: bool) -> None:
    if as_json:
        read(json.dumps(content, default=str, skipkeys=True).encode(), ".json")
    else:
        read(yaml.dump(content).encode())
