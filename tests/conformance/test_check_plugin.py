"""The checks of components and plugins pass sound ones and catch each broken promise."""

import sys
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BaseModel, ConfigDict, Field

from rdfc_core import testing
from rdfc_core.errors import PluginError
from rdfc_core.interfaces import ImageEncoder
from rdfc_core.plugin.component import Component, Part, PartOf
from rdfc_core.scaffold.templates.image_encoder import encoder as encoder_example

Encoder = encoder_example.Example


class OpenConfig(BaseModel):
    """Options."""

    model_config = ConfigDict(frozen=True)


class UndescribedConfig(BaseModel):
    """Options."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = 3


class PartConfig(BaseModel):
    """Options that name another component."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoder: Annotated[Part, PartOf("image_encoder")] = Part(name="timm")
    width: int = Field(3, description="Width.")


class Abstract(ImageEncoder):
    """Not finished."""


class TakingNoParts(encoder_example.Example):
    """Built without the encoder that its options name."""


class TakingItsPart(encoder_example.Example):
    """Built with the encoder that its options name."""

    def __init__(self, config, encoder):
        super().__init__(config)


class Undocumented(TakingItsPart):
    pass


def component(target="Encoder", config="PartConfig", **changes) -> Component:
    sys.modules["components_of_this_test"] = sys.modules[__name__]
    fields = {
        "kind": "image_encoder",
        "name": "small",
        "summary": "A small network",
        "target": f"components_of_this_test:{target}",
        "config": f"components_of_this_test:{config}",
        **changes,
    }
    return Component(**fields)


def test_a_sound_component_passes():
    testing.check_component(component("TakingItsPart"))


@pytest.mark.parametrize(
    ("made", "complaint"),
    [
        (component(name="My Encoder"), "has to be lower case"),
        (component(summary="Two\nlines"), "has to be one line"),
        (component(summary=""), "has to be one line"),
        (component(config="OpenConfig"), "has to set model_config"),
        (component(config="UndescribedConfig"), "Option 'width' .* has no description"),
        (component(config="Encoder"), "is no pydantic model"),
        (component("TakingItsPart", kind="reader"), "is no Reader"),
        (component("Undocumented"), "has no docstring"),
        (component("Abstract"), "does not implement build"),
        (component("TakingNoParts"), r"cannot be built as TakingNoParts\(config, encoder=…\)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_broken_component_is_caught(made, complaint):
    with pytest.raises(AssertionError, match=complaint):
        testing.check_component(made)


def test_the_class_of_a_component_that_is_not_available_is_not_loaded():
    reason = {"no_such_library": "it has no build for this Python"}
    testing.check_component(component("NoSuchClass", requires=reason))
    with pytest.raises(PluginError, match="could not be loaded"):
        testing.check_component(component("NoSuchClass"))


def plugin(folder: Path, name: str, text: str) -> str:
    folder.joinpath(f"{name}.py").write_text(text)
    return name


ANNOUNCES = """
from rdfc_core import Component, hookimpl
rdfc_interface = 1
@hookimpl
def rdfc_components():
    return [Component(
        "image_encoder", "small", "A small network",
        "rdfc_core.scaffold.templates.image_encoder.encoder:Example",
        "rdfc_core.scaffold.templates.image_encoder.config:ExampleConfig")]
"""


def test_a_sound_plugin_passes_by_module_and_by_distribution(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    testing.check_plugin(plugin(tmp_path, "sound_plugin", ANNOUNCES))
    testing.check_plugin("rdfc-encoder-timm")


LISTENS = """
from rdfc_core import hookimpl
rdfc_interface = 1
@hookimpl
def rdfc_epoch_ended(metrics): pass
"""


def test_a_plugin_of_hooks_alone_passes(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    testing.check_plugin(plugin(tmp_path, "listening_plugin", LISTENS))


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        (
            "nameless_listener",
            LISTENS.replace("rdfc_interface = 1", ""),
            "does not say for which interface",
        ),
        ("heavy_listener", f"import torch{LISTENS}", "reading its options loads torch"),
        ("misspelt_listener", LISTENS.replace("(metrics)", "(metric)"), "Give the hook the arg"),
        ("broken_plugin", "import no_such_library", "ModuleNotFoundError"),
        ("silent_plugin", "rdfc_interface = 1", "announces no component"),
        (
            "nameless_interface",
            ANNOUNCES.replace("rdfc_interface = 1", ""),
            "does not say for which interface",
        ),
        ("heavy_plugin", f"import torch{ANNOUNCES}", "reading its options loads torch"),
        ("future_plugin", ANNOUNCES.replace("= 1", "= 99"), "written for interface 99"),
        (
            "hooked_plugin",
            f"{ANNOUNCES}\n@hookimpl\ndef rdfc_componnents(): return []",
            "Correct its name",
        ),
    ],
)
def test_a_broken_plugin_is_caught(name, text, complaint, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(AssertionError, match=complaint):
        testing.check_plugin(plugin(tmp_path, name, text))


def test_a_distribution_without_entry_points_is_caught():
    with pytest.raises(AssertionError, match="has no entry point of the group rdfc"):
        testing.check_plugin("numpy")


def test_a_plugin_that_is_not_installed_is_named():
    with pytest.raises(AssertionError, match="rdfc-no-such is neither an installed distribution"):
        testing.check_plugin("rdfc-no-such")
