"""A saved model knows what it was made by, and tells when its components have changed."""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rdfc_core.models.phantoms import phantoms
from rdfc_core.pipeline.open_run import OpenRun
from rdfc_core.plugin.registry import installed
from rdfc_core.views import image_view
from tests.support import small_preparers
from tests.support.command import Done

Predict = Callable[[], Done]
EXTRACTOR = "feature extractor 'outline' of rdfc-small-parts 0.1.0"


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A finished run that a test may change."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


@pytest.fixture
def predict(run: Path, pictures: Path, rdfc_here: Callable[..., Done]) -> Predict:
    """Asks the run of one case."""
    image, mask = (pictures / part / "case-000.png" for part in ("images", "masks"))
    return lambda: rdfc_here(
        *("predict", run, "--image", image, "--mask", mask, "--executor", "local:workers=0")
    )


def about(run: Path) -> dict:
    return json.loads(next(run.glob("model/*/model.json")).read_text("utf-8"))


def change(run: Path, key: str, value: object) -> None:
    """Write something else into ``model.json`` of every split."""
    for path in run.glob("model/*/model.json"):
        said = json.loads(path.read_text("utf-8"))
        place = said
        *above, last = key.split("/")
        for name in above:
            place = place[name]
        if value is None:
            del place[last]
        else:
            place[last] = value
        path.write_text(json.dumps(said), "utf-8")


def measuring(monkeypatch: pytest.MonkeyPatch, factor: float) -> None:
    """Let another version of the extractor give other contents, under the same recipe."""
    extract = small_preparers.OutlineFeatures.extract

    def other(self, tumour):
        found = extract(self, tumour)
        found.values[10] *= factor
        return found

    monkeypatch.setattr(small_preparers.OutlineFeatures, "extract", other)


@pytest.mark.parametrize(
    ("ndim", "image", "mask"), [(2, 1713607295, 765872075), (3, 1344768493, 3749100973)]
)
def test_phantoms_are_the_same_to_the_bit_everywhere(ndim, image, mask):
    one, other = phantoms(ndim)
    found = [zlib.crc32(a.tobytes()) for a in (one.image.array.astype("<i2"), one.mask)]
    assert found == [image, mask]
    assert not one.mask.all()
    assert not np.array_equal(one.mask, other.mask)
    assert one.image.array[one.mask].std() > 10


def test_a_model_holds_recipes_versions_and_names_and_predicts_without_a_word(run, predict):
    made_by = about(run)["made_by"]
    assert made_by["recipes"]["radiomics"]["extractor"]["name"] == "outline"
    assert made_by["versions"]["feature extractor 'outline'"] == "rdfc-small-parts 0.1.0"
    assert made_by["versions"]["objective 'infonce'"].startswith("rdfc-objective-infonce ")
    assert "original_shape_Content" in made_by["features"]["radiomics"]
    assert (made_by["ndim"], made_by["unprobed"]) == (2, {})
    done = predict()
    assert done.code == 0, done.err
    assert "phantom" not in done.err


def test_a_probe_holds_what_components_make_of_phantoms_and_of_nobody(run):
    model = next(iter(OpenRun(run, installed()).models.values()))
    for name, view in model.views.items():
        for place, tumour in enumerate(phantoms(2)):
            saved = model.probed[f"prepared.{name}.{place}"]
            assert np.array_equal(saved, view.prepare(tumour).array)
    assert set(model.probed) == {
        *(f"prepared.{name}.{place}" for name in model.views for place in (0, 1)),
        *(f"network.{name}" for name in model.pretext.encoders()),
    }


def test_an_extractor_that_gives_other_values_is_refused_with_before_and_after(
    predict, monkeypatch
):
    before = small_preparers.OutlineFeatures(small_preparers.OutlineConfig()).extract(
        phantoms(2)[0]
    )
    measuring(monkeypatch, 2.0)
    sentence = predict().refused(EXTRACTOR, "gives other values", "original_shape_Content was")
    value = before.values[10]
    assert f"original_shape_Content was {value:.6g} and is {2 * value:.6g}" in sentence


def test_a_small_difference_is_warned_of_and_rounding_is_not(predict, monkeypatch):
    measuring(monkeypatch, 1 + 1e-7)
    assert "phantom" not in predict().err
    measuring(monkeypatch, 1 + 2e-3)
    done = predict()
    assert done.code == 0
    assert EXTRACTOR in done.err
    assert "more than rounding" in done.err


def test_a_feature_that_is_missing_now_is_refused(predict, monkeypatch):
    measuring(monkeypatch, np.nan)
    assert "and is nan" in predict().refused(EXTRACTOR, "original_shape_Content")


def test_another_recipe_is_refused_by_its_key(predict, monkeypatch):
    recipe = small_preparers.OutlineFeatures.recipe
    monkeypatch.setattr(
        small_preparers.OutlineFeatures, "recipe", lambda self: {**recipe(self), "rounds": 3}
    )
    predict().refused(EXTRACTOR, "another recipe", "extractor.rounds", "was None and is 3")


def test_other_names_of_features_are_refused(predict, monkeypatch):
    names = small_preparers.OutlineFeatures.names
    monkeypatch.setattr(
        small_preparers.OutlineFeatures, "names", lambda self, ndim: names(self, ndim)[::-1]
    )
    predict().refused(EXTRACTOR)


def test_a_network_that_computes_otherwise_is_refused(predict, monkeypatch):
    monkeypatch.setattr(
        image_view.ImageTower, "forward", lambda self, batch: self.network(batch * 5 - 4)
    )
    predict().refused("image encoder 'small-cnn' of rdfc-small-parts 0.1.0", "network feature")


def test_another_version_is_warned_of(run, predict):
    change(run, "made_by/versions/feature extractor 'outline'", "rdfc-small-parts 0.0.9")
    done = predict()
    assert done.code == 0, done.err
    assert "The model was made with the feature extractor 'outline' of rdfc-small-parts 0.0.9" in (
        " ".join(done.err.split())
    )
    assert "here it is rdfc-small-parts 0.1.0" in " ".join(done.err.split())


def test_a_model_of_before_predicts_and_says_once_that_it_has_no_probe(run, predict):
    change(run, "made_by", None)
    done = predict()
    assert done.code == 0, done.err
    assert " ".join(done.err.split()).count("whether they have changed since cannot be told") == 1


def test_a_view_that_makes_nothing_of_phantoms_is_recorded_and_not_compared(
    run, predict, monkeypatch
):
    from rdfc_core.models import made_by

    model = next(iter(OpenRun(run, installed()).models.values()))

    def refuse(self, tumour):
        raise ValueError("needs the column age")

    monkeypatch.setattr(small_preparers.GreyPreparer, "prepare", refuse)
    prepared, unprobed = made_by.seen_phantoms(model.views, 2)
    assert unprobed == {"greys": "ValueError: needs the column age"}
    assert "greys" not in prepared
    # The model that was saved has a probe of it, and it is gone: that is told.
    predict().refused("view 'greys' of rdfc-small-parts 0.1.0", "needs the column age")
