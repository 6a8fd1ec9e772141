"""ComBat equals neuroCombat, learns from fitted cases alone, and refuses what it cannot know."""

import itertools

import numpy as np
import pandas
import pytest
from neuroCombat import neuroCombat

from rdfc_core import DataError, StudyError
from rdfc_core.interfaces import Needs
from rdfc_core.testing import check_harmoniser, check_plugin
from rdfc_harmoniser_combat.config import ComBatConfig
from rdfc_harmoniser_combat.effects import effect_of
from rdfc_harmoniser_combat.harmoniser import ComBat

SITES = np.repeat(["GE", "Philips", "Siemens"], [30, 18, 12])


def features(seed=0, count=40):
    """(60, F) features of three scanners with levels and spreads of their own, age and sex."""
    generator = np.random.default_rng(seed)
    age, sex = generator.normal(60, 9, 60).round(1), generator.choice(["f", "m"], 60)
    values = generator.normal(0, 1, (60, count)) * generator.uniform(0.1, 50, count)
    values += generator.normal(0, 100, count) + age[:, None] * generator.normal(0, 0.3, count)
    for place, site in enumerate(("GE", "Philips", "Siemens")):
        values[site == SITES] *= 1 + 0.4 * place
        values[site == SITES] += place * generator.normal(0, 20, count)
    columns = [
        {"scanner": site, "age": str(years), "sex": one}
        for site, years, one in zip(SITES, age, sex, strict=True)
    ]
    return values, columns


def fitted(values, columns, **options):
    one = ComBat(ComBatConfig(batch="scanner", **options))
    one.fit(values, columns)
    return one


@pytest.mark.parametrize(
    ("options", "theirs"),
    [
        ({}, {}),
        ({"reference": "GE"}, {"ref_batch": "GE"}),
        ({"empirical_bayes": False}, {"eb": False}),
        ({"mean_only": True}, {"mean_only": True}),
        ({"reference": "Siemens", "empirical_bayes": False}, {"ref_batch": "Siemens", "eb": False}),
        (
            {"numbers": ("age",), "categories": ("sex",)},
            {"continuous_cols": ["age"], "categorical_cols": ["sex"]},
        ),
    ],
    ids=str,
)
def test_it_equals_neurocombat(options, theirs, monkeypatch):
    monkeypatch.setattr(np, "int", int, raising=False)  # neuroCombat 0.2.12 asks NumPy 2 for it
    values, columns = features()
    given = pandas.DataFrame(columns).astype({"age": float})
    given = given if "numbers" in options else given[["scanner"]]
    with np.errstate(divide="ignore"):
        expected = neuroCombat(values.T.copy(), given, "scanner", **theirs)["data"].T
    found = fitted(values, columns, **options).transform(values, columns)
    # Theirs ends its iteration at a change of 1e-4, and takes covariates as float32.
    assert np.abs(found - expected).max() < 1e-6 * values.std()


def test_it_equals_neurocombat_where_values_are_missing():
    values, columns = features(3)
    values[[2, 33, 50], 4] = np.nan
    values[7, 9] = np.nan
    given = pandas.DataFrame(columns)[["scanner"]]
    expected = neuroCombat(values.T.copy(), given, "scanner", eb=False)["data"].T
    found = fitted(values, columns, empirical_bayes=False).transform(values, columns)
    whole = ~np.isnan(values).any(axis=0)
    assert np.abs((found - expected)[:, whole]).max() < 1e-9
    assert np.array_equal(np.isnan(found), np.isnan(values))
    # Of a feature that lacks values, theirs leaves NaN in whole batches; the definition does not.
    for site in set(SITES):
        rows = (site == SITES) & ~np.isnan(values[:, 4])
        assert found[rows, 4].mean() == pytest.approx(np.nanmean(values[:, 4]))


