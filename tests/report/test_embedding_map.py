"""The embedding map, the palette and the stored pictures, each against what is known otherwise."""

from __future__ import annotations

import io
from itertools import combinations

import numpy as np
import pytest
from PIL import Image

from rdfc_core.report import images
from rdfc_core.report.palette import CLASSES, DARK, LIGHT, SHAPES, class_colour, class_shape
from rdfc_core.report.projection import assign, project, spread_out
from rdfc_core.report.run_data import Embeddings, RunData
from rdfc_core.report.sections.embedding_map import embedding_map


def run_of(vectors: np.ndarray) -> RunData:
    n = len(vectors)
    ids = tuple(f"c{i}" for i in range(n))
    return RunData(
        "r", embeddings=Embeddings("s", ids, ("train",) * n, ("x",) * n, np.asarray(vectors, float))
    )


def test_tsne_keeps_separate_groups_apart():
    rng = np.random.default_rng(0)
    groups = np.repeat([0, 1, 2], 20)
    vectors = rng.normal(size=(60, 8)) + 12 * np.eye(8)[groups]
    plane, how = project(vectors)
    assert how == "t-SNE"
    distances = np.linalg.norm(plane[:, None] - plane[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (groups[distances.argmin(axis=1)] == groups).all()
    assert plane.min() >= 0
    assert plane.max() <= 1


def test_few_cases_are_mapped_by_principal_components_with_true_proportions():
    vectors = np.array([[0.0, 0, 0], [4, 0, 0], [4, 3, 0], [0, 3, 0]])
    plane, how = project(vectors)
    assert how == "PCA"
    sides = sorted(np.linalg.norm(plane[i] - plane[j]) for i, j in combinations(range(4), 2))
    assert sides == pytest.approx(np.array([3, 3, 4, 4, 5, 5]) / 4)


def test_many_cases_are_mapped_by_principal_components():
    vectors = np.random.default_rng(0).normal(size=(2001, 3))
    assert project(vectors)[1] == "PCA"


def test_collapsed_embeddings_are_called_so():
    vectors = np.tile([0.6, 0.8], (30, 1)) + 1e-9 * np.random.default_rng(0).normal(size=(30, 2))
    found = embedding_map(run_of(vectors))
    assert "the training has collapsed" in found.sentence
    assert found.points == ()


def test_cases_without_a_finite_embedding_are_left_out_and_counted():
    vectors = np.random.default_rng(0).normal(size=(20, 4))
    vectors[3, 1] = np.nan
    vectors[7, 0] = np.inf
    found = embedding_map(run_of(vectors))
    assert len(found.points) == 18
    assert "2 cases with NaN or infinite embeddings are left out." in found.note


def test_spread_out_takes_the_corners_of_a_square_before_its_middle():
    plane = np.array([[0.5, 0.5], [0, 0], [0, 1], [1, 0], [1, 1], [0.4, 0.5]])
    assert sorted(spread_out(plane, np.arange(6), 4)) == [1, 2, 3, 4]
    assert spread_out(plane, np.array([5, 0]), 9) == [5, 0]


def test_lines_to_the_margin_do_not_cross():
    rng = np.random.default_rng(2)
    points = rng.uniform(0.3, 0.7, size=(9, 2))
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    places = 0.5 + 0.5 * np.c_[np.cos(angles), np.sin(angles)]
    chosen = assign(points, places)
    assert len(set(chosen)) == 9

    def side(a, b, c):
        return np.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))

    for i, j in combinations(range(9), 2):
        a, b, c, d = points[i], places[chosen[i]], points[j], places[chosen[j]]
        assert not (side(a, b, c) != side(a, b, d) and side(c, d, a) != side(c, d, b))


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["day", "night"])
def test_colours_have_the_contrast_that_the_accessibility_guidelines_ask_for(colours):
    for ground in ("page", "card"):
        for text in ("ink", "soft", "accent", "warn"):
            assert contrast(colours[text], colours[ground]) >= 4.5
        for name in colours:
            if name.startswith(("class-", "series-")) or name in ("control", "unlabelled"):
                assert contrast(colours[name], colours[ground]) >= 3


def test_palettes_name_the_same_colours_and_no_colour_twice():
    # Figures are drawn by day and their colours replaced by name: two names would be mixed up.
    assert LIGHT.keys() == DARK.keys()
    assert len(set(LIGHT.values())) == len(LIGHT)


def test_colour_and_shape_together_tell_thirty_classes_apart():
    marks = {(class_colour(i), class_shape(i)) for i in range(CLASSES * (len(SHAPES) - 1))}
    assert len(marks) == CLASSES * (len(SHAPES) - 1) == 30


def png(side: int, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    pixels = np.random.default_rng(side).integers(0, 255, (side, side), np.uint8)
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


def test_only_sound_pngs_of_thumbnail_size_reach_the_page():
    whole = png(100)
    stored = {
        "whole": whole,
        "cut": whole[: len(whole) // 2],
        "huge": png(1100),
        "jpeg": png(100, "JPEG"),
        "text": b"<svg onload=alert(1)>",
        "empty": b"",
    }
    assert images.unreadable(stored) == ["cut", "huge", "jpeg", "text", "empty"]
    assert images.gallery_picture(whole).address.startswith("data:image/png;base64,iVBOR")


def test_budget_of_the_map_is_kept_and_the_most_important_come_first():
    stored = {name: png(96) for name in "abcdef"}
    everything = images.map_pictures(stored, "fedcba", 96, 10**9)
    assert list(everything) == list("fedcba")
    budget = sum(len(everything[name]) for name in "fed")
    assert list(images.map_pictures(stored, "fedcba", 96, budget)) == list("fed")
