"""The report as a document: what it says, what cannot do harm in it, what it leaves out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import confusion_matrix, roc_auc_score

from rdfc_core.report import write_report
from tests.support.html_page import Page
from tests.support.run_folders import Folder


def page_of(folder: Path) -> Page:
    return Page((folder / "report.html").read_text(encoding="utf-8"))


def predictions_of(folder: Path, method: str = "rdfc") -> list[dict[str, Any]]:
    rows = pq.read_table(folder / "predictions.parquet").to_pylist()
    return [row for row in rows if row["method"] == method]


@pytest.mark.parametrize("name", ["two_classes", "four_classes"])
def test_hostile_names_stay_text_everywhere(name, request):
    folder = request.getfixturevalue(name)
    page = page_of(folder.path)
    tags = Counter(tag for tag, _ in page.tags)
    attributes = [(tag, key, value) for tag, found in page.tags for key, value in found.items()]

    assert tags["script"] == 2
    assert not tags.keys() & {"iframe", "object", "embed", "form", "b onload", "base"}
    assert [key for _, key, _ in attributes if key.startswith("on")] == []
    sources = [value for _, key, value in attributes if key in ("src", "href", "xlink:href")]
    assert all(value.startswith(("data:image/", "data:,", "#")) for value in sources)
    cases = json.loads(page.data["map-cases"])
    assert set(folder.hostile_ids) <= {case["id"] for case in cases}
    assert {case["label"] for case in cases} == {*folder.classes, "unlabelled"}
    for label in folder.classes:
        assert label in page.text
    assert "<img src=x onerror=alert(6)>" in page.text
    assert "2 cases could not be used <script>alert(7)</script>" in page.text


def test_nothing_is_fetched_from_elsewhere(two_classes):
    html = (two_classes.path / "report.html").read_text(encoding="utf-8")
    outside_text = re.sub(r">[^<]*<", "><", html)
    assert not re.search(r"(?:src|href|action)\s*=\s*[\"']?\s*(?:https?:)?//", outside_text)
    assert not re.search(r"@import|url\(\s*[\"']?(?!#)", html)
    policy = next(a["content"] for t, a in page_of(two_classes.path).tags if "http-equiv" in a)
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_same_folder_gives_the_same_bytes_without_torch_or_pyplot(two_classes):
    before = (two_classes.path / "report.html").read_bytes()
    script = (
        "import sys; from pathlib import Path; from rdfc_core.report import write_report;"
        "write_report(Path(sys.argv[1]));"
        "print([m for m in ('torch', 'matplotlib.pyplot', 'SimpleITK') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(two_classes.path)],
        env={**os.environ, "PYTHONHASHSEED": "12345"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
    assert (two_classes.path / "report.html").read_bytes() == before


def test_importing_the_report_loads_nothing_heavy():
    script = (
        "import sys, rdfc_core.report, rdfc_core.views.thumbnail;"
        "print([m for m in ('torch', 'matplotlib', 'sklearn', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_matplotlib_settings_of_the_user_neither_change_nor_matter(two_classes):
    before = (two_classes.path / "report.html").read_bytes()
    with mpl.rc_context({"lines.linestyle": ":", "lines.linewidth": 9, "xtick.labelsize": 30}):
        settings = dict(mpl.rcParams)
        write_report(two_classes.path)
        assert dict(mpl.rcParams) == settings
    assert (two_classes.path / "report.html").read_bytes() == before


def test_report_replaces_an_older_one_and_leaves_nothing_beside_it(tmp_path):
    Folder(tmp_path).write_study()
    (tmp_path / "report.html").write_text("old", encoding="utf-8")
    path = write_report(tmp_path)
    assert path == tmp_path / "report.html"
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["report.html", "study.yaml"]


def test_lone_surrogate_in_a_name_does_not_stop_the_report(tmp_path):
    (tmp_path / "results.json").write_text('{"warnings": ["half \\ud800 a pair"]}')
    assert "half ? a pair" in write_report(tmp_path).read_text(encoding="utf-8")


def test_headline_gives_the_learnt_method_with_its_interval(two_classes):
    rows = json.loads((two_classes.path / "results.json").read_text())["rows"]
    row = next(r for r in rows if (r["method"], r["metric"]) == ("rdfc", "f1_weighted"))
    expected = (
        f"rdfc reaches a weighted F1 of {row['mean']:.3f} "
        f"[{row['ci_low']:.3f}, {row['ci_high']:.3f}] on {row['n_cases']} held-back cases "
        "(both views, features, logistic regression)."
    )
    assert expected in page_of(two_classes.path).text


def test_every_score_of_results_json_stands_in_a_table(four_classes):
    text = page_of(four_classes.path).text
    for row in json.loads((four_classes.path / "results.json").read_text())["rows"]:
        assert f"{row['mean']:.3f} [{row['ci_low']:.3f}, {row['ci_high']:.3f}]" in text
    assert text.count("published 0.829") == 1  # in the chart; the table has a column for them
    assert text.count("0.829") == 2
    assert "Means over 5 folds." in text


def test_label_efficiency_is_drawn_from_the_best_variant_at_each_share(tmp_path):
    row = {
        "table": "label-efficiency",
        "dataset": "d",
        "input": "both",
        "layer": "features",
        "classifier": "logistic",
        "metric": "f1_weighted",
        "sd": 0.01,
        "ci_low": None,
        "ci_high": None,
        "n_cases": 40,
        "folds": 1,
        "seeds": 4,
    }
    scores = [
        ("rdfc", "both", 0.05, 0.788),
        ("rdfc", "image", 0.05, 0.741),
        ("rdfc", "both", 0.2, 0.843),
        ("rdfc", "both", 1.0, 0.908),
        ("hybrid-scratch", "both", 0.05, 0.755),
        ("hybrid-scratch", "both", 1.0, 0.914),
    ]
    rows = [
        {**row, "method": method, "input": source, "label_fraction": share, "mean": mean}
        for method, source, share, mean in scores
    ]
    (tmp_path / "results.json").write_text(json.dumps({"rows": rows}), encoding="utf-8")
    write_report(tmp_path)
    page = page_of(tmp_path)
    (plot,) = (a["aria-label"] for a in page.with_class("plot"))
    assert plot.replace("\u00a0", " ") == (
        "Weighted F1 over the share of labels. rdfc 5 %: 0.788, 20 %: 0.843, 100 %: 0.908; "
        "hybrid-scratch 5 %: 0.755, 100 %: 0.914"
    )
    assert "0.741 ± 0.010" in page.text
    assert "up to 4 repeats of what depends on chance" in page.text


def test_curves_end_at_all_labels_and_say_how_many_labels_others_need(tmp_path):
    row = {
        "dataset": "d",
        "input": "both",
        "layer": "features",
        "classifier": "head",
        "metric": "f1_weighted",
        "sd": 0.01,
        "ci_low": None,
        "ci_high": None,
        "n_cases": 40,
        "folds": 1,
        "seeds": 3,
    }
    places = {0.05: "label-efficiency", 0.2: "label-efficiency", 1.0: "supervised"}
    rows = [
        {**row, "method": method, "label_fraction": share, "mean": mean, "table": places[share]}
        for method, means in {
            "hybrid-finetune": (0.7, 0.8, 0.9),
            "hybrid-scratch": (0.6, 0.7, 0.8),
        }.items()
        for share, mean in zip(places, means, strict=True)
    ]
    told = {"method": "hybrid-finetune", "reference": "hybrid-scratch", "least": 0.05}
    radiomics = {**told, "reference": "radiomics", "share": 0.4, "ci_low": 0.3, "ci_high": 0.5}
    needed = [
        {**told, "label_fraction": 0.05, "share": 0.21, "ci_low": 0.05, "ci_high": None},
        {**told, "label_fraction": 0.2, "share": None, "ci_low": 0.5, "ci_high": None},
        {**radiomics, "label_fraction": 0.2},
    ]
    (tmp_path / "results.json").write_text(
        json.dumps({"rows": rows, "labels_needed": needed}), encoding="utf-8"
    )
    write_report(tmp_path)
    page = page_of(tmp_path)
    curves, told_plot = (a["aria-label"].replace("\u00a0", " ") for a in page.with_class("plot"))
    assert curves == (
        "Weighted F1 over the share of labels. hybrid-finetune 5 %: 0.700, 20 %: 0.800, "
        "100 %: 0.900; hybrid-scratch 5 %: 0.600, 20 %: 0.700, 100 %: 0.800"
    )
    scratch = (
        "As good as hybrid-finetune with 5 %: hybrid-scratch with 21 % [at most 5 % to more than "
        "100 %], 4.2 times as many. As good as hybrid-finetune with 20 %: hybrid-scratch with "
        "more than 100 % [50 % to more than 100 %]."
    )
    also = "As good as hybrid-finetune with 20 %: radiomics with 40 % [30 % to 50 %], 2 times"
    assert told_plot == f"Labels needed. {scratch} {also} as many."
    text = page.text.replace("\u00a0", " ")
    assert scratch in text  # the caption has the first reference alone
    assert also not in text


def test_cases_are_counted_by_class_and_part(two_classes):
    text = page_of(two_classes.path).text
    held_back = Counter(two_classes.labels[i] for i in two_classes.test["holdout"])
    for label in two_classes.classes:
        total = two_classes.labels.count(label)
        train = total - held_back[label]
        assert re.search(rf"{label} ?{total} ?0 ?{train} ?{held_back[label]} ", text)
    assert "case-900" in text
    assert "the image is cut short" in text
    assert "log-sigma-5_<glcm>_Idn" in text


def test_training_draws_loss_and_the_known_signs_only(two_classes):
    page = page_of(two_classes.path)
    plots = [a["aria-label"] for a in page.with_class("plot")]
    assert plots[0] == "Training loss over the epochs: 6.52 → 2.09."
    assert [p.split(" over")[0] for p in plots[1:6]] == [
        "Alignment",
        "Uniformity",
        "Effective rank",
        "Cosine of different cases",
        "Retrieval",
    ]
    assert "radiomics: 0.475 → 0" in plots[4]  # epoch 1 is NaN: the curve begins with epoch 2
    assert "something_else" not in page.text
    assert "40 epochs; 2 s an epoch (median); learning rate 0.003 to 0.0003." in page.text


def test_roc_states_the_area_that_scikit_learn_finds(two_classes):
    plots = [a["aria-label"] for a in page_of(two_classes.path).with_class("plot")]
    roc = next(p for p in plots if p.startswith("ROC"))
    for method in ("rdfc", "radiomics", "shape-only"):
        rows = predictions_of(two_classes.path, method)
        area = roc_auc_score(
            [row["label"] == "malignant" for row in rows],
            [row["probabilities"][1] for row in rows],
        )
        assert f"{method}, AUROC {area:.3f}" in roc


def test_roc_of_several_classes_is_one_against_the_rest(four_classes):
    plots = [a["aria-label"] for a in page_of(four_classes.path).with_class("plot")]
    roc = next(p for p in plots if p.startswith("ROC"))
    rows = predictions_of(four_classes.path)
    for place, label in enumerate(four_classes.classes):
        area = roc_auc_score(
            [row["label"] == label for row in rows], [r["probabilities"][place] for r in rows]
        )
        assert f"{label}, AUROC {area:.3f}" in roc


def test_confusion_matrix_is_that_of_scikit_learn(four_classes):
    html = (four_classes.path / "report.html").read_text(encoding="utf-8")
    table = html.split('class="confusion"')[1].split("</table>")[0]
    counts = [int(n) for n in re.findall(r"<b>(\d+)</b>", table)]
    rows = predictions_of(four_classes.path)
    expected = confusion_matrix(
        [row["label"] for row in rows],
        [row["predicted"] for row in rows],
        labels=list(four_classes.classes),
    )
    assert counts == expected.ravel().tolist()


def test_wrong_cases_are_the_surest_wrong_ones_in_order(two_classes):
    html = (two_classes.path / "report.html").read_text(encoding="utf-8")
    gallery = Page(html.split('class="gallery wrong surest"')[1].split("</ul>")[0]).text
    wrong = [r for r in predictions_of(two_classes.path) if r["label"] != r["predicted"]]
    wrong.sort(key=lambda row: -max(row["probabilities"]))
    places = [
        gallery.index(" ".join(row["case_id"].replace("\x00", "\ufffd").split()))
        for row in wrong[:12]
    ]
    assert places == sorted(places)
    assert f"{100 * max(wrong[0]['probabilities']):.0f} %" in gallery


def test_map_shows_every_case_once_and_rings_those_held_back(four_classes):
    page = page_of(four_classes.path)
    cases = json.loads(page.data["map-cases"])
    assert Counter(case["id"] for case in cases) == Counter(four_classes.case_ids)
    assert len(page.with_class("point")) == len(four_classes.case_ids)
    assert len(page.with_class("test")) == len(four_classes.test["fold-1"])
    assert all(case["picture"] for case in cases)
    assert "Shown is the split “fold-1” of 5:" in page.text


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("metrics.jsonl", "No epoch has been trained yet. This step makes it: rdfc pretrain"),
        ("results.json", "Nothing has been evaluated yet. This step makes it: rdfc evaluate"),
        ("predictions.parquet", "no predictions for held-back cases yet."),
        ("embeddings.parquet", "There are no embeddings yet. This step makes it: rdfc pretrain"),
        ("pictures.parquet", "no pictures of the cases. This step makes it: rdfc extract"),
        ("study.yaml", "The run keeps no study.yaml. This step makes it: rdfc run"),
    ],
)
def test_section_without_its_file_says_which_step_makes_it(two_classes, tmp_path, file, sentence):
    for source in two_classes.path.iterdir():
        if source.name not in (file, "report.html"):
            (tmp_path / source.name).write_bytes(source.read_bytes())
    assert sentence not in page_of(two_classes.path).text
    write_report(tmp_path)
    assert sentence in page_of(tmp_path).text


def test_report_of_300_cases_stays_light(tmp_path):
    rng = np.random.default_rng(0)
    folder = Folder(tmp_path, cases=300)
    folder.pictures = {c: noise_picture(rng) for c in folder.case_ids}
    assert write_report(folder.write()).stat().st_size < 5_000_000


def noise_picture(rng: np.random.Generator) -> bytes:
    """A thumbnail that no format can compress well."""
    from rdfc_core.case import Tumour, Volume
    from rdfc_core.views.thumbnail import thumbnail

    mask = np.zeros((128, 128), bool)
    mask[40:90, 40:90] = True
    return thumbnail(Tumour(Volume.of(rng.normal(size=mask.shape)), mask))
