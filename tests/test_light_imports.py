"""Help, listing and completion stay quick: they load none of the heavy libraries."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import HERE

HEAVY = {
    "torch",
    "SimpleITK",
    "radiomics",
    "pandas",
    "sklearn",
    "matplotlib",
    "scipy",
    "timm",
    "captum",
}

RDFC = str(Path(sys.executable).with_name("rdfc"))


def loaded(*arguments: str, **environment: str) -> tuple[set[str], str]:
    """The top-level modules that a command loads, as the interpreter itself reports; its output."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", RDFC, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    names = {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}
    assert "rdfc_core" in names
    return names, done.stdout


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (("--help",), "run"),
        (("--version",), "rdfc "),
        (("run", "--help"), "--encoder"),
        (("plugins", "list"), "timm"),
        (("plugins", "list", "--json"), "pyradiomics"),
        (("plugins", "show", "timm"), "pretrained"),
        (("plugins", "show", "infonce"), "temperature"),
    ],
)
def test_no_heavy_library_is_loaded(arguments, shown):
    names, out = loaded(*arguments)
    assert shown in out
    assert not names & HEAVY


def test_a_finished_run_is_told_without_a_heavy_library(tmp_path):
    command = ("extract", "--dataset", "phantom:cases=2,image_size=[32,32]", "--store")
    command += (f"{tmp_path}/store.sqlite", "--out", f"{tmp_path}/run", *HERE)
    first, _ = loaded(*command)
    assert {"torch", "timm"} <= first
    again, _ = loaded(*command)
    assert "rdfc_dataset_phantom" in again
    assert again & HEAVY == {"scipy"}  # by which phantoms are drawn


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("rdfc run --encoder ti", {"timm"}),
        ("rdfc run --dataset ", {"kits19", "manifest", "phantom", "tn-scui2020"}),
        ("rdfc run --features py", {"pyradiomics"}),
        ("rdfc run --objective in", {"infonce"}),
        ("rdfc run --executor ", {"local"}),
        ("rdfc plugins show bank", {"bank"}),
        ("rdfc plugins new image_", {"image_encoder"}),
        ("rdfc datasets check ph", {"phantom"}),
    ],
)
def test_completion_of_names_loads_no_heavy_library(line, expected):
    """The protocol of bash: the words so far, and which of them is being completed."""
    words = line.split(" ")
    names, out = loaded(
        _RDFC_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1)
    )
    assert expected <= set(out.split())
    assert not names & HEAVY


@pytest.mark.parametrize(
    "modules",
    [
        "rdfc_core, rdfc_core.plugin.component, rdfc_core.plugin.registry, rdfc_core.config.study",
        "rdfc_core.views.options, rdfc_core.data.readers.config",
        # What a worker process of an extraction loads, beside the extractor itself.
        "rdfc_core.extraction.extract, rdfc_core.views.preparers, rdfc_core.views.size",
    ],
)
def test_what_must_start_quickly_loads_no_heavy_library(modules):
    done = subprocess.run(
        [sys.executable, "-c", f"import {modules}, sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    names = {name.partition(".")[0] for name in done.stdout.split()}
    assert not names & HEAVY


def test_importing_the_python_api_is_light_and_names_are_there():
    code = (
        "import rdfc_core as rdfc, sys;"
        "rdfc.run, rdfc.load_run, rdfc.load_study, rdfc.Run, rdfc.Study, rdfc.Results;"
        "assert set(rdfc.__all__) <= set(dir(rdfc)); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = {name.partition(".")[0] for name in done.stdout.split()}
    assert not names & HEAVY


def test_every_public_name_is_found():
    import rdfc_core

    for name in rdfc_core.__all__:
        assert getattr(rdfc_core, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'runs'"):
        _ = rdfc_core.runs
