"""Malformed masks beside a sound image, with and without a value that is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdfc_core.plugin.registry import Registry
from tests.fuzz.driving import Drive
from tests.fuzz.guard import Guard
from tests.fuzz.mutations import NUMBERS, damaged
from tests.fuzz.originals import PICTURES, VOLUMES, sound_case
from tests.fuzz.shares import share


@pytest.fixture(scope="module")
def drive(guard: Guard, registry: Registry) -> Drive:
    drive = Drive(guard, registry)
    drive.prepare([sound_case(guard.inputs, ".png")])
    return drive


@pytest.mark.parametrize("ending", [*PICTURES, *VOLUMES])
@share(12)
@given(data=st.data())
def test_a_damaged_mask_is_refused_or_read(
    guard: Guard, drive: Drive, ending: str, data: Any
) -> None:
    case = sound_case(guard.inputs, ending)
    file = data.draw(st.sampled_from(sorted(guard.inputs.glob("mask.*"))))
    file.write_bytes(data.draw(damaged(file.read_bytes())))
    wanted = data.draw(st.none() | st.sampled_from([1, 255, *NUMBERS, 10**400]))
    component = data.draw(st.sampled_from(["all", "largest"]))
    case = replace(case, mask_value=wanted, component=component)
    guard.judge("mask", lambda: drive.prepare([case]))
