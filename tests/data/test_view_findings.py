"""What views do not see of the cases: colours, and what a field in mm cuts off."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from rdfc_core.case import Tumour, Volume
from rdfc_core.data.inspection import Inspected, Inspection, inspect, inspected
from rdfc_core.data.view_findings import colour_findings, held_by, in_mm
from rdfc_core.pipeline import run as studies
from rdfc_core.pipeline.predict import predict
from rdfc_core.report import write_report
from rdfc_core.views.options import ImageViewConfig
from rdfc_core.views.preparers import FeaturePreparer, PicturePreparer
from tests.support import small_study
from tests.support.small_preparers import OutlineConfig, OutlineFeatures

FAST = (
    "pretrain.epochs=0",
    "evaluate.bootstrap=200",
    "evaluate.controls=[]",
    "evaluate.classifiers=[logistic]",
)
HEIGHTS, WIDTHS = (6, 8, 10, 12), (10, 20)
IN_COLOUR = "6 of 8 pictures are in colour"


@pytest.fixture
def coloured(tmp_path: Path) -> Path:
    """Pictures of which two are grey, with boxes of 6 to 12 by 10 or 20 pixels."""
    folder = tmp_path / "cases"
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows = []
    for place in range(8):
        pixels = rng.integers(0, 256, (40, 44, 3)).astype(np.uint8)
        if place < 2:
            pixels[:] = pixels[..., :1]
        mask = np.zeros((40, 44), np.uint8)
        mask[5 : 5 + HEIGHTS[place % 4], 7 : 7 + WIDTHS[place // 4]] = 255
        name = f"case-{place}"
        Image.fromarray(pixels).save(folder / f"{name}.png")
        Image.fromarray(mask).save(folder / f"{name}-mask.png")
        rows.append([name, f"{name}.png", f"{name}-mask.png", "ab"[place % 2]])
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["case_id", "image", "mask", "label"], *rows])
    return folder


def the_ones(told, part: str) -> list[str]:
    return [one for one in told if part in one]


def test_colours_that_no_view_sees_are_told_by_run_and_report(
    coloured, run_context, tmp_path, caplog
):
    study = small_study.resolved(coloured, *FAST)
    results = studies.run(study, tmp_path / "run", run_context)
    (told,) = the_ones(results.warnings, "in colour")
    assert told == (
        f"{IN_COLOUR}, and the views 'radiomics' and 'image' see their grey values (luminance) "
        "alone. Set channels: rgb for views.radiomics and views.image to use the colours, or add "
        "a view of colour statistics ({extractor: colour})."
    )
    assert [one.getMessage() for one in caplog.records].count(told) == 1
    page = write_report(tmp_path / "run").read_text(encoding="utf-8")
    assert IN_COLOUR in page


@pytest.mark.parametrize(
    ("overrides", "blind"),
    [
        (("views.image.channels=rgb",), "the view 'radiomics' sees"),
        (("views.radiomics.channels=rgb",), "the view 'image' sees"),
        (("views.image.channels=rgb", "views.radiomics.channels=rgb"), None),
        (("views.image.channels=rgb", "views.colours={extractor: colour}"), None),
    ],
)
def test_views_that_see_colours_are_not_named(
    coloured, run_context, tmp_path, overrides, blind, registry
):
    study = small_study.resolved(coloured, *FAST, *overrides)
    results = studies.run(study, tmp_path / "run", run_context, until="extract")
    told = the_ones(results.warnings, "in colour")
    assert [blind in one for one in told] == ([True] if blind else [])


def test_grey_pictures_are_not_said_to_be_in_colour():
    grey = inspect(Tumour(Volume.of(np.eye(9)), np.eye(9) > 0))
    assert not list(colour_findings({"a": grey}))
    views = {"radiomics": FeaturePreparer(OutlineFeatures(OutlineConfig()))}
    assert not list(colour_findings({"a": grey}, views))


def test_tumours_larger_than_the_field_are_told_with_the_field_that_holds_them(
    coloured, run_context, tmp_path, registry
):
    field = ("views.image.size=[16, 16]", "views.image.spacing_mm=[0.5, 0.75]")
    study = small_study.resolved(coloured, *FAST, *field)
    results = studies.run(study, tmp_path / "run", run_context)
    (told,) = the_ones(results.warnings, "larger than the field")
    # Heights of more than 8 mm: cases 2, 3, 6, 7; widths of more than 12 mm: 4 to 7.
    assert told == (
        "The tumours of 6 cases of 8 (case-2, case-3, case-4, …) are larger than the field of "
        "8 × 12 mm that the view 'image' sees, and are cut at its edge; a field of 12 × 20 mm "
        "holds 95% of the tumours, 12 × 20 mm all. Enlarge views.image.size or spacing_mm, unless "
        "the middle of a tumour is enough."
    )
    from rdfc_core.pipeline.open_run import OpenRun

    run = OpenRun(tmp_path / "run", registry)
    with_larger = predict(tmp_path / "run", run.listed_cases(coloured), run_context)
    assert len(with_larger.case_ids) == 8
    wide = ("views.image.size=[16, 16]", "views.image.spacing_mm=[0.75, 1.25]")
    study = small_study.resolved(coloured, *FAST, *wide)
    results = studies.run(study, tmp_path / "wide", run_context, until="extract")
    assert not the_ones(results.warnings, "larger than the field")


def test_predictions_tell_of_cut_tumours_and_not_of_colours(
    coloured, run_context, tmp_path, registry, caplog
):
    from rdfc_core.pipeline.open_run import OpenRun

    field = ("views.image.size=[16, 16]", "views.image.spacing_mm=[0.5, 0.75]")
    studies.run(small_study.resolved(coloured, *FAST, *field), tmp_path / "run", run_context)
    caplog.clear()
    run = OpenRun(tmp_path / "run", registry)
    predict(tmp_path / "run", run.listed_cases(coloured), run_context)
    told = [one.getMessage() for one in caplog.records]
    assert len(the_ones(told, "larger than the field")) == 1
    assert not the_ones(told, "in colour")


def test_the_check_tells_both(coloured, rdfc_here, tmp_path):
    study = {
        **small_study.SMALL_STUDY,
        "dataset": f"manifest:root={coloured}",
        "views": {
            **small_study.SMALL_STUDY["views"],
            "image": {"size": [16, 16], "spacing_mm": [0.5, 0.75], "channels": "rgb"},
        },
    }
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(study), encoding="utf-8")
    check = ("datasets", "check", "manifest", "--root", coloured, "--features", "none")
    plain = " ".join(rdfc_here(*check).out.split())
    assert "A field of 12 × 20 mm holds all outlines." in plain
    told = json.loads(rdfc_here(*check, "--json").out)["problems"]
    (one,) = the_ones([problem["message"] for problem in told], "in colour")
    assert one == (
        f"{IN_COLOUR}, and handcrafted features see their luminance and image encoders their grey "
        "values"
    )
    told = json.loads(rdfc_here(*check, "--study", path, "--json").out)["problems"]
    messages = [problem["message"] for problem in told]
    assert "the view 'radiomics' sees" in the_ones(messages, "in colour")[0]
    assert "6 cases of 8" in the_ones(messages, "larger than the field")[0]


def seen(*box_mm: float) -> Inspected:
    return Inspected("", "", 0.1, 0.0, (1,), 1, box_mm=box_mm)


def test_the_field_for_most_holds_them_along_every_axis():
    boxes = [seen(10.0, n + 1.0) for n in range(19)] + [seen(40.0, 20.0)]
    usual, most = held_by(boxes)
    assert most == (40, 20)
    assert usual == (38, 19)  # of the proportions of the largest: 19 of 20 fit into it
    fit = [all(b <= u for b, u in zip(one.box_mm, usual, strict=True)) for one in boxes]
    assert sum(fit) == 19
    assert in_mm((12.01, 20.0, 7.123)) == "12.1 × 20 × 7.2 mm"


def test_a_field_in_three_axes_is_compared_plane_first():
    array = np.zeros((20, 30, 40), np.int16)
    mask = np.zeros(array.shape, bool)
    mask[2:4, 5:10, 8:18] = True  # axes (x, y, z) of an image whose last axis is head to foot
    direction = np.eye(3)
    volume = Volume(array, (0.5, 0.5, 3.0), (0.0, 0.0, 0.0), direction)
    assert volume.slice_axis == 2
    look = inspect(Tumour(volume, mask))
    assert look.box_mm[0] == 30.0  # ten planes of 3 mm
    assert set(look.box_mm[1:]) == {1.0, 2.5}
    again = inspected(Inspection().prepare(Tumour(volume, mask)))
    assert again == look
    config = ImageViewConfig(size=(8, 16, 16), spacing_mm=(3.0, 1.0, 0.5))
    assert PicturePreparer(config, 3).field_mm == (24.0, 16.0, 8.0)
    assert PicturePreparer(ImageViewConfig(), 2).field_mm is None
