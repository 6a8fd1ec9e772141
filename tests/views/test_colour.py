"""Colours: kept by the reader, seen by the image view that asks for them, grey elsewhere."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
import tifffile
from PIL import Image

from rdfc_core import DataError, StudyError
from rdfc_core.case import Tumour, Volume
from rdfc_core.data.readers.pictures import PictureReader
from rdfc_core.pipeline import run as studies
from rdfc_core.pipeline.open_run import OpenRun
from rdfc_core.pipeline.predict import predict
from rdfc_core.results.schema import Results
from rdfc_core.views.crop import picture
from rdfc_core.views.image_view import ImageView
from rdfc_core.views.options import ImageViewConfig
from rdfc_core.views.preparers import PicturePreparer
from tests.support import small_study
from tests.support.small_parts import SmallCnn, SmallCnnConfig, SmallVolumeCnn
from tests.support.small_preparers import OutlineConfig, OutlineFeatures
from tests.support.small_study import QUICK

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (13, 17, 3)).astype(np.uint8)
DEEP = RNG.integers(0, 2**16, (13, 17, 3)).astype(np.uint16)
RED, GREEN = (200, 100, 100), (100, 151, 100)
"""Two colours of one luminance, 130."""


def read(path: Path) -> Volume:
    volume = PictureReader().read_image(path)
    assert volume.array.shape == (13, 17)
    return volume


def by_opencv(path: Path) -> np.ndarray:
    seen = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return seen[..., 2::-1] if seen.shape[-1] >= 3 else seen


@pytest.mark.parametrize("samples", [RGB, DEEP], ids=["8 bits", "16 bits"])
@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_colours_of_a_file_are_kept_beside_its_grey_values(tmp_path, samples, ending):
    path = tmp_path / f"picture{ending}"
    if ending == ".tif":
        tifffile.imwrite(path, samples, photometric="rgb")
    else:
        cv2.imwrite(str(path), samples[..., ::-1])
    volume = read(path)
    assert volume.colour.dtype == volume.array.dtype == samples.dtype
    np.testing.assert_array_equal(volume.colour, samples)
    grey = samples.astype(np.float64) @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(volume.array, grey, atol=1)


@pytest.mark.parametrize("quality", [60, 95])
def test_colours_of_a_jpeg_are_those_that_opencv_decodes(tmp_path, quality):
    smooth = cv2.resize(RGB[:3, :4], (17, 13), interpolation=cv2.INTER_CUBIC)
    Image.fromarray(smooth).save(tmp_path / "picture.jpg", quality=quality)
    colour = read(tmp_path / "picture.jpg").colour.astype(int)
    assert np.abs(colour - by_opencv(tmp_path / "picture.jpg")).max() <= 3


def test_transparency_and_palettes_leave_the_colours(tmp_path):
    alpha = np.dstack([RGB, RNG.integers(0, 256, (13, 17))]).astype(np.uint8)
    Image.fromarray(alpha, "RGBA").save(tmp_path / "alpha.png")
    np.testing.assert_array_equal(read(tmp_path / "alpha.png").colour, RGB)
    few = RGB // 128 * 255
    Image.fromarray(few).quantize(8).save(tmp_path / "palette.png")
    np.testing.assert_array_equal(read(tmp_path / "palette.png").colour, few)


def test_a_turned_picture_has_its_colours_turned(tmp_path):
    tall = np.ascontiguousarray(np.rot90(RGB))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter to the right
    Image.fromarray(tall).save(tmp_path / "picture.png", exif=exif)
    np.testing.assert_array_equal(read(tmp_path / "picture.png").colour, RGB)


@pytest.mark.parametrize("mode", ["L", "LA", "1", "RGB", "I;16"])
def test_a_picture_that_is_grey_throughout_has_no_colours(tmp_path, mode):
    grey = RGB[..., 0]
    made = Image.fromarray(grey.astype(np.uint16) if mode == "I;16" else grey)
    (made if mode == "I;16" else made.convert(mode)).save(tmp_path / "picture.png")
    assert read(tmp_path / "picture.png").colour is None


def tumour(colour: np.ndarray | None = RGB, grey: np.ndarray | None = None) -> Tumour:
    volume = Volume.of(RGB[..., 0] if grey is None else grey)
    mask = np.zeros((13, 17), bool)
    mask[3:8, 4:14] = True
    object.__setattr__(volume, "colour", colour)
    return Tumour(volume, mask)


def config(**options) -> ImageViewConfig:
    return ImageViewConfig(encoder="small-cnn", channels="rgb", **options)


def test_a_picture_in_colour_is_the_box_of_red_green_and_blue():
    shown = picture(tumour(), config(), 2, None)
    expected = np.moveaxis(RGB[3:8, 4:14], -1, 0) / 255
    np.testing.assert_allclose(shown, expected, atol=1e-3)  # float16
    wide = picture(tumour(), config(margin=1.0), 2, None)
    padded = np.pad(RGB, ((7, 7), (9, 9), (0, 0)), mode="edge")
    expected = np.moveaxis(padded[7 + 3 - 5 : 7 + 8 + 5, 9 + 4 - 10 : 9 + 14 + 10], -1, 0) / 255
    np.testing.assert_allclose(wide, expected, atol=1e-3)


def test_deep_colours_share_one_window():
    shown = picture(tumour(DEEP, DEEP[..., 0]), config(), 2, None)
    box = np.moveaxis(DEEP[3:8, 4:14], -1, 0).astype(np.float64)
    low, high = np.percentile(box, (1, 99))
    np.testing.assert_allclose(shown, np.clip((box - low) / (high - low), 0, 1), atol=1e-3)
    shown = picture(tumour(), config(window=(50, 100)), 2, None)
    box = np.moveaxis(RGB[3:8, 4:14], -1, 0).astype(np.float64)
    np.testing.assert_allclose(shown, np.clip((box - 50) / 50, 0, 1), atol=1e-3)


def test_a_grey_picture_in_colour_is_three_times_the_same():
    shown = picture(tumour(None), config(), 2, None)
    grey = picture(tumour(None), ImageViewConfig(encoder="small-cnn"), 2, None)
    assert shown.shape == (3, 5, 10)
    for channel in shown:
        np.testing.assert_array_equal(channel, grey[0])


def test_the_outline_follows_with_as_many_channels():
    shown = picture(tumour(), config(mask_channel=True, margin=0.4), 2, None)
    assert shown.shape == (6, 9, 18)
    outline = np.zeros((9, 18))
    outline[2:7, 4:14] = 1
    for channel in shown[3:]:
        np.testing.assert_array_equal(channel, outline)


def test_the_tumours_own_crop_keeps_its_colours():
    cropped = tumour().crop(1)
    np.testing.assert_array_equal(cropped.image.colour, RGB[2:9, 3:15])


def test_handcrafted_features_do_not_see_colours():
    extractor = OutlineFeatures(OutlineConfig())
    seen = [extractor.extract(tumour(colour)).values for colour in (RGB, None)]
    np.testing.assert_array_equal(*seen)


def test_stored_grey_pictures_are_found_and_colour_ones_are_others():
    grey = PicturePreparer(ImageViewConfig(encoder="small-cnn"), 2)
    assert grey.recipe() == {
        "view": "image",
        "version": 2,
        "spatial_dims": 2,
        "ratio": None,
        "window": None,
        "slices": 10,
        "margin": 0.0,
        "aspect": "stretch",
        "mask_channel": False,
    }
    assert PicturePreparer(config(), 2).recipe() == {**grey.recipe(), "channels": "rgb"}


def test_colours_are_of_pictures_alone():
    deep = Tumour(Volume.of(np.zeros((4, 9, 9))), np.ones((4, 9, 9), bool))
    with pytest.raises(DataError, match="it is a volume, and channels: rgb is of colour pictures"):
        picture(deep, config(), 2, None)
    with pytest.raises(StudyError, match="the encoder takes volumes"):
        ImageView(config(size=(4, 8, 8)), SmallVolumeCnn(SmallCnnConfig()))
    view = ImageView(config(), SmallCnn(SmallCnnConfig()))
    view.fit([view.prepare(tumour())])
    assert view.accepts(2)
    assert not view.accepts(3)
    assert view.tower().picture_shape == (3, 64, 64)


def write_two_colours(folder: Path, count: int = 60) -> Path:
    """Pictures whose class is the colour of the tumour; luminance and outline say nothing of it."""
    rng = np.random.default_rng(3)
    rows = []
    for place in range(count):
        label = place % 2
        mask = np.zeros((32, 32), np.uint8)
        top, left, height, width = rng.integers((4, 4, 10, 10), (10, 10, 18, 18))
        mask[top : top + height, left : left + width] = 255
        shade = rng.normal(0, 12, (32, 32, 1))
        image = np.where(mask[..., None] > 0, (RED, GREEN)[label], 90) + shade
        name = f"case-{place:02d}"
        Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(folder / f"{name}.png")
        Image.fromarray(mask).save(folder / f"{name}-mask.png")
        rows.append([name, f"{name}.png", f"{name}-mask.png", "ab"[label]])
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["case_id", "image", "mask", "label"], *rows])
    return folder


@pytest.fixture(scope="module")
def two_colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_two_colours(tmp_path_factory.mktemp("colours"))


LEARN = (
    *QUICK,
    "pretrain.epochs=1",
    "evaluate.controls=[]",
    "evaluate.classifiers=[logistic]",
    "evaluate.methods=[resnet-scratch,radiomics-logistic]",
    "evaluate.supervised.epochs=25",
    "split.test_fraction=0.4",
)


def area(results: Results, method: str) -> float:
    return next(
        row.mean
        for row in results.rows
        if (row.table, row.method, row.metric) == ("supervised", method, "auroc")
    )


def test_where_colour_alone_decides_rgb_learns_it_and_grey_cannot(
    two_colours, run_context, registry, tmp_path
):
    found = {}
    for channels in ("rgb", "grey"):
        asked = f"views.image.channels={channels}"
        study = small_study.resolved(two_colours, *LEARN, asked)
        found[channels] = studies.run(study, tmp_path / channels, run_context)
    assert area(found["rgb"], "resnet-scratch") > 0.95
    # 24 test cases: an AUROC by chance is 0.5 ± 0.12.
    assert 0.2 < area(found["grey"], "resnet-scratch") < 0.8
    assert 0.2 < area(found["rgb"], "radiomics-logistic") < 0.8
    assert area(found["rgb"], "radiomics-logistic") == area(found["grey"], "radiomics-logistic")

    run = tmp_path / "rgb"
    scored = {
        row["case_id"]: row["probabilities"]
        for row in pq.read_table(run / "predictions.parquet").to_pylist()
        if (row["table"], row["input"], row["layer"]) == ("linear", "all", "features")
    }
    cases = [c for c in OpenRun(run, registry).listed_cases(two_colours) if c.case_id in scored]
    said = predict(run, cases, run_context)
    for case, probabilities in zip(cases, said.probabilities, strict=True):
        np.testing.assert_allclose(probabilities, scored[case.case_id], rtol=1e-6)


@pytest.mark.parametrize(
    ("radiomics", "finds"),
    [
        ("{extractor: outline}", False),
        ("{extractor: outline, channels: rgb}", True),
        ("{extractor: colour}", True),
    ],
)
def test_radiomics_of_colours_and_colour_statistics_find_what_luminance_does_not_show(
    two_colours, run_context, tmp_path, radiomics, finds
):
    learn = [one for one in LEARN if "methods" not in one]
    asked = f"views={{radiomics: {radiomics}, image: {{encoder: small-cnn, size: [16, 16]}}}}"
    own = ("views", "features", "encoder")
    base = {key: value for key, value in small_study.SMALL_STUDY.items() if key not in own}
    methods = "evaluate.methods=[radiomics-logistic]"
    study = small_study.resolved(two_colours, *learn, methods, asked, base=base)
    results = studies.run(study, tmp_path / "run", run_context)
    row = next(
        row for row in results.rows if (row.method, row.metric) == ("radiomics-logistic", "auroc")
    )
    if finds:
        assert row.mean > 0.95
        assert row.ci_low > 0.9
    else:
        assert 0.2 < row.mean < 0.8
        assert row.ci_low < 0.5 < row.ci_high
    told = [one for one in results.warnings if "are in colour" in one]
    assert ["'radiomics' and" in one for one in told] == [not finds]
