"""Plugins as real distributions: found by their metadata; a broken one never takes others along."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, distributions, entry_points
from pathlib import Path

import pytest

from rdfc_core import PluginError
from rdfc_core.data.readers.auto import AutoReader
from rdfc_core.plugin.registry import Registry, discover

GOOD = """
from rdfc_core import Component, hookimpl

rdfc_interface = 1


@hookimpl
def rdfc_components():
    return [Component("reader", "{name}", "Reads nothing.", "{module}:Reader")]
"""

Install = Callable[..., None]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.fixture
def install(site: Path, monkeypatch: pytest.MonkeyPatch, distribution: Install) -> Install:
    """Installs a plugin: a module, and the metadata of its distribution."""

    def _install(name: str, source: str, version: str = "1.0") -> None:
        module = name.replace("-", "_")
        (site / f"{module}.py").write_text(source.format(name=name, module=module), "utf-8")
        monkeypatch.delitem(sys.modules, module, raising=False)
        distribution(site, f"dist-{name}", f"{name} = {module}", version=version)

    return _install


def found_in(site: Path) -> Registry:
    points: list[EntryPoint] = []
    for distribution in distributions(path=[str(site)]):
        points += distribution.entry_points.select(group="rdfc")
    return discover(points)


def test_a_plugin_is_found_through_the_metadata_of_its_distribution(site, install):
    install("mine", GOOD, version="2.3")
    registry = found_in(site)
    [(component, source)] = registry.components()
    assert (component.kind, component.name) == ("reader", "mine")
    assert str(source) == "dist-mine 2.3"
    assert registry.get("reader", "mine") is component
    assert registry.broken == []


BROKEN = {
    "import error": ("import no_such_library", "No module named 'no_such_library'"),
    "syntax error": ("def broken(:", "SyntaxError"),
    "exits": ("raise SystemExit(3)", "SystemExit: 3"),
    "raises when asked": (
        "from rdfc_core import hookimpl\n@hookimpl\ndef rdfc_components():\n    return 1 / 0",
        "ZeroDivisionError",
    ),
    "returns no component": (
        "from rdfc_core import hookimpl\n@hookimpl\ndef rdfc_components():\n    return ['timm']",
        "returned 'timm', which is no Component",
    ),
    "returns no list": (
        "from rdfc_core import hookimpl\n@hookimpl\ndef rdfc_components():\n    return None",
        "returned None, which is no list of Component",
    ),
    "wrong hook name": (
        "from rdfc_core import hookimpl\n@hookimpl\ndef rdfc_component():\n    return []",
        r"hook rdfc_component, .*Did you mean 'rdfc_components'\?",
    ),
    "unmarked hook": (
        "def rdfc_components():\n    return []",
        "function rdfc_components is not marked; put @hookimpl",
    ),
    "wrong hook argument": (
        "from rdfc_core import hookimpl\n@hookimpl\ndef rdfc_run_started(path):\n    pass",
        r": Argument\(s\) {'path'} are declared",
    ),
    "unknown kind": (
        "from rdfc_core import Component, hookimpl\n@hookimpl\ndef rdfc_components():\n"
        "    return [Component('encoder', 'a', 'b', 'c:d')]",
        "kind 'encoder'",
    ),
    "newer interface": ("rdfc_interface = 99", "interface 99 .* has 1.* Upgrade rdfc-core"),
    "older interface": ("rdfc_interface = 0", "interface 0 .* has 1.* Upgrade the plugin"),
    "strange interface": ("rdfc_interface = 'one'", "interface"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_plugin_is_named_with_its_distribution_and_the_others_work(site, install, case):
    source, reason = BROKEN[case]
    install("broken", source.replace("{", "{{").replace("}", "}}"))
    install("healthy", GOOD)
    registry = found_in(site)
    [broken] = registry.broken
    assert str(broken).startswith("Plugin 'broken' of dist-broken 1.0: ")
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(str(broken))
    assert registry.names("reader") == ["healthy"]


def test_a_plugin_with_an_unknown_hook_gives_none_of_its_components(site, install):
    install("half", GOOD + "\n\n@hookimpl\ndef rdfc_epoch_begins(folder):\n    pass\n")
    registry = found_in(site)
    assert registry.names("reader") == []
    assert "rdfc_epoch_begins" in str(registry.broken[0])


def test_a_plugin_that_announces_nothing_or_no_interface_is_doubtful_and_works(site, install):
    install("silent", "rdfc_interface = 1\n")
    install("timeless", GOOD.replace("rdfc_interface = 1", ""))
    install("sound", GOOD)
    registry = found_in(site)
    silent, timeless = (str(plugin) for plugin in registry.doubtful)
    assert "'silent' of dist-silent 1.0: its entry point announces nothing" in silent
    assert "'timeless' of dist-timeless 1.0" in timeless
    assert "Add rdfc_interface = 1" in timeless
    assert registry.names("reader") == ["sound", "timeless"]
    assert registry.broken == []


def test_two_distributions_with_one_name_are_both_named_when_it_is_used(site, install):
    clash = GOOD.replace("{name}", "clash")
    install("one", clash)
    install("two", clash)
    registry = found_in(site)
    assert [c.name for c, _ in registry.components()] == ["clash", "clash"]
    message = r"'clash' is offered by dist-one 1\.0 and dist-two 1\.0"
    with pytest.raises(PluginError, match=message) as caught:
        registry.get("reader", "clash")
    [sentence] = registry.twice()
    assert sentence == str(caught.value)


def test_an_entry_point_that_is_no_module_is_told_so(site, distribution):
    distribution(site, "dist-typo", "typo = rdfc_encoder-other")
    [broken] = found_in(site).broken
    assert "its entry point is 'rdfc_encoder-other', which is no module" in str(broken)


def test_a_name_of_any_kind_that_is_not_there_tells_of_broken_plugins(site, install):
    install("mine", "import no_such_library")
    install("other", GOOD)
    sentence = found_in(site).unknown("mine")
    assert sentence.startswith("There is no component 'mine'. Installed: other. Plugin 'mine' of")


def test_one_distribution_listed_twice_counts_once(site, install):
    install("mine", GOOD)
    [found] = distributions(path=[str(site)])
    points = [*found.entry_points, *found.entry_points]
    registry = discover(points)
    assert registry.names("reader") == ["mine"]
    assert len(list(registry.components())) == 1
    assert registry.broken == []


def test_an_unknown_name_lists_what_is_installed_and_the_nearest(site, install):
    install("pictures-plus", GOOD)
    install("volumes-plus", GOOD)
    with pytest.raises(PluginError) as caught:
        found_in(site).get("reader", "picture-plus")
    message = str(caught.value)
    assert "There is no reader 'picture-plus'. Did you mean 'pictures-plus'?" in message
    assert "Installed: pictures-plus, volumes-plus." in message


def test_an_unknown_name_mentions_the_plugin_that_is_broken(site, install):
    install("mine", "import no_such_library")
    with pytest.raises(PluginError, match=r"None is installed.*dist-mine.*no_such_library"):
        found_in(site).get("reader", "mine")


def test_an_unavailable_component_is_listed_and_refused_with_its_reason(site, install):
    needs = GOOD.replace(':Reader")', ":Reader\", requires={{'no_such_module': 'no build'}})")
    install("mine", needs)
    registry = found_in(site)
    assert registry.names("reader") == ["mine"]
    with pytest.raises(PluginError, match="reader 'mine' is not available: no build"):
        registry.get("reader", "mine")


def test_components_come_by_kind_in_a_fixed_order_then_by_name(registry: Registry):
    listed = [(c.kind, c.name) for c, _ in registry.components()]
    kinds = [kind for kind, _ in listed]
    assert kinds == sorted(kinds, key=kinds.index)  # each kind stands together
    for kind in set(kinds):
        names = [name for found, name in listed if found == kind]
        assert names == sorted(names)


def test_core_registers_like_any_plugin_and_every_component_of_this_project_loads(
    registry: Registry,
):
    assert registry.broken == []
    sources = {(c.kind, c.name): s.distribution for c, s in registry.components()}
    assert sources["reader", "pictures"] == "rdfc-core"
    assert sources["executor", "local"] == "rdfc-core"
    assert sources["feature_extractor", "outline"] == "rdfc-small-parts"
    for component, _ in registry.components():
        assert component.load_config().model_config["extra"] == "forbid", component.label
        assert component.load_config().model_config["frozen"], component.label
        assert "\n" not in component.summary
        assert component.unavailable or isinstance(component.load(), type)


def test_a_listener_that_fails_is_named_and_the_others_hear_of_the_run(
    site, install, tmp_path, caplog
):
    heard = (
        "from rdfc_core import hookimpl\nseen = []\n@hookimpl\n"
        "def rdfc_epoch_ended(split, metrics):\n    seen.append((split, dict(metrics)))"
    )
    install("alice", heard)
    install("bob", heard.partition("    seen.append")[0] + "    return 1 / 0")
    install("carol", heard)
    found_in(site).tell("rdfc_epoch_ended", folder=tmp_path, split="holdout", metrics={"loss": 1.0})
    for name in ("alice", "carol"):
        assert sys.modules[name].seen == [("holdout", {"loss": 1.0})]
    [warning] = caplog.messages
    assert warning.startswith("Plugin dist-bob:bob failed in rdfc_epoch_ended: ZeroDivisionError")


def test_a_reader_that_does_not_load_leaves_the_others_to_read(site, install, pictures, caplog):
    install("mine", GOOD)  # announces a reader, and its module has none
    points = [*entry_points(group="rdfc", name="core")]
    for distribution in distributions(path=[str(site)]):
        points += distribution.entry_points
    reader = AutoReader.installed(discover(points))
    assert reader.read_image(pictures / "images" / "case-000.png").array.shape == (40, 40)
    assert "The reader 'mine' of dist-mine 1.0 could not be loaded" in caplog.text


def test_a_fresh_process_finds_new_plugins_and_survives_a_broken_one(site, install, outside, rdfc):
    install("newcomer", GOOD)
    install("ruin", "import no_such_library")
    done = subprocess.run(
        [rdfc, "plugins", "list", "--json"],
        env={**outside, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
    )
    listed = json.loads(done.stdout)
    assert ("reader", "newcomer", "dist-newcomer 1.0") in [
        (one["kind"], one["name"], one["distribution"]) for one in listed["components"]
    ]
    assert [line for line in listed["broken"] if "dist-ruin 1.0" in line]


def test_a_component_of_an_extra_is_told_with_how_to_get_it():
    told = discover([]).unknown("pyradiomics", "feature_extractor")
    assert "pip install 'rdfc-core[pyradiomics]'" in told
