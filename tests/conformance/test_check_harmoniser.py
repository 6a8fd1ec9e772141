"""`check_harmoniser` passes a sound component and catches each broken promise."""

import numpy as np
import pytest

from rdfc_core import testing
from rdfc_core.scaffold.templates.harmoniser.config import ExampleConfig
from rdfc_core.scaffold.templates.harmoniser.harmoniser import Example


class LearningFromWhatItTransforms(Example):
    def transform(self, values, columns):
        found = super().transform(values, columns)
        self._shifts = {name: shift + 0.1 for name, shift in self._shifts.items()}
        return found


class LearningFromAnotherPlace(Example):
    def adapt(self, values, columns):
        for name in self._shifts:
            self._shifts[name] = self._shifts[name] - np.nanmean(values, axis=0)
        return ()


class Remembering(Example):
    def fit(self, values, columns):
        super().fit(values, columns)
        self._before = [*getattr(self, "_before", []), values.mean()]

    def state(self):
        return {**super().state(), "before": np.nan_to_num(np.array(self._before))}


class CentringTheCompany(Example):
    def transform(self, values, columns):
        found = super().transform(values, columns)
        return found - np.nanmean(found, axis=0)


class TakingTheFirstCase(Example):
    def fit(self, values, columns):
        super().fit(values, columns)
        self._shifts = {name: shift + values[0, 0] for name, shift in self._shifts.items()}


class FillingWhatIsMissing(Example):
    def transform(self, values, columns):
        return np.nan_to_num(super().transform(values, columns))


class GivingSinglePrecision(Example):
    def transform(self, values, columns):
        return super().transform(values, columns).astype(np.float32)


class TakingAnySite(Example):
    def transform(self, values, columns):
        known = [row["scanner"] in self._shifts for row in columns]
        return super().transform(values, columns) if all(known) else values


class ChangingWhatItIsGiven(Example):
    def transform(self, values, columns):
        found = super().transform(values, columns)
        values += 1
        return found


class ForgettingTheSites(Example):
    def load_state(self, state):
        super().load_state(state)
        self._shifts = {name: 0 * shift for name, shift in self._shifts.items()}


class LoadingNothing(Example):
    def load_state(self, state):
        if state:
            super().load_state(state)


class Mumbling(Example):
    def adapt(self, values, columns):
        return "learnt"


class WithoutColumns(Example):
    def __init__(self, config):
        super().__init__(config)
        self.columns = ()


def test_a_sound_harmoniser_passes():
    testing.check_harmoniser(Example(ExampleConfig()))
    columns = [{"site": name} for name in ("b", "a", "c") * 16]
    testing.check_harmoniser(Example(ExampleConfig(site="site")), columns)


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (LearningFromWhatItTransforms, "another row alone|changes what fit has learnt"),
        (LearningFromAnotherPlace, "of other cases changes what fit has learnt"),
        (Remembering, "remembers earlier cases in 'before'"),
        (CentringTheCompany, "gave a case another row alone"),
        (TakingTheFirstCase, "in another order"),
        (FillingWhatIsMissing, "leave NaN where a feature is missing"),
        (GivingSinglePrecision, "has to give float64"),
        (TakingAnySite, "of an unknown scanner raised nothing"),
        (ChangingWhatItIsGiven, "changed what it was given"),
        (ForgettingTheSites, "does not hold all that fit learnt"),
        (LoadingNothing, "raise ValueError where arrays are missing"),
        (Mumbling, "has to give a tuple of sentences"),
        (WithoutColumns, "has to be a non-empty tuple of names"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_harmoniser_is_caught(kind, complaint):
    with pytest.raises(AssertionError, match=complaint):
        testing.check_harmoniser(kind(ExampleConfig()))
