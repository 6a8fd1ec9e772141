"""Phantoms: reproducible, lazily made, and telling their class as far as they should."""

from __future__ import annotations

import csv
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError
from scipy import ndimage
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rdfc_core import testing
from rdfc_core.case import Case, Tumour
from rdfc_core.data.dataset_check import check_dataset
from rdfc_core.data.readers.pictures import PictureReader
from rdfc_core.data.readers.volumes import VolumeReader
from rdfc_core.errors import DataError
from rdfc_core.plugin.registry import installed
from rdfc_dataset_phantom.config import PhantomConfig
from rdfc_dataset_phantom.dataset import Phantoms
from rdfc_dataset_phantom.fields import smooth_noise
from rdfc_dataset_phantom.files import write
from rdfc_dataset_phantom.reader import PhantomReader
from rdfc_dataset_phantom.shape import relative_radius
from rdfc_dataset_phantom.traits import Traits
from rdfc_dataset_phantom.ultrasound import _speckle


def phantoms(**options: Any) -> Phantoms:
    return Phantoms(PhantomConfig(**options))


def test_the_plugin_keeps_what_every_plugin_promises() -> None:
    testing.check_plugin("rdfc-dataset-phantom")
    assert installed().get("dataset", "phantom").load() is Phantoms


@pytest.mark.parametrize("dimensions", [2, 3])
def test_it_keeps_what_every_data_set_promises(dimensions: int) -> None:
    testing.check_dataset(phantoms(cases=20, dimensions=dimensions, tumours_per_patient=2))


# The listing


def test_the_first_cases_are_labelled_and_the_rest_are_not() -> None:
    labels = [case.label for case in phantoms(cases=10, labelled=4).cases()]
    assert labels == ["benign", "malignant", "benign", "malignant"] + [None] * 6
    assert sum(case.label is not None for case in phantoms(cases=10, labelled=0.7).cases()) == 7
    assert sum(case.label is not None for case in phantoms(cases=10, labelled=1.0).cases()) == 10
    assert sum(case.label is not None for case in phantoms(cases=10, labelled=1).cases()) == 1


def test_tumours_of_a_patient_share_patient_and_class() -> None:
    cases = phantoms(cases=9, tumours_per_patient=3, labelled=9).cases()
    assert len({case.patient_id for case in cases}) == 3
    assert [case.label for case in cases] == ["benign"] * 3 + ["malignant"] * 3 + ["benign"] * 3


