"""The extractor ``ibsi`` against the IBSI's consensus values, where the phantoms are at hand."""

from pathlib import Path

import pytest

from rdfc_features_native.ibsi.vocabulary import FAMILIES, names_of
from tests.support import ibsi_reference, ibsi_responses
from tests.support.generated_blocks import block
from tests.support.ibsi_reference import CONFIGURATIONS
from tests.support.ibsi_responses import RESPONSES
from tests.support.ibsi_tables import feature_table, response_table, value_table

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "ibsi.md"

EXPECTED = {"digital": 482, "A": 346, "B": 346, "C": 210, "D": 210, "E": 210}
"""Consensus values that each file has for the features of chapter 1."""


@pytest.fixture(scope="module")
def place() -> Path:
    found = ibsi_reference.folder()
    if found is None:
        pytest.skip(ibsi_reference.ABSENT)
    return found


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_every_consensus_value_is_met_within_its_tolerance(name, place):
    compared = ibsi_reference.comparisons(place, name)
    assert len(compared) == EXPECTED[name]
    assert [one for one in compared if not one.within] == []


@pytest.mark.parametrize("number", RESPONSES)
def test_every_response_map_is_the_reference_one(number, place):
    assert ibsi_responses.deviation(place, number).within


def test_every_reference_map_is_compared(place):
    files = (place / "ibsi_2_reference_response_maps").glob("*.nii.gz")
    assert {file.name.split("_CT_")[1].split("_")[0] for file in files} == set(RESPONSES)


def test_a_file_of_reference_values_has_no_feature_that_the_extractor_lacks(place):
    known = {feature.tag for features in FAMILIES.values() for feature in features}
    for configuration in CONFIGURATIONS.values():
        for tag in ibsi_reference.reference_values(place, configuration):
            family = tag.split("_")[0]
            if family in ("morph", "loc", "stat", "ih", "ivh") and "mask" not in tag:
                assert tag in known
            if family in ("cm", "rlm", "szm", "dzm", "ngt", "ngl"):
                stem, _, _ = tag.replace("_2_5D", "_3D").replace("_2D", "_3D").partition("_3D")
                assert stem in known


def test_names_and_identifiers_are_unique():
    features = [feature for family in FAMILIES.values() for feature in family]
    assert len(features) == 173
    assert len({feature.identifier for feature in features}) == 173
    assert all(len(feature.identifier) == 4 for feature in features)
    for family in FAMILIES:
        assert len(set(names_of(family))) == len(names_of(family))


def test_the_page_names_every_feature_with_its_identifier():
    assert block(PAGE.read_text(encoding="utf-8"), "features") == "\n".join(feature_table())


def test_the_page_tells_what_complies(place):
    compared = {name: ibsi_reference.comparisons(place, name) for name in CONFIGURATIONS}
    assert block(PAGE.read_text(encoding="utf-8"), "values") == "\n".join(value_table(compared))


def test_the_page_tells_how_far_each_response_map_is(place):
    deviations = {number: ibsi_responses.deviation(place, number) for number in RESPONSES}
    assert block(PAGE.read_text(encoding="utf-8"), "maps") == "\n".join(response_table(deviations))
