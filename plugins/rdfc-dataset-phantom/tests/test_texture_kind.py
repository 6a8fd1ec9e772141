"""Phantoms of the kind ``texture``: the class is in an interaction of the echoes alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage, stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from rdfc_core import testing
from rdfc_core.case import Case, Tumour
from rdfc_core.data.dataset_check import check_dataset
from rdfc_core.data.readers.pictures import PictureReader
from rdfc_core.data.readers.volumes import VolumeReader
from rdfc_dataset_phantom.config import PhantomConfig
from rdfc_dataset_phantom.dataset import Phantoms
from rdfc_dataset_phantom.echo_pattern import EchoPattern, archetype_of, echoes, pattern_of
from rdfc_dataset_phantom.files import write
from rdfc_dataset_phantom.scanner import LOOKS, ScannerSettings, scan
from rdfc_dataset_phantom.texture import tumour_of
from rdfc_dataset_phantom.traits import class_of

CASES = 400


def config_of(**options: Any) -> PhantomConfig:
    return PhantomConfig(kind="texture", **options)


def generator_of(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def tumours() -> list[Tumour]:
    cases = Phantoms(config_of(cases=CASES, labelled=CASES, image_size=(72, 72))).cases()
    return [case.load() for case in cases]


@pytest.fixture(scope="module")
def malignant() -> NDArray[np.int64]:
    config = config_of(cases=CASES)
    return np.array([class_of(config, index) for index in range(CASES)])


# The listing


@pytest.mark.parametrize("dimensions", [2, 3])
def test_it_keeps_what_every_data_set_promises(dimensions: int) -> None:
    size = (40, 40) if dimensions == 2 else (24, 32, 32)
    options = {"cases": 16, "dimensions": dimensions, "image_size": size}
    testing.check_dataset(Phantoms(config_of(tumours_per_patient=2, **options)))
    dataset = Phantoms(config_of(labelled=16, **options))
    result = check_dataset(dataset, dataset.cases())
    assert result.problems == []
    assert result.summary.per_class == {"benign": 8, "malignant": 8}


@pytest.mark.parametrize("tumours_per_patient", [1, 3])
@pytest.mark.parametrize("classes", [2, 3, 4])
def test_archetypes_are_balanced_and_neither_grain_nor_skew_tells_the_class(
    classes: int, tumours_per_patient: int
) -> None:
    rounds = 2
    count = rounds * classes**2 * tumours_per_patient
    config = config_of(
        cases=count, classes=classes, tumours_per_patient=tumours_per_patient, labelled=count
    )
    archetypes = [archetype_of(config, index) for index in range(count)]
    labels = [class_of(config, index) for index in range(count)]
    each = rounds * tumours_per_patient
    assert Counter(archetypes) == {
        (grain, skew): each for grain in range(classes) for skew in range(classes)
    }
    for place in (0, 1):  # a level of grain or of skew is as frequent in every class
        together = Counter(
            (one[place], label) for one, label in zip(archetypes, labels, strict=True)
        )
        assert set(together.values()) == {each}
        assert len(together) == classes**2
    if tumours_per_patient == 1:  # so that the few labelled cases are balanced as well
        assert len(set(archetypes[: classes**2])) == classes**2


def test_two_classes_have_the_patterns_of_real_lesions() -> None:
    config = config_of(cases=8, difficulty=0.0)
    found = {
        (
            "fine" if p.grain < 2 else "coarse",
            "dark" if p.skew < 0 else "bright",
            class_of(config, i),
        )
        for i in range(400)
        for p in [pattern_of(config, i, generator_of(i))]
    }
    assert found == {
        ("fine", "dark", 0),
        ("coarse", "bright", 0),
        ("fine", "bright", 1),
        ("coarse", "dark", 1),
    }


def test_more_than_two_classes_are_types() -> None:
    dataset = Phantoms(config_of(cases=6, classes=3, labelled=6))
    assert dataset.classes == ("type 1", "type 2", "type 3")
    assert [case.label for case in dataset.cases()] == list(dataset.classes) * 2


def test_difficulty_draws_the_archetypes_together() -> None:
    def distance(difficulty: float) -> float:
        config = config_of(cases=2, difficulty=difficulty)
        patterns = [pattern_of(config, index, generator_of(index)) for index in range(200)]
        levels = [archetype_of(config, index)[0] for index in range(200)]
        logs = np.log([one.grain for one in patterns])
        fine, coarse = (logs[np.array(levels) == level] for level in (0, 1))
        return float((coarse.mean() - fine.mean()) / max(1e-9, np.sqrt(fine.var() + coarse.var())))

    assert distance(0.0) > 1000  # no spread at all
    assert distance(0.25) > distance(0.5) > distance(0.75) > 1
    assert abs(distance(1.0)) < 0.3


# The images


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({}, (96, 96)),
        ({"image_size": (64, 80)}, (64, 80)),
        ({"image_size": (16, 16)}, (16, 16)),
        ({"dimensions": 3}, (48, 64, 64)),
        ({"dimensions": 3, "image_size": (16, 40, 36), "classes": 4}, (16, 40, 36)),
    ],
)
def test_phantoms_have_the_size_asked_for_and_a_tumour_in_one_piece(
    options: dict[str, Any], shape: tuple[int, ...]
) -> None:
    for case in Phantoms(config_of(cases=8, **options)).cases():
        tumour = case.load()
        assert tumour.image.array.shape == tumour.mask.shape == shape
        assert tumour.image.array.dtype == np.uint8
        assert 0.002 < tumour.mask.mean() < 0.5
        assert ndimage.label(tumour.mask, np.ones((3,) * len(shape)))[1] == 1
        assert tumour.image.spacing_mm == (1.0,) * len(shape)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_phantom_depends_on_options_and_number_alone(dimensions: int) -> None:
    size = (48, 48) if dimensions == 2 else (24, 24, 24)
    options = {"dimensions": dimensions, "image_size": size, "seed": 5}
    few = Phantoms(config_of(cases=4, labelled=2, **options)).cases()
    many = Phantoms(config_of(cases=5000, labelled=0.1, **options)).cases()
    for one, other in zip(reversed(few), reversed(many[:4]), strict=True):
        np.testing.assert_array_equal(one.load().image.array, other.load().image.array)
        np.testing.assert_array_equal(one.load().mask, other.load().mask)
        assert one.fingerprint() == other.fingerprint()


def test_another_kind_seed_class_or_difficulty_is_another_image_and_fingerprint() -> None:
    variants = [{}, {"seed": 1}, {"difficulty": 0.1}, {"classes": 3}, {"kind": "mixed"}]
    configs = [
        PhantomConfig(**{"kind": "texture", "cases": 9, "image_size": (40, 40), **options})
        for options in variants
    ]
    cases = [Phantoms(config).cases()[4] for config in configs]
    assert len({case.fingerprint() for case in cases}) == 5
    assert len({case.load().image.array.tobytes() for case in cases}) == 5


def test_the_kind_that_was_there_before_keeps_its_images_and_its_fingerprints() -> None:
    case = Phantoms(PhantomConfig(cases=5)).cases()[3]
    assert case.fingerprint() == (
        "66a2b41e91b34fefdc4d5cb023a092e42eccce93b7165a141b893ad4bf6add8d"
    )


@pytest.mark.parametrize(("dimensions", "reader"), [(2, PictureReader()), (3, VolumeReader())])
def test_written_phantoms_are_those_made_on_the_fly(
    tmp_path: Path, dimensions: int, reader: PictureReader | VolumeReader
) -> None:
    config = config_of(cases=2, labelled=2, dimensions=dimensions, image_size=(24,) * dimensions)
    folder = write(config, tmp_path / "phantoms").parent
    ending = "png" if dimensions == 2 else "nii.gz"
    for case in Phantoms(config).cases():
        paths = (folder / role / f"{case.case_id}.{ending}" for role in ("image", "mask"))
        written = Case(case.case_id, case.patient_id, *paths, reader=reader).load()
        np.testing.assert_array_equal(written.image.array, case.load().image.array)
        np.testing.assert_array_equal(written.mask, case.load().mask)
        assert written.image.spacing_mm == pytest.approx(case.load().image.spacing_mm)


def test_the_drawn_outline_errs_from_the_true_one_by_some_percent() -> None:
    config = config_of(cases=CASES)
    ratios = []
    for index in range(60):
        one = tumour_of(config, index, (1.0, 1.0), generator_of(index))
        true = one.distance < 1
        assert (one.mask.astype(bool) ^ true).any()
        ratios.append(np.sqrt(one.mask.sum() / true.sum()))
    assert abs(np.mean(ratios) - 1) < 0.03
    assert 0.03 < np.std(ratios) < 0.09


# The physics


@pytest.mark.parametrize("shape", [(220, 200), (60, 50, 60)])
def test_speckle_of_several_looks_has_the_contrast_that_theory_says(shape: tuple[int, ...]) -> None:
    settings = ScannerSettings(gain_db=0, loss_db=0, axial=0.7, dynamic_range_db=60)
    levels = scan(np.zeros(shape, np.float32), settings, generator_of()).astype(float)
    amplitude = 10 ** (((levels / 255 - 1) * 60 + 14) / 20) - 10 ** (-40 / 20)
    intensity = amplitude**2  # of the mean of independent exponential numbers
    assert intensity.mean() / intensity.std() == pytest.approx(np.sqrt(LOOKS), rel=0.05)


def test_gain_and_loss_shift_the_picture_by_their_decibels() -> None:
    def rows(**changed: float) -> NDArray[np.float64]:
        options = {"gain_db": 0.0, "loss_db": 0.0, "axial": 0.7, "dynamic_range_db": 75.0}
        settings = ScannerSettings(**{**options, **changed})
        shown = scan(np.full((120, 400), -10, np.float32), settings, generator_of())
        return shown.mean(axis=1) / 255 * 75

    assert float((rows(gain_db=6) - rows()).mean()) == pytest.approx(6, abs=0.3)
    sloped = rows(loss_db=8) - rows()
    assert sloped[:5].mean() - sloped[-5:].mean() == pytest.approx(8, abs=0.6)


def test_echoes_have_the_grain_the_skew_and_the_contrast_of_their_pattern() -> None:
    shape = (400, 400)
    for grain in (1.3, 4.0):
        for skew in (-1.1, 0.0, 1.1):
            field = echoes(EchoPattern(grain, skew, 6.0), shape, generator_of())
            assert stats.skew(field.ravel()) * np.sign(skew) > 1 or skew == 0
            assert abs(stats.skew(field.ravel())) < 0.3 or skew != 0
            assert 4 < field.std() < 6.5
    # The correlation of noise under a Gaussian of deviation g, g samples apart: e^(−1/4).
    field = echoes(EchoPattern(4.0, 0.0, 6.0), shape, generator_of(1))
    assert np.corrcoef(field[4:].ravel(), field[:-4].ravel())[0, 1] == pytest.approx(
        np.exp(-0.25), abs=0.03
    )


# What a classifier can learn from them


def shape_statistics(tumour: Tumour) -> list[float]:
    """Size, stretch, roughness and place of the outline."""
    inside = np.argwhere(tumour.mask)
    edge = np.argwhere(tumour.mask & ~ndimage.binary_erosion(tumour.mask))
    spread = np.sqrt(np.linalg.eigvalsh(np.cov(inside.T)))
    distance = np.linalg.norm(edge - inside.mean(axis=0), axis=1)
    return [
        np.log(len(inside)),
        spread[0] / spread[1],
        distance.std() / distance.mean(),
        len(edge) / np.sqrt(len(inside)),
        *np.ptp(inside, axis=0),
        *inside.mean(axis=0),
    ]


def surroundings(tumour: Tumour) -> list[float]:
    """Grey levels away from the tumour: gain, loss and range of the scanner, speckle, layers."""
    near = ndimage.binary_dilation(tumour.mask, iterations=7)
    outside = tumour.image.array[~near].astype(float)
    rough = np.abs(np.diff(tumour.image.array.astype(float), axis=1))[~near[:, 1:]]
    return [outside.mean(), outside.std(), float(stats.skew(outside)), rough.mean()]


def echo_statistics(tumour: Tumour) -> list[float]:
    """Grain and skew of the echoes inside."""
    core = ndimage.binary_erosion(tumour.mask, iterations=3)
    image = tumour.image.array.astype(float)
    fine = image - ndimage.gaussian_filter(image, 2.0)
    inside = image[core]
    return [fine[core].std() / (inside.std() + 1e-9), float(stats.skew(inside))]


def auroc(statistics: list[list[float]], labels: NDArray[np.int64], degree: int = 1) -> float:
    """Of a logistic regression, cross-validated."""
    model = make_pipeline(
        StandardScaler(), PolynomialFeatures(degree, include_bias=False), LogisticRegression(C=0.1)
    )
    scores = cross_val_predict(model, np.array(statistics), labels, cv=5, method="predict_proba")
    return float(roc_auc_score(labels, scores[:, 1]))


def test_size_shape_place_and_surroundings_tell_nothing_of_the_class(
    tumours: list[Tumour], malignant: NDArray[np.int64]
) -> None:
    shapes = [shape_statistics(tumour) for tumour in tumours]
    around = [surroundings(tumour) for tumour in tumours]
    # 400 cases: the standard error of an AUROC at chance is 0.029.
    for statistics in ([one[:1] for one in shapes], shapes, around):
        assert 0.4 < auroc(statistics, malignant) < 0.6
        for column in np.array(statistics).T:
            groups = column[malignant == 0], column[malignant == 1]
            assert stats.ks_2samp(*groups).pvalue > 0.001


def test_grain_and_skew_tell_the_class_together_and_neither_alone(
    tumours: list[Tumour], malignant: NDArray[np.int64]
) -> None:
    found = [echo_statistics(tumour) for tumour in tumours]
    grain, skew, added, both = (
        auroc([one[:1] for one in found], malignant),
        auroc([one[1:] for one in found], malignant),
        auroc(found, malignant),
        auroc(found, malignant, degree=2),
    )
    # What is measured is not quite what was drawn: the skew of a few coarse echoes is smaller.
    assert max(grain, skew, added) < 0.7
    assert both > 0.9


def test_at_difficulty_1_nothing_tells_the_class(malignant: NDArray[np.int64]) -> None:
    config = config_of(cases=240, labelled=240, image_size=(72, 72), difficulty=1.0)
    found = [echo_statistics(case.load()) for case in Phantoms(config).cases()]
    assert 0.35 < auroc(found, malignant[:240], degree=2) < 0.65
