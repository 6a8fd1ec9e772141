"""Runs that break a rule, made of a sound run folder by changing what a breach would change."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import yaml
from safetensors.numpy import load_file, save_file

from rdfc_core.results.case_set import CaseSet

Breach = Callable[[Path], None]
MODEL = "model/holdout"


def edit_results(run: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change ``results.json``."""
    path = run / "results.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    change(found)
    path.write_text(json.dumps(found), encoding="utf-8")


def edit_study(run: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change ``study.yaml``."""
    path = run / "study.yaml"
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(found)
    path.write_text(yaml.safe_dump(found), encoding="utf-8")


def edit_model(run: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change ``model.json``."""
    path = run / MODEL / "model.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    change(found)
    path.write_text(json.dumps(found), encoding="utf-8")


def edit_weights(run: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the weights, and their checksum."""
    path = run / MODEL / "weights.safetensors"
    arrays = load_file(path)
    change(arrays)
    save_file(arrays, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    edit_model(run, lambda about: about.update(sha256=digest))


def rows(run: Path) -> list[dict[str, str]]:
    """``cases.csv``."""
    with (run / "cases.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_rows(run: Path, found: list[dict[str, str]]) -> None:
    """Replace ``cases.csv``."""
    with (run / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(found[0]))
        writer.writeheader()
        writer.writerows(found)


def without_rows(*methods: str) -> Breach:
    """Drop the scores of some methods."""

    def breach(run: Path) -> None:
        def change(found: dict[str, Any]) -> None:
            found["rows"] = [row for row in found["rows"] if row["method"] not in methods]

        edit_results(run, change)

    return breach


def without_metric(*metrics: str) -> Breach:
    """Drop some metrics."""

    def breach(run: Path) -> None:
        def change(found: dict[str, Any]) -> None:
            found["rows"] = [row for row in found["rows"] if row["metric"] not in metrics]

        edit_results(run, change)

    return breach


def no_holdout(run: Path) -> None:
    """Nothing is held back: every case trains."""
    found = rows(run)
    for row in found:
        row["holdout"] = row["holdout"].replace("test", "train")
    write_rows(run, found)
    (run / "predictions.parquet").unlink()


def on_both_sides(column: str) -> Breach:
    """A training case shares a value of a column with a test case."""

    def breach(run: Path) -> None:
        found = rows(run)
        test = next(row for row in found if row["holdout"] == "test")
        next(row for row in found if row["holdout"] == "train")[column] = test[column]
        write_rows(run, found)

    return breach


def scaled_by_all(run: Path) -> None:
    """The features' scale is that of all cases, and the model's own record does not say so."""
    names = [n for n in pq.read_schema(run / "features.parquet").names if n.startswith("radiomics")]
    table = pq.read_table(run / "features.parquet", columns=names)
    values = np.column_stack([table[name].to_numpy() for name in names]).astype(np.float64)

    def change(arrays: dict[str, Any]) -> None:
        arrays["view.radiomics.mean"] = np.nanmean(values, axis=0)

    edit_weights(run, change)


def learnt_from_all(part: str) -> Breach:
    """A part of the model has learnt from all cases, those of the test part included."""

    def breach(run: Path) -> None:
        contents = {row["case_id"]: row["fingerprint"] for row in rows(run)}
        every = CaseSet.of(contents, contents).model_dump()
        edit_model(run, lambda about: about["learnt_from"].update({part: every}))

    return breach


def chosen_by_test(run: Path) -> None:
    """The choice of the model had the labels of the test part."""
    count = len([row for row in rows(run) if row["label"]])

    def change(found: dict[str, Any]) -> None:
        for one in found["selections"]:
            one["labelled_cases"] = count

    edit_results(run, change)


def no_intervals(run: Path) -> None:
    """No score was resampled."""

    def change(found: dict[str, Any]) -> None:
        for row in found["rows"]:
            row["ci_low"] = row["ci_high"] = None

    edit_results(run, change)


def no_tests(run: Path) -> None:
    """No two methods were compared."""

    def change(found: dict[str, Any]) -> None:
        found["comparisons"], found["headline"]["against"] = [], []

    edit_results(run, change)


def no_probabilities(run: Path) -> None:
    """Predictions are gone."""
    (run / "predictions.parquet").unlink()


def no_explanations(run: Path) -> None:
    """Nothing is explained."""
    edit_results(run, lambda found: found.update(importance=[]))
    (run / "attention.parquet").unlink()


def no_models(run: Path) -> None:
    """No model is kept."""
    shutil.rmtree(run / "model")


def damaged_weights(run: Path) -> None:
    """A bit of the weights has turned over."""
    path = run / MODEL / "weights.safetensors"
    found = bytearray(path.read_bytes())
    found[-1] ^= 1
    path.write_bytes(bytes(found))


def no_recipes(run: Path) -> None:
    """The model does not say what made it."""
    edit_model(run, lambda about: about.pop("made_by"))


def no_setting(key: str) -> Breach:
    """The recipe of the features lacks something."""

    def breach(run: Path) -> None:
        def change(about: dict[str, Any]) -> None:
            extractor = about["made_by"]["recipes"]["radiomics"]["extractor"]
            own = extractor["parameters"]
            for parameters in (own, *(one for one in own.values() if isinstance(one, dict))):
                parameters.pop(key, None)

        edit_model(run, change)

    return breach


def no_versions(run: Path) -> None:
    """No version was recorded."""
    edit_study(run, lambda found: found.pop("versions"))
    edit_model(run, lambda about: about["made_by"].update(versions={}))


def a_feature_fewer(run: Path) -> None:
    """The table of features lacks one that the model knows."""
    table = pq.read_table(run / "features.parquet")
    last = [name for name in table.column_names if name.startswith("radiomics.")][-1]
    pq.write_table(table.drop_columns([last]), run / "features.parquet")


def no_features(run: Path) -> None:
    """There is no table of features."""
    (run / "features.parquet").unlink()


def failed_without_reason(run: Path) -> None:
    """A case was left out, and no reason is kept."""
    found = rows(run)
    found[0]["failed"] = "yes"
    write_rows(run, found)


def no_class_counts(run: Path) -> None:
    """Classes were not counted."""
    edit_results(run, lambda found: found["dataset"].update(per_class={}))


def no_record_of_training(run: Path) -> None:
    """What was measured while training is gone."""
    (run / "metrics.jsonl").unlink()


def no_uses(run: Path) -> None:
    """It is not said what cases were used for."""
    edit_results(run, lambda found: found["dataset"].update(uses=[]))


def no_list_of_cases(run: Path) -> None:
    """The list of cases is gone."""
    (run / "cases.csv").unlink()


def no_case_definition(run: Path) -> None:
    """The model does not say what its cases are."""
    edit_model(run, lambda about: about.pop("cases"))


def evaluated_others(run: Path) -> None:
    """The record of evaluations is of other cases."""
    path = run / "evaluations.jsonl"
    line = json.loads(path.read_text(encoding="utf-8").splitlines()[0])
    line["test"]["holdout"]["sha256"] = "0" * 64
    path.write_text(json.dumps(line) + "\n", encoding="utf-8")
