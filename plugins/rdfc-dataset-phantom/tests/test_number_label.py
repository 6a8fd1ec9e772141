"""Phantoms whose label is a number: texture carries it, and size does not."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from rdfc_dataset_phantom.config import PhantomConfig
from rdfc_dataset_phantom.dataset import Phantoms
from rdfc_dataset_phantom.echo_pattern import COARSEST, FINEST, grain_of, pattern_of
from rdfc_dataset_phantom.phantom import mask_of
from rdfc_dataset_phantom.reader import PhantomReader, path_of

NUMBER = {"kind": "texture", "label": "number", "labelled": 1.0, "image_size": (48, 48)}


def numbers(**options: object) -> np.ndarray:
    cases = Phantoms(PhantomConfig(**{**NUMBER, **options})).cases()
    return np.array([float(str(case.label)) for case in cases])


def test_labels_are_numbers_over_the_whole_range_of_grains() -> None:
    found = numbers(cases=400)
    assert FINEST <= found.min() < FINEST + 0.1
    assert COARSEST - 0.1 < found.max() <= COARSEST
    assert len(set(found)) > 350
    assert Phantoms(PhantomConfig(**NUMBER)).classes == ()


def test_a_larger_data_set_begins_with_the_same_numbers_and_a_seed_gives_others() -> None:
    assert numbers(cases=50)[:20].tolist() == numbers(cases=20).tolist()
    assert numbers(cases=20, seed=1).tolist() != numbers(cases=20).tolist()


@pytest.mark.parametrize(("difficulty", "least", "most"), [(0, 0.999, 1), (0.5, 0.8, 0.99)])
def test_the_grain_of_the_echoes_is_the_label(difficulty: float, least: float, most: float) -> None:
    config = PhantomConfig(**NUMBER, cases=200, difficulty=difficulty)
    labels = [grain_of(config, index) for index in range(200)]
    seen = [pattern_of(config, i, np.random.default_rng(i)).grain for i in range(200)]
    assert least < np.corrcoef(labels, seen)[0, 1] <= most + 1e-9


def test_at_the_highest_difficulty_nothing_tells_it() -> None:
    config = PhantomConfig(**NUMBER, cases=200, difficulty=1)
    labels = [grain_of(config, index) for index in range(200)]
    seen = [pattern_of(config, i, np.random.default_rng(i)).grain for i in range(200)]
    assert abs(np.corrcoef(labels, seen)[0, 1]) < 0.2


def test_size_does_not_tell_it() -> None:
    config = PhantomConfig(**NUMBER, cases=120)
    sizes = [mask_of(config, index).sum() for index in range(120)]
    assert abs(np.corrcoef(numbers(cases=120), sizes)[0, 1]) < 0.2


def test_images_of_numbers_have_fingerprints_of_their_own() -> None:
    number = PhantomConfig(**NUMBER)
    classes = number.model_copy(update={"label": "class"})
    prints = [PhantomReader(c).fingerprint(path_of(c, 3, "image")) for c in (number, classes)]
    assert prints[0] != prints[1]


@pytest.mark.parametrize("options", [{"kind": "mixed"}, {"classes": 3}])
def test_other_kinds_have_no_number(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="label is number"):
        PhantomConfig(**{**NUMBER, **options})
