"""Groups of layers: named, found, refused."""

from __future__ import annotations

from typing import Any

import pytest

from rdfc_core import StudyError
from rdfc_core.config.supervised_settings import Tuning
from rdfc_core.interfaces import Tower
from rdfc_core.models.layer_groups import modules, plan
from tests.support import small_setup

RADIOMICS = [("radiomics", f"layer{i}") for i in (1, 2, 3)]
IMAGE = [("image", str(i)) for i in range(6)]  # children of the small network


@pytest.fixture(scope="module")
def towers() -> dict[str, Tower]:
    views = small_setup.views()
    prepared = small_setup.noise(4, 0)
    for name, view in views.items():
        view.fit(prepared[name])
    return {name: view.tower() for name, view in views.items()}


def made(towers: Any, **options: Any) -> Any:
    return plan(Tuning(name="own", **options), towers)


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("image.3", [IMAGE[3]]),
        ("image.last", IMAGE[-1:]),
        ("image.last-3", IMAGE[-3:]),
        ("image", IMAGE),
        ("radiomics.layer2", [RADIOMICS[1]]),
        ("radiomics.last-2", RADIOMICS[1:]),
    ],
)
def test_groups_are_found_by_name_by_place_and_by_view(towers, name, groups):
    for option in ("freeze", "reinit"):
        assert getattr(made(towers, **{option: [name]}), option) == frozenset(groups)
    assert made(towers, lr_scale={name: 0.1}).scale == dict.fromkeys(groups, 0.1)


def test_settings_with_a_name_are_what_they_say(towers):
    last = frozenset([IMAGE[-1], *RADIOMICS[1:]])
    assert plan(Tuning(name="paper"), towers).reinit == last
    assert not plan(Tuning(name="paper"), towers).freeze
    assert plan(Tuning(name="paper-frozen"), towers).freeze == last
    assert plan(Tuning(name="frozen"), towers).freeze == frozenset(IMAGE + RADIOMICS)
    assert made(towers, head_init="probe").probed
    assert plan(Tuning(name="lp-ft"), towers) == made(towers, head_init="probe")
    nothing = plan(Tuning(name="all"), towers)
    assert not nothing.probed
    assert (nothing.freeze, nothing.reinit, nothing.scale) == (frozenset(), frozenset(), {})


def test_the_head_has_a_factor_of_its_own_and_later_names_win(towers):
    found = made(towers, lr_scale={"head": 5, "image": 0.1, "image.last": 0.5})
    assert found.head == 5
    assert found.scale[IMAGE[-1]] == 0.5
    assert found.scale[IMAGE[0]] == 0.1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"freeze": ["radiomics.layer4"]}, r"no group 'radiomics.layer4'\. Did you mean 'radiomi"),
        ({"reinit": ["imag.3"]}, r"Did you mean 'image\.3'\? Known here: radiomics\.layer1, "),
        ({"lr_scale": {"image.last-7": 1}}, "no group 'image.last-7'"),
        ({"freeze": ["image.last-0"]}, "no group 'image.last-0'"),
        ({"freeze": ["head"]}, "'head' is no group of a tower: it always learns"),
        ({"freeze": ["image"], "reinit": ["image.last"]}, r"image\.5 can not both keep"),
    ],
)
def test_unknown_and_contradictory_groups_are_refused(towers, options, message):
    with pytest.raises(StudyError, match=message):
        made(towers, **options)


def test_the_layers_of_groups_are_the_tower_s_own(towers):
    found = modules(towers, frozenset([RADIOMICS[1], IMAGE[0]]))
    assert found == [towers["radiomics"].layer2, towers["image"].network[0]]
