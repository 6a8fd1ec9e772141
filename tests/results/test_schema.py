"""The published JSON Schema of results.json, against what runs really write."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from rdfc_core.results.schema import Results

SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "results.schema.json"


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_the_published_schema_is_that_of_the_code():
    published = json.loads(SCHEMA.read_text(encoding="utf-8"))
    del published["$schema"]
    assert published == Results.model_json_schema(mode="serialization")


@pytest.mark.parametrize("run", ["finished", "finished_tables"])
def test_the_results_of_a_run_follow_the_schema(run, validator, request):
    folder = request.getfixturevalue(run)
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert results["rows"]
    assert list(validator.iter_errors(results)) == []


def test_other_results_do_not(finished, validator):
    results = json.loads((finished / "results.json").read_text(encoding="utf-8"))
    for place, key, value in (
        (0, "mean", "high"),
        (0, "n_cases", None),
        (0, "not-a-field", 1),
    ):
        changed = copy.deepcopy(results)
        changed["rows"][place][key] = value
        assert not validator.is_valid(changed), key
    del results["rows"][0]["metric"]
    assert not validator.is_valid(results)


def test_every_field_is_described():
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    for model in (schema, *schema["$defs"].values()):
        for name, field in model["properties"].items():
            assert field.get("description"), name
