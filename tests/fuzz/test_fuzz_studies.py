"""Malformed studies: files, mappings and overrides, up to the study with every option checked."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rdfc_core.config.load import load_study
from rdfc_core.config.resolve import resolve
from rdfc_core.plugin.registry import Registry
from tests.fuzz.guard import Guard
from tests.fuzz.mutations import altered, bent, damaged, text
from tests.fuzz.originals import STUDY
from tests.fuzz.shares import share

PAPER = "preset: paper\ndataset: phantom:cases=8,classes=2\nfeatures: native:parameters=ct\n"
TEXTS = (yaml.safe_dump(STUDY), PAPER)
OVERRIDES = ("pretrain.epochs=3", "views.image.encoder=timm:model=resnet18", "evaluate=paper")

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{one}: &{one} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, one in zip("abcdefgh", "bcdefghi", strict=True)
)
DEEP = "dataset: " + "[" * 20000
KEYS = "dataset: phantom\n" + "".join(f"k{number}: 1\n" for number in range(20000))
SELF = "dataset: &d {name: phantom, options: *d}\n"


@pytest.fixture(scope="module")
def read(guard: Guard, registry: Registry) -> Any:
    file = guard.inputs / "study.yaml"
    resolve(load_study(STUDY), registry)  # so that what is loaded once is loaded

    def judge(content: bytes) -> None:
        file.write_bytes(content)
        guard.judge("study", lambda: resolve(load_study(file), registry).dump())

    return judge


@share(60)
@given(st.sampled_from(TEXTS).flatmap(lambda one: damaged(one.encode())))
def test_a_damaged_study_is_refused_or_read(read: Any, content: bytes) -> None:
    read(content)


@share(60)
@given(st.sampled_from(TEXTS).flatmap(altered))
def test_an_altered_study_is_refused_or_read(read: Any, content: str) -> None:
    read(content.encode("utf-8", errors="surrogateescape"))


@share(60)
@given(bent(STUDY))
def test_a_bent_study_is_refused_or_read(guard: Guard, registry: Registry, study: Any) -> None:
    file = guard.inputs / "study.yaml"
    file.write_text(yaml.dump(study), encoding="utf-8")
    guard.judge("study", lambda: resolve(load_study(file), registry).dump())


@share(20)
@given(st.sampled_from(OVERRIDES).flatmap(altered) | st.builds("{}={}".format, text(), text()))
def test_a_malformed_override_is_refused_or_taken(
    guard: Guard, registry: Registry, override: str
) -> None:
    guard.judge("override", lambda: resolve(load_study(STUDY, [override]), registry).dump())


@pytest.mark.parametrize(
    "content", [BOMB, f"{BOMB}dataset: {{name: phantom, cases: *i}}", DEEP, KEYS, SELF]
)
def test_a_study_that_grows_when_it_is_read_is_refused(read: Any, content: str) -> None:
    read(content.encode())
