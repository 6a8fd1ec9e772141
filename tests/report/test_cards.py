"""Model card and dataset card: what stands in them is in the results."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import yaml

from rdfc_core.report import write_report
from rdfc_core.report.cards.markdown import plain


def test_every_report_writes_both_cards_beside_the_models(finished, tmp_path):
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    write_report(run)
    model = (run / "model" / "model-card.md").read_text(encoding="utf-8")
    results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    about = yaml.safe_load(model.split("---")[1])
    assert about["library_name"] == "rdfc"
    main = results["headline"]["main"]
    own = [r for r in results["rows"] if all(r[k] == v for k, v in main.items())]
    assert about["metrics"] == [row["metric"] for row in own]
    for row in own:
        shown = plain(f"{row['mean']:.3f} [{row['ci_low']:.3f}, {row['ci_high']:.3f}]")
        assert shown in model
    for heading in ("Intended use", "Training data", "Limits", "Calibration", "How to use it"):
        assert f"\n## {heading}\n" in model
    for warning in results["warnings"]:
        assert plain(warning) in model


def test_the_dataset_card_counts_what_the_list_of_cases_has(finished, tmp_path):
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    write_report(run)
    card = (run / "model" / "dataset-card.md").read_text(encoding="utf-8")
    with (run / "cases.csv").open(newline="", encoding="utf-8") as file:
        cases = list(csv.DictReader(file))
    for part, name in (("test", "test"), ("train", "training with labels")):
        own = [row for row in cases if row["holdout"] == part]
        counts = [sum(row["label"] == label for row in own) for label in ("benign", "malignant")]
        patients = len({row["patient_id"] for row in own})
        assert (
            f"| holdout | {name} | {len(own)} | {patients} | {counts[0]} | {counts[1]} | 0 |"
            in card
        )
    assert not any(row["patient_id"] in card for row in cases)
    assert f"Equal image as an earlier case: 0 cases of {len(cases)}." in card


def test_a_pixel_is_as_large_as_the_files_say(finished, tmp_path):
    """Pictures without a spacing: a pixel is 1 mm² there."""
    images = json.loads((finished / "results.json").read_text("utf-8"))["dataset"]["images"]
    assert images["sample_size"] == [1.0, 1.0, 1.0]
    assert [low <= middle <= high for low, middle, high in images["box_mm"]] == [True, True]


def test_names_are_no_markup():
    assert plain("a|b\n<i>*c*") == "a\\|b &lt;i&gt;\\*c\\*"


def test_a_run_without_results_has_no_cards(finished, tmp_path):
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    (run / "results.json").unlink()
    for card in (run / "model").glob("*.md"):
        card.unlink()
    write_report(run)
    assert not list((run / "model").glob("*.md"))
