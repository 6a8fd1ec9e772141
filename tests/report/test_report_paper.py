"""The report of ``evaluate: paper``: its tables, paired tests, curves and hard cases."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rdfc_core.evaluation.metrics import scores
from rdfc_core.report import write_report
from rdfc_core.report.figures import _apart
from rdfc_core.report.load import read_run
from rdfc_core.report.page import render
from rdfc_core.report.sections.attention import attention
from rdfc_core.report.sections.hard_cases import hard_cases
from rdfc_core.report.sections.importance import importance
from rdfc_core.report.sections.metric_tables import tables
from rdfc_core.report.sections.paired_tests import differences
from rdfc_core.report.sections.training import training
from rdfc_core.report.text import number, p_value
from rdfc_core.report.variants import judged
from tests.support.html_page import Page
from tests.support.paper_run import HARD, NETWORKS


@pytest.fixture(scope="module")
def run(paper):
    return read_run(paper)


@pytest.fixture(scope="module")
def html(paper):
    return (paper / "report.html").read_text(encoding="utf-8")


def plots_of(html, start):
    """What is read out in place of the figures whose description begins like this."""
    labels = (found["aria-label"] for found in Page(html).with_class("plot"))
    return [label for label in labels if label.startswith(start)]


def table_called(run, start):
    return next(table for table in tables(run, None) if table.title.startswith(start))


def test_each_method_is_judged_by_the_variant_named_beforehand_and_not_by_its_best(run):
    found = judged(run)
    assert found["linear", "rdfc"][2:] == ("both", "features", "logistic")  # image reaches 0.99
    assert found["linear", "simclr"].classifier == "logistic"  # neighbours reach 0.75
    assert found["supervised", "hybrid-finetune"].input == "paper"  # "all" reaches 0.97


def test_table_1_has_a_row_a_pretext_the_published_numbers_and_the_untrained_network(run):
    table = table_called(run, "Linear evaluation")
    assert table.front.columns == ("Weighted F1", "Published", "Cases")
    assert [(r.method, r.cells[:2]) for r in table.front.rows] == [
        ("rdfc", ("0.810 [0.760, 0.860]", "0.751")),
        ("simclr", ("0.700 [0.650, 0.750]", "–")),
        ("random-init", ("0.600 [0.550, 0.650]", "–")),
    ]
    assert len(table.every.rows) == 4


def test_table_2_has_a_row_a_method_and_the_sweep_behind_it(run):
    table = table_called(run, "Training with labels")
    assert sorted(r.method for r in table.front.rows) == sorted(("radiomics", *NETWORKS))
    assert len(table.every.rows) == 5


def test_label_efficiency_has_a_column_a_share_with_interval_and_spread(run):
    table = table_called(run, "Label efficiency")
    assert [c.replace("\u00a0", " ") for c in table.front.columns] == [
        "5 % of labels",
        "20 % of labels",
        "100 % of labels",
    ]
    (tuned,) = (r for r in table.front.rows if r.method == "hybrid-finetune")
    assert tuned.cells[1] == "0.550 [0.500, 0.600] ± 0.020"


def test_differences_are_the_study_s_own_method_less_each_other_and_turned_round_if_needed(run):
    linear, supervised, few = differences(run).fields
    (against,) = linear.strips
    assert (against.against, against.difference) == ("simclr", "+0.110 [+0.010, +0.210]")
    assert against.p == "p 0.006, corrected 0.012"
    by_name = {strip.against: strip for strip in supervised.strips}
    assert by_name.keys() == {"radiomics", "hybrid-scratch"}  # the pair of two others is not here
    assert by_name["radiomics"].difference == "−0.200 [−0.300, −0.100]"
    assert (by_name["radiomics"].shown, by_name["hybrid-scratch"].shown) == (True, False)
    assert supervised.sentence == (
        "hybrid-finetune does worse than radiomics; it cannot be told apart from hybrid-scratch."
    )
    assert few.strips[0].p == "p < 0.001, corrected < 0.001"
    assert few.strips[0].difference == "+0.210 [+0.110, +0.310]"


def test_every_paired_test_of_results_json_stands_in_the_page(run, html):
    found = differences(run).every
    assert len(found) == len(run.results.comparisons) == 6
    text = Page(html).text
    assert "+0.123 [+0.023, +0.223]" in text
    assert "DeLong" in text
    # A strip's whiskers end where the interval does: +0.01 … +0.21 of an axis that ends at ±0.3.
    strip = differences(run).fields[0].strips[0]
    assert (strip.low, strip.high) == (
        pytest.approx(50 + 50 * 0.01 / 0.3, abs=0.01),
        pytest.approx(50 + 50 * 0.21 / 0.3, abs=0.01),
    )


def test_head_says_what_came_out_of_each_of_the_paper_s_questions(html):
    text = Page(html).text.replace("\u00a0", " ")
    assert "rdfc does better than simclr." in text
    assert "hybrid-finetune does better than resnet-scratch." in text


def test_figure_2_names_every_curve_at_its_end_and_says_what_the_bands_are(html):
    (svg,) = plots_of(html, "Weighted F1 over the share of labels")
    assert svg.count("5\u00a0%: ") == 5
    figure = html.split("Label efficiency: Weighted F1")[1].split("</figure>")[0]
    for method in ("radiomics", "rdfc", *NETWORKS):
        assert f">{method}</text>" in figure
    assert "Means over 3 draws of the labels and 2 folds" in figure
    assert "intervals from resampled patients" in figure


def test_names_that_would_cover_each_other_are_moved_as_little_as_possible():
    assert _apart([0.5, 0.9], 0.1) == [0.5, 0.9]
    assert _apart([0.5, 0.5], 0.1) == pytest.approx([0.45, 0.55])
    placed = sorted(_apart([0.50, 0.52, 0.9, 0.51], 0.1))
    assert np.diff(placed).min() == pytest.approx(0.1)
    assert np.mean(placed[:3]) == pytest.approx(0.51)


def test_curves_that_coincide_are_one_with_all_names(html):
    (svg,) = plots_of(html, "ROC of training with labels")
    assert "hybrid-finetune, resnet-scratch and hybrid-scratch, AUROC" in svg


def test_every_judged_method_has_its_own_curves_and_confusion_matrix(html):
    assert html.count('class="confusion"') == 6
    for method in ("simclr", *NETWORKS):
        assert f"<summary>{method} " in html
    assert "ROC with 5\u00a0% of the labels" in html


def test_calibration_states_the_scores_of_the_rows(run, html):
    (main,) = (p for p in run.predictions if p.method.method == "rdfc")
    truth = np.array([run.classes.index(label) for label in main.labels])
    found = scores(truth, main.probabilities)
    assert f"Brier score {found['brier'][0]:.3f}" in html
    assert f"calibration error (ECE, ten bins) {found['ece'][0]:.3f}" in html


def test_the_case_that_every_method_misses_comes_first_with_its_picture(run, html):
    found = hard_cases(run)
    (only,) = found.cases
    assert (only.case_id, only.wrong, only.probability) == (
        HARD,
        "wrong for 6 of 6 methods",
        "0.20",
    )
    assert only.said != only.label
    assert only.picture is not None
    assert found.sentence.replace("\u00a0", " ").startswith("Counted over rdfc, simclr, radiomics,")
    assert "1 case of 20 is wrong for all of them" in found.sentence.replace("\u00a0", " ")
    gallery = html.split('class="gallery wrong hard"')[1].split("</ul>")[0]
    assert "hard &lt;b&gt;case&lt;/b&gt;" in gallery
    assert "<b>case</b>" not in gallery
    assert "data:image/png;base64," in gallery


def test_families_are_bars_from_zero_on_one_axis_the_largest_first(run, html):
    by_class, by_filter = importance(run).groups
    assert [(b.family, b.score) for b in by_class.bars] == [
        ("shape (2D)", "+0.190 [+0.150, +0.230]"),
        ("GLCM", "−0.010 [−0.050, +0.030]"),
    ]
    # The axis goes from −0.1 to 0.3 in steps of 0.1: zero stands at a quarter.
    assert by_class.zero == by_filter.zero == 25.0
    shape, glcm = by_class.bars
    assert (shape.left, shape.width) == (25.0, pytest.approx(100 * 0.19 / 0.4))
    assert (glcm.left, glcm.width) == (pytest.approx(22.5), pytest.approx(2.5))
    assert "How far the AUROC of radiomics (linear SVM) falls on 40 held-back cases" in html
    assert "&lt;i&gt;own&lt;/i&gt;" in html


def test_maps_stand_beside_the_picture_with_what_was_said(run, html):
    found = attention(run)
    assert (found.cases[0].case_id, found.cases[0].right) == (HARD, False)
    assert found.cases[0].said.replace("\u00a0", " ") == "malignant, 80 %"
    assert found.cases[0].picture.address != found.cases[0].overlay.address
    assert (found.cases[0].overlay.width, found.cases[0].overlay.height) == (160, 107)
    gallery = html.split('class="gallery looked"')[1].split("</ul>")[0]
    assert gallery.count("<img") == 4
    assert "layer3 (4 × 4 cells, enlarged)" in html


def test_encoder_without_maps_is_said_and_a_run_of_before_says_nothing(paper, tmp_path):
    for file in paper.iterdir():
        if file.name not in ("attention.parquet", "report.html"):
            (tmp_path / file.name).write_bytes(file.read_bytes())
    assert attention(read_run(tmp_path)) is None
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    results["run"]["no_attention"] = "No layer gives a <b>map</b>."
    (tmp_path / "results.json").write_text(json.dumps(results), encoding="utf-8")
    html = write_report(tmp_path).read_text(encoding="utf-8")
    assert "No layer gives a &lt;b&gt;map&lt;/b&gt;." in html
    assert 'class="gallery looked"' not in html


def test_other_pretexts_epochs_are_told_apart_from_the_study_s_own(run):
    found = training(run)
    assert found.summary.startswith("40 epochs; 2 s an epoch (median)")
    assert "simclr had the same cases and epochs" in found.summary
    assert found.plots[0].courses == (("", "6.52 → 2.09"),)


def test_small_p_values_are_never_written_as_zero():
    assert [p_value(p) for p in (None, 0.00004, 0.0123, 0.5)] == ["–", "< 0.001", "0.012", "0.50"]


def test_what_rounds_to_nothing_has_no_sign():
    assert [number(value) for value in (-0.0004, 0.0004, -0.0006)] == ["0.000", "0.000", "-0.001"]


def test_page_of_the_paper_is_the_same_each_time(run, html):
    assert render(run) == html
