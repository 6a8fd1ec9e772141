"""Plugins that are broken as they are found: each is told by name, and takes nobody with it."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

HOOK = "from rdfc_core import Component, hookimpl\nrdfc_interface = 1\n"
ASKED = f"{HOOK}@hookimpl\ndef rdfc_components():\n"
ONE = 'Component("reader", "one", "Reads", "no_module:Reader")'

BROKEN = {
    "no-library": ("import no_such_library", "No module named 'no_such_library'"),
    "no-syntax": ("def broken(:", "SyntaxError"),
    "nameless": (
        "one = 1\nanother = undefined_name",
        "NameError: name 'undefined_name' is not defined (in zoo_nameless, line 2)",
    ),
    "inside-pydantic": (
        "from pydantic import BaseModel\n\n\nclass Options(BaseModel):\n    size: 'Nothing' = 3\n"
        "\n\nOptions(size=2)",
        "(in zoo_inside_pydantic, line 8)",
    ),
    "exiting": ("raise SystemExit(3)", "SystemExit: 3"),
    "sys-exiting": ("import sys\nsys.exit('bye')", "SystemExit: bye"),
    "asserting": ("assert False, 'not here'", "AssertionError: not here"),
    "endless": ("def f():\n    f()\nf()", "RecursionError"),
    "dividing": (f"{ASKED}    return 1 / 0", "ZeroDivisionError"),
    "of-strings": (f"{ASKED}    return ['timm']", "returned 'timm', which is no Component"),
    "of-nothing": (f"{ASKED}    return None", "returned None, which is no list of Component"),
    "of-a-word": (f"{ASKED}    return 'timm'", "returned 'timm', which is no list"),
    "generating": (f"{ASKED}    yield {ONE}", "which is no list of Component"),
    "misspelled": (f"{HOOK}@hookimpl\ndef rdfc_component():\n    return []", "rdfc_component, "),
    "unmarked": ("def rdfc_components():\n    return []", "is not marked; put @hookimpl"),
    "misheard": (
        f"{HOOK}@hookimpl\ndef rdfc_run_started(path):\n    pass",
        "{'path'} are declared",
    ),
    "no-kind": (f"{ASKED}    return [Component('encoder', 'a', 'b', 'c:d')]", "kind 'encoder'"),
    "of-numbers": (f"{ASKED}    return [Component('reader', 3, 'b', 'c:d')]", "3 for its name"),
    "unwritable": (
        f"{ASKED}    return [Component('reader', 'a b:c', 'd', 'e:f')]",
        "announces a reader 'a b:c', which a study cannot name",
    ),
    "twice": (f"{ASKED}    return [{ONE}, {ONE}]", "announces the reader 'one' twice"),
    "listing-needs": (
        f"{ASKED}    return [Component('reader', 'a', 'b', 'c:d', requires=['torch'])]",
        "for what it requires",
    ),
    "from-tomorrow": ("rdfc_interface = 99", "interface 99"),
    "from-yesterday": ("rdfc_interface = 0", "Upgrade the plugin"),
    "undecided": ("rdfc_interface = 'one'", "must be a whole number"),
}

ODD = {
    "printing": (f"print('welcome!')\n{ASKED}    return [{ONE}]", "prints 'welcome!'"),
    "printing-when-asked": (f"{ASKED}    print('hi')\n    return [{ONE}]", "prints 'hi'"),
    "moving": (
        f"import os, tempfile\nos.chdir(tempfile.gettempdir())\n{ASKED}    return [{ONE}]",
        "changed the working directory",
    ),
    "seeding": (
        f"import torch\ntorch.manual_seed(11)\n{ASKED}    return [{ONE}]",
        "seeds torch's global generator",
    ),
    "doubling": (
        f"import torch\ntorch.set_default_dtype(torch.float64)\n{ASKED}    return [{ONE}]",
        "changed torch's default type of numbers to torch.float64",
    ),
    "silent": ("rdfc_interface = 1", "announces nothing"),
    "timeless": (f"{ASKED}    return [{ONE}]".replace("rdfc_interface = 1", ""), "which interface"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_plugin_that_is_broken_is_told_and_the_list_is_there(animal, rdfc_here, blame, name):
    source, reason = BROKEN[name]
    animal(name, source)
    done = rdfc_here("plugins", "list")
    assert blame(done, name, reason, code=0).startswith(f"Plugin {name!r} of zoo-{name} 1.7: ")
    assert "pictures" in done.out
    listed = json.loads(rdfc_here("plugins", "list", "--json").out)
    assert [line for line in listed["broken"] if reason in line and f"zoo-{name}" in line]


@pytest.mark.parametrize("name", ODD)
def test_what_an_import_does_besides_is_undone_and_told(animal, rdfc_here, blame, name):
    import torch

    source, reason = ODD[name]
    animal(name, source)
    before = Path.cwd(), random.getstate(), torch.initial_seed(), torch.get_default_dtype()
    done = rdfc_here("plugins", "list")
    blame(done, name, reason, code=0)
    assert before == (
        *(Path.cwd(), random.getstate(), torch.initial_seed(), torch.get_default_dtype()),
    )
    assert "welcome" not in done.out
    again = rdfc_here("plugins", "list", "--json")
    assert "components" in json.loads(again.out)


def test_what_plugins_say_of_themselves_is_text(animal, rdfc_here):
    summary = "[red]Great[/red] [/] [link=x]reader"
    animal("painted", ASKED + f"    return [{ONE.replace('Reads', summary)}]")
    animal(
        "cleaning",
        ASKED + f"    return [{ONE.replace('Reads', chr(92) + 'x1b[2J').replace('one', 'two')}]",
    )
    done = rdfc_here("plugins", "list")
    assert done.code == 0, done.err
    assert summary in done.out
    assert "\x1b" not in done.out


def test_a_plugin_is_left_out_before_it_is_imported(animal, rdfc_here, tmp_path, monkeypatch):
    monkeypatch.setenv("RDFC_PLUGINS", "")
    touched = tmp_path / "imported"
    animal("noisy", f"open({str(touched)!r}, 'w')\n{ASKED}    return [{ONE}]")
    done = rdfc_here("plugins", "list", "--without", "zoo_noisy")
    assert (done.code, touched.exists()) == (0, False)
    assert "Switched off: zoo-noisy 1.7." in done.err
    assert "Reads" not in done.out
    monkeypatch.setenv("RDFC_PLUGINS", "-noisy")
    done = rdfc_here("plugins", "show", "one")
    assert "There is no component 'one'." in done.refused("Switched off", "zoo-noisy")
    assert not touched.exists()


def test_only_the_plugins_that_are_named_are_there(animal, rdfc_here, monkeypatch):
    monkeypatch.setenv("RDFC_PLUGINS", "zoo-mine")
    animal("mine", f"{ASKED}    return [{ONE}]")
    listed = json.loads(rdfc_here("plugins", "list", "--json").out)["components"]
    assert {one["distribution"].split()[0] for one in listed} == {"rdfc-core", "zoo-mine"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("zoo-nobody", "There is no plugin 'zoo-nobody' to switch on or off"),
        ("rdfc-core", "rdfc-core cannot be switched off"),
        ("core", "rdfc-core cannot be switched off"),
    ],
)
def test_what_cannot_be_switched_off_is_refused(site, rdfc_here, monkeypatch, name, said):
    monkeypatch.setenv("RDFC_PLUGINS", "")
    rdfc_here("plugins", "list", "--without", name).refused(said)


def test_a_doctor_imports_everything_and_fails_where_a_plugin_is_broken(
    animal, rdfc_here, distribution, site, monkeypatch
):
    monkeypatch.setenv("RDFC_PLUGINS", "")
    for name in BROKEN:
        animal(name, BROKEN[name][0])
    animal("lost", f"{ASKED}    return [{ONE}]")
    for name in ("first", "second"):
        animal(name, f"{ASKED}    return [Component('reader', 'same', 'b', 'zoo_first:X')]")
    animal(
        "abstract", kind="feature_extractor", parts="class Animal(Plain, FeatureExtractor): pass"
    )
    done = rdfc_here("doctor", "--json")
    assert done.code == 2, done.err
    findings = json.loads(done.out)
    traps = "\n".join(findings["Traps"])
    for name, (_, reason) in BROKEN.items():
        assert [line for line in findings["Traps"] if f"zoo-{name} 1.7" in line and reason in line]
    assert "'one' of zoo-lost 1.7 could not be loaded from no_module:Reader" in traps
    assert "'same' is offered by zoo-first 1.7 and zoo-second 1.7" in traps
    assert "'abstract' of zoo-abstract 1.7 breaks its contract: Animal does not implement" in traps
    ready = [line for line in findings["Plugins"] if "'pictures' of rdfc-core" in line]
    assert ready[0].endswith("ready")


def test_a_plugin_of_hooks_alone_is_listed_with_what_it_listens_to(animal, rdfc_here, tmp_path):
    animal("listener", f"{HOOK}@hookimpl\ndef rdfc_epoch_ended(metrics):\n    pass\n")
    done = rdfc_here("plugins", "list")
    assert done.code == 0, done.err
    [line] = [line for line in done.out.splitlines() if "zoo-listener" in line]
    assert line.split()[:2] == ["hook", "listener"]
    assert "zoo-listener" not in done.err  # nothing is the matter with it
    listed = json.loads(rdfc_here("plugins", "list", "--json").out)
    wanted = {"name": "listener", "hooks": ["rdfc_epoch_ended"], "distribution": "zoo-listener 1.7"}
    assert wanted in listed["hooks"]


def test_a_plugin_of_hooks_is_written_by_the_command(rdfc_here, tmp_path):
    done = rdfc_here("plugins", "new", "hook", "guard", "--out", tmp_path)
    assert done.code == 0, done.err
    text = (tmp_path / "rdfc-hook-guard" / "rdfc_hook_guard" / "__init__.py").read_text("utf-8")
    assert "def rdfc_epoch_ended(" in text
    assert not (tmp_path / "rdfc-hook-guard" / "rdfc_hook_guard" / "config.py").exists()