def test_more_than_two_classes_are_grades() -> None:
    dataset = phantoms(cases=8, classes=4, labelled=8)
    assert dataset.classes == ("grade 1", "grade 2", "grade 3", "grade 4")
    assert [case.label for case in dataset.cases()] == list(dataset.classes) * 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": (40, 40), "dimensions": 3}, "2 numbers, and dimensions is 3"),
        ({"image_size": (8, 40)}, "greater than or equal to 16"),
        ({"labelled": 301}, "labelled is 301, and there are 300 cases"),
        ({"labelled": 1.5}, "less than or equal to 1"),
        ({"classes": 5}, "less than or equal to 4"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        PhantomConfig(**options)


# The images


@pytest.mark.parametrize(
    ("options", "shape", "dtype"),
    [
        ({}, (128, 160), np.uint8),
        ({"image_size": (96, 50)}, (96, 50), np.uint8),
        ({"dimensions": 3}, (24, 64, 64), np.int16),
        ({"dimensions": 3, "image_size": (16, 40, 36)}, (16, 40, 36), np.int16),
    ],
)
def test_phantoms_have_the_size_asked_for_and_a_tumour_in_one_piece(
    options: dict[str, Any], shape: tuple[int, ...], dtype: type
) -> None:
    for case in phantoms(cases=6, **options).cases():
        tumour = case.load()
        assert tumour.image.array.shape == tumour.mask.shape == shape
        assert tumour.image.array.dtype == dtype
        assert 0.001 < tumour.mask.mean() < 0.5
        assert ndimage.label(tumour.mask, np.ones((3,) * len(shape)))[1] == 1


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_phantom_depends_on_options_and_number_alone(dimensions: int) -> None:
    few = phantoms(cases=4, labelled=2, dimensions=dimensions, seed=5).cases()
    many = phantoms(cases=5000, labelled=0.1, dimensions=dimensions, seed=5).cases()
    for one, other in zip(reversed(few), reversed(many[:4]), strict=True):
        np.testing.assert_array_equal(one.load().image.array, other.load().image.array)
        np.testing.assert_array_equal(one.load().mask, other.load().mask)
        assert one.fingerprint() == other.fingerprint()
        assert one.case_id == other.case_id


def test_another_seed_number_or_difficulty_is_another_image_and_fingerprint() -> None:
    variants = [{}, {"seed": 1}, {"difficulty": 0.1}, {"image_size": (128, 161)}]
    cases = [phantoms(cases=2, **options).cases()[0] for options in variants]
    cases.append(phantoms(cases=2).cases()[1])
    assert len({case.fingerprint() for case in cases}) == 5
    images = {case.load().image.array.tobytes() for case in cases}
    assert len(images) == 5
    assert cases[0].reader is not None
    fingerprint = cases[0].reader.fingerprint
    assert fingerprint(cases[0].image) != fingerprint(cases[0].mask)


def test_cases_travel_to_worker_processes() -> None:
    case = phantoms(cases=2).cases()[1]
    copy = pickle.loads(pickle.dumps(case))
    np.testing.assert_array_equal(copy.load().image.array, case.load().image.array)


def test_a_path_that_stands_for_no_phantom_is_refused() -> None:
    reader = PhantomReader(PhantomConfig())
    assert reader.reads(Path("phantom/2d/case_00012/image"))
    assert not reader.reads(Path("image/case_00012.png"))
    with pytest.raises(DataError, match="stands for no phantom"):
        reader.read_image(Path("image/case_00012.png"))


@pytest.mark.parametrize("dimensions", [2, 3])
def test_phantoms_pass_the_check_of_a_data_set(dimensions: int) -> None:
    dataset = phantoms(cases=12, labelled=12, dimensions=dimensions)
    result = check_dataset(dataset, dataset.cases())
    assert result.problems == []
    assert result.summary.per_class == {"benign": 6, "malignant": 6}


# What they are made of


ROUND = Traits(0.5, 0.0, 4, 1, 1, 0.2, radius=0.25, stretch=1.0)


def test_a_tumour_without_irregularity_is_a_ball() -> None:
    disc = relative_radius(ROUND, (200, 260), (1.0, 1.0), np.random.default_rng(0)) < 1
    assert disc.sum() == pytest.approx(math.pi * 50**2, rel=0.01)
    ball = relative_radius(ROUND, (40, 100, 100), (2.0, 0.8, 0.8), np.random.default_rng(0)) < 1
    assert ball.sum() * 2.0 * 0.8 * 0.8 == pytest.approx(4 / 3 * math.pi * 20**3, rel=0.02)


def test_speckle_follows_a_rayleigh_distribution() -> None:
    amplitude = _speckle((600, 800), 1.4, np.random.default_rng(0))
    assert np.mean(amplitude**2) == pytest.approx(1, rel=0.03)
    assert amplitude.mean() / amplitude.std() == pytest.approx(
        math.sqrt(math.pi / (4 - math.pi)), rel=0.02
    )


@pytest.mark.parametrize("sigma", [(0.7, 1.4), (3.0, 10.0), (0.0, 20.0)])
def test_smooth_noise_has_variance_one(sigma: tuple[float, ...]) -> None:
    noise = smooth_noise((500, 600), sigma, np.random.default_rng(0))
    assert noise.var() == pytest.approx(1, rel=0.1)
    assert noise.dtype == np.float32


def test_tumours_in_ultrasound_are_darker_than_what_is_around_them() -> None:
    darker = []
    for case in phantoms(cases=30).cases():
        tumour = case.load()
        image = tumour.image.array.astype(float)
        ring = ndimage.binary_dilation(tumour.mask, iterations=6) & ~tumour.mask
        darker.append(image[tumour.mask].mean() < image[ring].mean())
    assert np.mean(darker) > 0.9


# What a classifier can learn from them


def shape_statistics(tumour: Tumour) -> list[float]:
    """Roughness of the outline: the spread of its distance once size and stretch are taken out."""
    spacing = np.array(tumour.image.spacing_mm)
    inside = np.argwhere(tumour.mask) * spacing
    edge = np.argwhere(tumour.mask & ~ndimage.binary_erosion(tumour.mask)) * spacing
    root = np.linalg.inv(np.linalg.cholesky(np.cov(inside.T)))
    distance = np.linalg.norm((edge - inside.mean(axis=0)) @ root.T, axis=1)
    return [
        distance.std() / distance.mean(),
        len(edge) / len(inside) ** ((tumour.ndim - 1) / tumour.ndim),
    ]


def texture_statistics(tumour: Tumour) -> list[float]:
    """Brightness against the surroundings, and spread with and without speckle."""
    image = tumour.image.array.astype(float)
    smooth = ndimage.gaussian_filter(image, 1.5 if tumour.ndim == 2 else (0.5, 1, 1))
    core = ndimage.binary_erosion(tumour.mask, iterations=2)
    core = core if core.any() else tumour.mask
    ring = ndimage.binary_dilation(tumour.mask, iterations=5) & ~tumour.mask
    return [
        image[tumour.mask].std(),
        smooth[core].std(),
        float(np.ptp(np.percentile(smooth[core], (10, 90)))),
        image[tumour.mask].mean() - image[ring].mean(),
    ]


def auroc(statistics: list[list[float]], labels: NDArray[np.int64]) -> float:
    """Of a logistic regression, cross-validated."""
    model = make_pipeline(StandardScaler(), LogisticRegression())
    scores = cross_val_predict(model, np.array(statistics), labels, cv=5, method="predict_proba")
    return float(roc_auc_score(labels, scores[:, 1]))


def test_shape_and_texture_each_tell_a_part_of_the_class_and_together_more() -> None:
    cases = phantoms(cases=300, labelled=300, image_size=(96, 120)).cases()
    labels = np.array([case.label == "malignant" for case in cases]).astype(np.int64)
    tumours = [case.load() for case in cases]
    shape = [shape_statistics(tumour) for tumour in tumours]
    texture = [texture_statistics(tumour) for tumour in tumours]
    size = [[math.log(tumour.mask.sum())] for tumour in tumours]
    both = auroc([s + t for s, t in zip(shape, texture, strict=True)], labels)
    assert 0.74 < both < 0.92
    assert 0.62 < auroc(shape, labels) < both - 0.02
    assert 0.62 < auroc(texture, labels) < both - 0.02
    assert 0.35 < auroc(size, labels) < 0.65


@pytest.mark.parametrize(("difficulty", "low", "high"), [(0.0, 0.85, 1.0), (1.0, 0.3, 0.68)])
def test_difficulty_runs_from_easy_to_hopeless(difficulty: float, low: float, high: float) -> None:
    options = {"cases": 120, "labelled": 120, "image_size": (80, 100)}
    cases = phantoms(difficulty=difficulty, **options).cases()
    labels = np.array([case.label == "malignant" for case in cases]).astype(np.int64)
    tumours = [case.load() for case in cases]
    both = [shape_statistics(tumour) + texture_statistics(tumour) for tumour in tumours]
    assert low < auroc(both, labels) < high


# Phantoms as files


@pytest.mark.parametrize(("dimensions", "reader"), [(2, PictureReader()), (3, VolumeReader())])
def test_written_phantoms_are_those_made_on_the_fly(
    tmp_path: Path, dimensions: int, reader: PictureReader | VolumeReader
) -> None:
    config = PhantomConfig(cases=4, labelled=2, dimensions=dimensions, tumours_per_patient=2)
    manifest = write(config, tmp_path / "phantoms")
    rows = list(csv.DictReader(manifest.open(encoding="utf-8")))
    for row, case in zip(rows, Phantoms(config).cases(), strict=True):
        paths = (manifest.parent / row[role] for role in ("image", "mask"))
        written = Case(row["case_id"], row["patient_id"], *paths, reader=reader).load()
        made = case.load()
        np.testing.assert_array_equal(written.image.array, made.image.array)
        np.testing.assert_array_equal(written.mask, made.mask)
        assert written.image.spacing_mm == pytest.approx(made.image.spacing_mm)
        assert (row["patient_id"], row["label"]) == (case.patient_id, case.label or "")
    with pytest.raises(DataError, match=r"manifest\.csv exists"):
        write(config, tmp_path / "phantoms")


@pytest.mark.parametrize("kind", ["mixed", "texture"])
def test_results_on_phantoms_are_called_an_illustration(kind):
    told = Phantoms(PhantomConfig(kind=kind)).illustration
    assert "illustration, and no evidence on patients" in told
    assert ("weak here by design" in told) == (kind == "texture")
