"""What a plugin announces, and how a study names it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from rdfc_core import Component, Part, PluginError
from rdfc_core.plugin.part_text import parse_part, set_nested


@pytest.mark.parametrize(
    ("text", "name", "options"),
    [
        ("timm", "timm", {}),
        (
            "timm:model=resnet18,size=[64,64]",
            "timm",
            {"model": "resnet18", "size": [64, 64]},
        ),
        ("timm:pretrained=true,drop_rate=0.1", "timm", {"pretrained": True, "drop_rate": 0.1}),
        ("manifest:root=/data/a=b,sep=';'", "manifest", {"root": "/data/a=b", "sep": ";"}),
        ("manifest:root=C:/data", "manifest", {"root": "C:/data"}),
        ("a:x={b: 1, c: [2, 3]},y='1,2'", "a", {"x": {"b": 1, "c": [2, 3]}, "y": "1,2"}),
        ("a:inner.deep=1,inner.flat=2", "a", {"inner": {"deep": 1, "flat": 2}}),
        (" a : x = 1 , ", "a", {"x": 1}),
        ("a:x=", "a", {"x": None}),
    ],
)
def test_shorthand_is_read_as_name_and_yaml_options(text, name, options):
    assert parse_part(text) == {"name": name, "options": options}
    part = Part.model_validate(text)
    assert (part.name, part.options) == (name, options)


def test_a_part_is_the_same_from_shorthand_and_mapping():
    written = Part.model_validate({"name": "timm", "model": "resnet18", "size": [64, 64]})
    assert written == Part.model_validate("timm:model=resnet18,size=[64,64]")
    assert written.model_dump() == {"name": "timm", "model": "resnet18", "size": [64, 64]}
    assert Part.model_validate(written.model_dump()) == written


@pytest.mark.parametrize("text", ["timm:model", "timm:model=[1,2", "timm:model='open", ":x=1", ""])
def test_shorthand_that_cannot_be_read_is_refused_by_validation(text):
    with pytest.raises(ValidationError):
        Part.model_validate(text)


def test_nested_values_are_set_through_shorthand_on_the_way():
    study = {"views": {"image": {"encoder": "timm:model=resnet18"}}}
    set_nested(study, "views.image.encoder.pretrained", True)
    set_nested(study, "pretrain.epochs", 3)
    assert study == {
        "views": {"image": {"encoder": {"name": "timm", "model": "resnet18", "pretrained": True}}},
        "pretrain": {"epochs": 3},
    }


def test_a_plain_value_on_the_way_is_named():
    with pytest.raises(ValueError, match=r"pretrain\.epochs is 3, which holds no options"):
        set_nested({"pretrain": {"epochs": 3}}, "pretrain.epochs.first", 1)


def test_an_unknown_kind_is_refused_with_the_known_ones():
    with pytest.raises(PluginError, match=r"kind 'encoder'.*image_encoder"):
        Component("encoder", "x", "X", "a:B")  # type: ignore[arg-type]


def test_announcing_a_component_does_not_import_it():
    Component("view", "x", "X", "this_module_is_nowhere:X", requires={"nor_is_this": "no build"})
    assert "this_module_is_nowhere" not in sys.modules


def test_a_component_whose_requirement_is_missing_says_why_and_does_not_load():
    component = Component("view", "x", "X", "a:B", requires={"no_such_module": "it has no build"})
    assert component.unavailable == "it has no build"
    with pytest.raises(PluginError, match="view 'x' is not available: it has no build"):
        component.load()
    nested = Component("view", "x", "X", "a:B", requires={"no_such.inner": "it has no build"})
    assert nested.unavailable == "it has no build"
    there = Component("view", "x", "X", "json:loads", requires={"json.decoder": "never said"})
    assert there.unavailable is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("raise RuntimeError('libfoo is too old')", "RuntimeError: libfoo is too old"),
        ("import no_such_library", "No module named 'no_such_library'"),
        ("Klass = 1", "has no attribute 'Class'"),
        ("def broken(:", "SyntaxError"),
    ],
)
def test_a_component_that_fails_to_import_is_named_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, reason: str
):
    (tmp_path / "half_written.py").write_text(content, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "half_written", raising=False)
    component = Component("image_encoder", "half", "Half", "half_written:Class")
    with pytest.raises(PluginError) as caught:
        component.load()
    assert str(caught.value).startswith("The image encoder 'half' could not be loaded from")
    assert reason in str(caught.value)


def test_a_component_without_options_refuses_any():
    config = Component("view", "x", "X", "a:B").load_config()
    assert config().model_dump() == {}
    with pytest.raises(ValidationError):
        config(width=3)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", None),
        ("name", 3),
        ("summary", ["a"]),
        ("target", None),
        ("config", b"a:b"),
        ("requires", ["numpy"]),
        ("requires", {"numpy": None}),
        ("requires", {"": "It needs nothing"}),
    ],
)
def test_a_component_of_other_types_is_refused_when_it_is_announced(field, value):
    sound = {"kind": "view", "name": "a", "summary": "A", "target": "a:A", "config": "a:C"}
    with pytest.raises(PluginError, match="Upgrade or report the plugin"):
        Component(**{**sound, field: value})