def test_location_and_scale_are_each_expected_given_the_other():
    """The fixed point of equations 3 and 4 of Johnson et al. 2007, by their own formula."""
    standard = np.random.default_rng(1).normal(0.7, 1.4, (12, 30))
    effect = effect_of(standard, np.ones(30, bool), empirical_bayes=True, mean_only=False)
    mean, variance = standard.mean(axis=0), standard.var(axis=0, ddof=1)
    prior, width = mean.mean(), mean.var(ddof=1)
    shape = variance.mean() ** 2 / variance.var(ddof=1) + 2
    rate = variance.mean() * (shape - 1)
    delta = effect.scale**2
    gamma = (12 * width * mean + delta * prior) / (12 * width + delta)
    np.testing.assert_allclose(effect.location, gamma, rtol=1e-6)
    left = 0.5 * ((standard - gamma) ** 2).sum(axis=0)
    np.testing.assert_allclose(delta, (rate + left) / (12 / 2 + shape - 1), rtol=1e-6)


def test_the_plugin_is_sound():
    check_plugin("rdfc_harmoniser_combat")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"new_sites": "own"},
        {"new_sites": "pooled"},
        {"numbers": ("age",)},
        {"reference": "south", "mean_only": True},
        {"empirical_bayes": False},
    ],
    ids=str,
)
def test_it_keeps_what_is_promised(options):
    check_harmoniser(ComBat(ComBatConfig(batch="scanner", **options)))


def test_what_is_learnt_does_not_change_with_test_cases():
    values, columns = features()
    train = np.arange(60) % 4 > 0
    told = list(itertools.compress(columns, train))
    changed = values.copy()
    changed[~train] = 1e3 * changed[~train] - 7
    first, second = fitted(values[train], told), fitted(changed[train], told)
    second.adapt(changed, columns)
    second.transform(changed, columns)
    for key, value in first.state().items():
        assert value.tobytes() == second.state()[key].tobytes(), key


def test_a_case_is_transformed_by_scale_and_shift_of_its_site():
    values, columns = features()
    one = fitted(values, columns)
    by_site = one.affine()
    places = [by_site.sites.index(site.casefold()) for site in SITES]
    by_hand = by_site.scale[places] * values + by_site.shift[places]
    np.testing.assert_allclose(one.transform(values, columns), by_hand, rtol=1e-12)
    assert by_site.column == "scanner"
    assert fitted(values, columns, numbers=("age",)).affine() is None


def test_the_reference_stays_as_it_is():
    values, columns = features()
    after = fitted(values, columns, reference="GE").transform(values, columns)
    np.testing.assert_allclose(after[SITES == "GE"], values[SITES == "GE"], rtol=1e-12)


def test_features_that_do_not_vary_within_a_site_are_brought_to_one_level():
    values, columns = features()
    values[:, 0] = 5.0
    values[:, 1] = np.where(SITES == "GE", 1.0, 4.0)  # the site and nothing else
    after = fitted(values, columns).transform(values, columns)
    assert np.isfinite(after).all()
    np.testing.assert_allclose(after[:, 0], 5.0)
    np.testing.assert_allclose(after[:, 1], values[:, 1].mean())


def test_a_feature_that_a_site_never_has_is_left_alone():
    values, columns = features()
    values[SITES == "Siemens", 3] = np.nan
    one = fitted(values, columns)
    after = one.transform(values, columns)
    assert np.isnan(after[SITES == "Siemens", 3]).all()
    again = np.where(np.isnan(values), 12.5, values)
    assert one.transform(again, columns)[-1, 3] == pytest.approx(12.5)


def test_the_effect_of_a_covariate_is_kept():
    generator = np.random.default_rng(2)
    sites = np.repeat(["a", "b"], 100)
    age = np.where(sites == "a", 40.0, 60.0) + generator.normal(0, 5, 200)
    values = 2.0 * age[:, None] + generator.normal(0, 1, (200, 5))
    columns = [{"scanner": site, "age": str(years)} for site, years in zip(sites, age, strict=True)]
    kept = fitted(values, columns, numbers=("age",)).transform(values, columns)
    lost = fitted(values, columns).transform(values, columns)
    assert np.polyfit(age, kept[:, 0], 1)[0] == pytest.approx(2.0, abs=0.05)
    assert np.polyfit(age, lost[:, 0], 1)[0] < 1.0


