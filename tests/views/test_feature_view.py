"""The view of handcrafted features: what is fitted on which cases; and what both views share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from rdfc_core import DataError, PluginError, StudyError
from rdfc_core.case import Tumour, Volume
from rdfc_core.interfaces import Batch, Features, Prepared
from rdfc_core.views.feature_view import FeatureView
from rdfc_core.views.image_view import ImageView
from rdfc_core.views.options import FeatureViewConfig, ImageViewConfig
from tests.support.small_parts import SmallCnn, SmallCnnConfig
from tests.support.small_preparers import OutlineConfig, OutlineFeatures

EXTRACTOR = OutlineFeatures(OutlineConfig())


def feature_view(**options: Any) -> FeatureView:
    return FeatureView(FeatureViewConfig(extractor="outline", **options), EXTRACTOR)


def image_view(encoder: Any = None, **options: Any) -> ImageView:
    config = ImageViewConfig(encoder="small-cnn", **options)
    return ImageView(config, encoder or SmallCnn(SmallCnnConfig()))


def rows(*values: list[float], names: tuple[str, ...] = ("a", "b", "c")) -> list[Prepared]:
    return [Prepared(np.array(row, np.float64), names) for row in values]


def picture_of(height: int, width: int, channels: int = 1) -> Prepared:
    rng = np.random.default_rng(height * width)
    return Prepared(rng.random((channels, height, width)).astype(np.float16))


TRAIN = rows([1, 10, 5], [3, np.nan, 5], [5, 40, 5], [7, 70, 5])


def test_features_are_standardised_by_the_fitted_cases():
    view = feature_view()
    view.fit(TRAIN)
    found = view.collate(TRAIN).numpy()
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[:, 0], (np.array([1, 3, 5, 7]) - 4) / np.sqrt(5), rtol=1e-6)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-7)


def test_a_missing_feature_becomes_the_median_of_the_fitted_cases():
    view = feature_view()
    view.fit(TRAIN)
    filled = np.array([10, 40, 40, 70])  # the median of 10, 40 and 70 is 40
    expected = (filled - filled.mean()) / filled.std()
    np.testing.assert_allclose(view.collate(TRAIN)[:, 1], expected, rtol=1e-6)
    unseen = view.collate(rows([4, np.nan, 5]))
    np.testing.assert_allclose(unseen[0, 1], expected[1], rtol=1e-6)


def test_a_feature_that_is_constant_or_missing_everywhere_becomes_zero():
    view = feature_view()
    view.fit(rows([1, np.nan, 5e9], [2, np.nan, 5e9], [3, np.nan, 5e9]))
    found = view.collate(rows([2, np.nan, 5e9], [2, 7, 6e9])).numpy()
    assert found[:, 1:].tolist() == [[0, 0], [0, 0]]
    assert np.isfinite(found).all()


def test_an_infinite_feature_counts_as_missing_with_its_reason():
    class Infinite(OutlineFeatures):
        def extract(self, tumour: Tumour) -> Features:
            values = super().extract(tumour).values
            values[2] = np.inf
            return Features(values)

    view = FeatureView(FeatureViewConfig(extractor="outline"), Infinite(OutlineConfig()))
    prepared = view.prepare(Tumour(Volume.of(np.eye(9)), np.ones((9, 9), bool)))
    assert np.isnan(prepared.array[2])
    assert prepared.missing == {"original_firstorder_Minimum": "the extractor gave inf"}


def test_the_scale_does_not_know_the_cases_it_was_not_fitted_on(cases):
    prepared = [feature_view().prepare(case.load()) for case in cases]
    one, other = feature_view(), feature_view()
    one.fit(prepared[:20])
    other.fit(prepared[:20])
    changed = [Prepared(p.array * 100 + 7, p.names, p.missing) for p in prepared[20:]]
    before = one.collate(prepared[20:])
    after = other.collate(changed)
    assert not torch.equal(before, after)
    for key, value in one.state().items():
        np.testing.assert_array_equal(value, other.state()[key])
    np.testing.assert_array_equal(one.collate(prepared[:20]), other.collate(prepared[:20]))


def test_one_case_is_collated_alike_alone_and_among_others(cases):
    prepared = [feature_view().prepare(case.load()) for case in cases[:8]]
    view = feature_view()
    view.fit(prepared)
    assert torch.equal(view.collate(prepared)[5], view.collate(prepared[5:6])[0])
    assert view.collate([]).shape == (0, 12)


def test_clip_bounds_standardised_values():
    view = feature_view(clip=1.5)
    view.fit(TRAIN)
    assert view.collate(rows([1000, -1000, 5])).tolist() == [[1.5, -1.5, 0]]


@pytest.mark.parametrize("names", [("a", "b"), ("a", "b", "d"), ("b", "a", "c")])
def test_other_features_than_the_fitted_ones_are_refused(names):
    view = feature_view()
    view.fit(TRAIN)
    other = rows([1.0] * len(names), names=names)
    with pytest.raises(DataError, match="different features"):
        view.collate(other)
    with pytest.raises(DataError, match="different features"):
        view.fit([*TRAIN, *other])


def test_a_fitted_view_accepts_the_tumours_of_which_the_same_features_are_promised():
    class OfVolumesToo(OutlineFeatures):
        def names(self, ndim: int) -> tuple[str, ...]:
            return ("area",) if ndim == 2 else ("volume", "area")

    class OfVolumes(OutlineFeatures):
        def names(self, ndim: int) -> tuple[str, ...]:
            if ndim == 2:
                raise DataError("it measures volumes only. Choose another extractor.")
            return ("volume", "area")

    for extractor in (OfVolumesToo, OfVolumes):
        view = FeatureView(FeatureViewConfig(extractor="x"), extractor(OutlineConfig()))
        view.fit(rows([1, 2], [3, 5], names=("volume", "area")))
        assert [ndim for ndim in (2, 3) if view.accepts(ndim)] == [3]


def test_an_extractor_that_breaks_its_promise_is_refused():
    class Short(OutlineFeatures):
        def names(self, ndim: int) -> tuple[str, ...]:
            return super().names(ndim)[:-1]

    view = FeatureView(FeatureViewConfig(extractor="outline"), Short(OutlineConfig()))
    tumour = Tumour(Volume.of(np.eye(9)), np.ones((9, 9), bool))
    with pytest.raises(PluginError, match=r"gave float64 values of shape \(12,\) for 11 names"):
        view.prepare(tumour)


@pytest.mark.parametrize("view", [feature_view(), image_view()])
def test_no_case_to_fit_on_is_refused(view):
    with pytest.raises(DataError, match="There is no case to fit"):
        view.fit([])


def test_what_was_fitted_comes_back_from_its_state():
    view, again = feature_view(), feature_view()
    view.fit(TRAIN)
    again.load_state({key: value.copy() for key, value in view.state().items()})
    assert again.names == ("a", "b", "c")
    assert torch.equal(again.collate(TRAIN), view.collate(TRAIN))
    shown, again_shown = image_view(size="average"), image_view(size="average")
    shown.fit([picture_of(10, 21), picture_of(20, 30)])
    again_shown.load_state(shown.state())
    cases = [picture_of(12, 12)]
    assert torch.equal(again_shown.collate(cases), shown.collate(cases))
    assert again_shown.tower().out_features == shown.tower().out_features


def test_the_feature_tower_has_the_papers_layers():
    view = feature_view(width=16, layers=2, dropout=0.25)
    view.fit(TRAIN)
    tower = view.tower()
    assert tower.out_features == 16
    assert tower(view.collate(TRAIN)).shape == (4, 16)
    assert list(tower.layer_groups()) == ["layer1", "layer2"]
    kinds = [type(module).__name__ for module in tower.modules() if not list(module.children())]
    assert kinds == ["Linear", "BatchNorm1d", "ReLU", "Dropout"] * 2
    weights = sum(p.numel() for p in tower.parameters())
    assert weights == (3 * 16 + 16 + 2 * 16) + (16 * 16 + 16 + 2 * 16)


def test_corruption_takes_features_of_other_cases_in_the_given_share():
    view = feature_view(corruption=0.3)
    batch = torch.arange(400).float().reshape(100, 4) + torch.tensor([0.0, 1e4, 2e4, 3e4])
    varied = view.augment(batch, torch.Generator().manual_seed(1))
    changed = (varied != batch).float().mean()
    assert 0.2 < float(changed) < 0.4
    for column in range(4):  # each value stays a value of its own feature
        assert set(varied[:, column].tolist()) <= set(batch[:, column].tolist())
    assert torch.equal(varied, view.augment(batch, torch.Generator().manual_seed(1)))
    assert feature_view().augment(batch, torch.Generator()) is batch


def test_the_recipe_of_features_ignores_the_tower():
    assert feature_view().recipe() == feature_view(width=3, dropout=0.1, clip=2).recipe()
    other = FeatureView(
        FeatureViewConfig(extractor="outline"), OutlineFeatures(OutlineConfig(percentile=20))
    )
    assert other.recipe() != feature_view().recipe()


def test_a_draw_may_vary_a_view_by_other_options_than_its_own():
    view = image_view()
    view.fit([picture_of(12, 12)])
    pictures = view.collate([picture_of(12, 12)])

    def drawn(*variations):
        generator = torch.Generator().manual_seed(0)
        return Batch(torch.arange(1), {"image": pictures}, {"image": view}, generator).draw(
            "image", *variations
        )

    shift = drawn({"brightness": 0.5}) - drawn()
    assert shift.std() == pytest.approx(0, abs=1e-6)
    assert 0.001 < abs(shift.mean()) <= 0.5
    assert torch.equal(drawn({}), drawn())
    assert view.config.brightness == 0  # the view itself is as it was


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"size": [8, 8]}, "there is no 'size'"),
        ({"noise": -1.0}, r"variations.noise: .* greater than or equal to 0"),
        ({"crop_scale": (0.5, 2.0)}, "crop_scale is"),
    ],
)
def test_variations_that_a_view_does_not_have_are_refused(options, sentence):
    with pytest.raises(StudyError, match=sentence):
        image_view().varied(options)


def test_a_view_without_variations_says_so():
    assert feature_view().varied({})
    with pytest.raises(StudyError, match="a FeatureView has no variations"):
        feature_view().varied({"noise": 0.1})
