"""Malformed manifests: the cases they list, prepared, and every problem of the list."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdfc_core.config.resolve import resolve_part
from rdfc_core.data.dataset_check import check_dataset
from rdfc_core.pipeline.case_list import read_cases
from rdfc_core.plugin.component import Part
from rdfc_core.plugin.registry import Registry
from tests.fuzz.driving import Drive
from tests.fuzz.guard import Guard
from tests.fuzz.mutations import altered, damaged
from tests.fuzz.originals import MANIFEST, sound_case
from tests.fuzz.shares import share

BATCH = "Image;Mask;Label\nimage.png;mask.png;255\nimage.png;mask.png;\n"
OPTIONS: tuple[dict[str, Any], ...] = (
    *({}, {"classes": ["benign", "malignant"]}, {"mask_value": 255}, {"component": "largest"}),
    *({"split_column": "split"}, {"label_column": "patient_id"}),
)


@pytest.fixture(scope="module")
def drive(guard: Guard, registry: Registry) -> Drive:
    drive = Drive(guard, registry)
    drive.prepare([sound_case(guard.inputs, ".png")])
    return drive


@pytest.fixture(scope="module")
def read(guard: Guard, drive: Drive, registry: Registry) -> Any:
    def judge(content: bytes, options: dict[str, Any]) -> None:
        sound_case(guard.inputs, ".png")
        file = guard.inputs / "manifest.csv"
        file.write_bytes(content)
        part = Part(name="manifest", options={"csv": str(file), **options})
        guard.judge("manifest", lambda: _use(part, drive, registry))
        guard.judge("manifest check", lambda: _check(part, drive, registry))

    judge(MANIFEST.encode(), {})
    return judge


def _use(part: Part, drive: Drive, registry: Registry) -> Any:
    dataset = resolve_part("dataset", part, registry, "dataset").build(registry)
    return drive.prepare(read_cases(dataset, drive.reader))


def _check(part: Part, drive: Drive, registry: Registry) -> Any:
    dataset = resolve_part("dataset", part, registry, "dataset").build(registry)
    found = check_dataset(dataset, drive.reader.given_to(dataset.listed_cases()))
    for problem in found.problems:
        assert "checking it failed with" not in problem.message, problem.message
    return found


@share(50)
@given(st.sampled_from([MANIFEST, BATCH]), st.sampled_from(OPTIONS), st.data())
def test_a_damaged_manifest_is_refused_or_read(
    read: Any, original: str, options: dict[str, Any], data: Any
) -> None:
    read(data.draw(damaged(original.encode())), options)


@share(100)
@given(st.sampled_from([MANIFEST, BATCH]), st.sampled_from(OPTIONS), st.data())
def test_an_altered_manifest_is_refused_or_read(
    read: Any, original: str, options: dict[str, Any], data: Any
) -> None:
    content = data.draw(altered(original))
    read(content.encode("utf-8", errors="surrogateescape"), options)


@pytest.mark.parametrize("role", ["image", "mask"])
def test_a_file_that_never_ends_is_refused(read: Any, guard: Guard, role: str) -> None:
    pipe = guard.inputs / "pipe.png"
    os.mkfifo(pipe)
    (guard.inputs / "zero.png").symlink_to("/dev/zero")
    try:
        for name in ("pipe.png", "zero.png"):
            read(MANIFEST.replace(f"{role}.png", name).encode(), {})
    finally:
        for path in (pipe, guard.inputs / "zero.png"):
            Path(path).unlink()