def test_a_new_site_is_refused_by_default():
    values, columns = features()
    one = fitted(values, columns)
    one.adapt(values, [{"scanner": "Canon"}] * 60)
    with pytest.raises(DataError, match=r"'canon' \(they are of ge, philips, siemens\).*new_sites"):
        one.transform(values[:1], [{"scanner": "Canon"}])


def test_a_pooled_new_site_stays_as_it_is_and_says_so():
    values, columns = features()
    one = fitted(values, columns, new_sites="pooled")
    (told,) = one.adapt(values, [{"scanner": "Canon"}] * 60)
    assert "60 cases are of the scanner 'canon'" in told
    np.testing.assert_allclose(one.transform(values, [{"scanner": "Canon"}] * 60), values)


def test_a_new_site_can_be_brought_to_the_others_by_its_own_cases():
    values, columns = features()
    one = fitted(values, columns, new_sites="own", empirical_bayes=False)
    new = [{"scanner": "Canon"}] * 60
    (told,) = one.adapt(3 * values + 100, new)
    assert "what is said of one depends on the others" in told
    after = one.transform(3 * values + 100, new)
    # Without empirical Bayes the site has level and spread of the pool exactly.
    np.testing.assert_allclose(after.mean(axis=0), one.state()["level"], rtol=1e-9)
    np.testing.assert_allclose(after.std(axis=0, ddof=1), one.state()["spread"], rtol=1e-9)


def test_a_new_site_of_few_cases_is_refused():
    values, columns = features()
    one = fitted(values, columns, new_sites="own")
    new = [{"scanner": "Canon"}] * 9
    assert one.adapt(values[:9], new) == ()
    with pytest.raises(DataError, match=r"there are 9 cases of it here.* at least 10"):
        one.transform(values[:9], new)


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({0: {"scanner": ""}}, {}, "1 of 60 cases have no value in the column 'scanner'"),
        ({0: {"scanner": "Canon"}}, {}, r"fewer of 'canon' \(1\)"),
        ({}, {"reference": "Canon"}, "No pretext case is of the scanner 'Canon', the reference"),
        ({3: {"age": "old"}}, {"numbers": ("age",)}, "'age'.*holds 'old'"),
        (
            {3: {"age": ""}},
            {"numbers": ("age",)},
            "1 of 60 cases have no value in the column 'age'",
        ),
        (
            {place: {"sex": "f" if site == "GE" else "m"} for place, site in enumerate(SITES)},
            {"categories": ("sex",)},
            r"The covariates \(sex\) follow from each other or from the scanner",
        ),
        (
            {place: {"scanner": "GE"} for place in range(60)},
            {},
            "All pretext cases are of the scanner 'ge'",
        ),
    ],
)
def test_what_cannot_be_harmonised_is_refused_by_a_sentence(change, options, message):
    values, columns = features()
    columns = [{**row, **change.get(place, {})} for place, row in enumerate(columns)]
    with pytest.raises(DataError, match=message):
        fitted(values, columns, **options)


def test_an_unknown_word_of_a_covariate_is_refused():
    values, columns = features()
    one = fitted(values, columns, categories=("sex",))
    with pytest.raises(DataError, match="'sex' holds 'x', which no pretext case has"):
        one.transform(values[:1], [{**columns[0], "sex": "x"}])


def test_words_that_differ_in_capitals_are_one_site():
    values, columns = features()
    one = fitted(values, columns)
    spelled = [{"scanner": f" {row['scanner'].upper()} "} for row in columns]
    assert np.array_equal(one.transform(values, spelled), one.transform(values, columns))


def test_the_label_is_refused_as_batch_and_as_covariate():
    for one in (
        ComBat(ComBatConfig(batch="label")),
        ComBat(ComBatConfig(batch="b", categories=("Label",))),
    ):
        with pytest.raises(StudyError, match="is the label"):
            Needs(fit_columns=one.columns)


def test_one_feature_has_no_others_to_be_drawn_towards():
    values, columns = features(count=1)
    with pytest.raises(DataError, match="Empirical Bayes needs several features"):
        fitted(values, columns)
    after = fitted(values, columns, empirical_bayes=False).transform(values, columns)
    for site in set(SITES):
        assert after[site == SITES].mean() == pytest.approx(values.mean())
