from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from rdfc_core.case import Tumour
from rdfc_core.errors import DataError, StudyError
from rdfc_core.testing import check_view
from rdfc_view_table.config import TableViewConfig
from rdfc_view_table.view import TableView

ROWS = [("61", "1", "f"), ("48", "2", "M"), ("", "4", " F "), ("75.5", "3", ""), ("52", "9", "m")]
COLUMNS = ("age", "psa", "sex")


def case(*cells: str) -> Tumour:
    return Tumour.without_image(dict(zip(COLUMNS, cells, strict=True)))


def made(**options) -> TableView:
    return TableView(
        TableViewConfig(**{"numbers": ("age", "psa"), "categories": ("sex",)} | options)
    )


def fitted(rows=ROWS, **options):
    view = made(**options)
    prepared = [view.prepare(case(*row)) for row in rows]
    view.fit(prepared)
    return view, prepared


@pytest.mark.parametrize("options", [{}, {"corruption": 0.5, "noise": 0.2, "layers": 3}])
def test_it_keeps_the_promises_of_a_view(options):
    check_view(made(**options), tumours=[case(*row) for row in (*ROWS, ("70", "5", "f"))])


def test_numbers_are_standardised_by_the_values_that_are_there():
    view, prepared = fitted(clip=None)
    table = view.collate(prepared).numpy()
    ages, psa = np.array([61, 48, 75.5, 52]), np.array([1, 2, 4, 3, 9])
    expected = (ages - ages.mean()) / ages.std()
    assert table[[0, 1, 3, 4], 0] == pytest.approx(expected, abs=1e-6)
    assert table[2, 0] == 0
    assert table[:, 1] == pytest.approx((psa - psa.mean()) / psa.std(), abs=1e-6)


def test_what_is_missing_is_marked_where_a_pretext_case_lacks_it_alone():
    view, prepared = fitted()
    table = view.collate([*prepared, view.prepare(case("50", "", "f"))]).numpy()
    assert table.shape == (6, 5)  # age, psa, age missing, f, m
    assert table[:, 2].tolist() == [0, 0, 1, 0, 0, 0]
    assert table[5, 1] == 0  # no pretext case lacks this value: it is the mean, and nothing more


def test_categories_are_words_however_they_are_set_and_others_are_none():
    view, prepared = fitted()
    table = view.collate([*prepared, view.prepare(case("50", "2", "diverse"))]).numpy()
    assert table[:, 3:].tolist() == [[1, 0], [0, 1], [1, 0], [0, 0], [0, 1], [0, 0]]


def test_far_numbers_are_moved_to_the_clip_and_constant_ones_say_nothing():
    rows = [(str(40 + place % 2), "7", "f") for place in range(50)]
    view, _ = fitted(rows, clip=3)
    table = view.collate([view.prepare(case("99", "8", "f"))]).numpy()
    assert table[0].tolist() == [3, 0, 1]


def test_other_cases_do_not_change_what_was_fitted():
    view, prepared = fitted()
    before = {name: array.copy() for name, array in view.state().items()}
    view.collate([view.prepare(case("1000", "-5", "x"))])
    assert all(np.array_equal(before[name], array) for name, array in view.state().items())
    again = made()
    again.load_state(before)
    assert torch.equal(again.collate(prepared), view.collate(prepared))


def test_a_column_is_exchanged_whole():
    rows = [("", "1", "f"), ("1", "2", "m")] * 20
    view, prepared = fitted(rows, corruption=0.5)
    batch = view.collate(prepared)
    seen = view.augment(batch, torch.Generator().manual_seed(0))
    legal = {tuple(row) for row in batch[:, [0, 2]].tolist()}
    assert {tuple(row) for row in seen[:, [0, 2]].tolist()} == legal
    assert (seen[:, 3:].sum(dim=1) == 1).all()
    assert not torch.equal(seen, batch)


def test_noise_is_of_numbers_alone():
    view, prepared = fitted(noise=0.3)
    batch = view.collate(prepared)
    change = view.augment(batch, torch.Generator().manual_seed(0)) - batch
    assert (change[:, :2] != 0).all()
    assert not change[:, 2:].any()


@pytest.mark.parametrize("text", ["old", "1e999", "12 years", "nan"])
def test_another_text_among_numbers_is_refused_by_name(text):
    with pytest.raises(DataError, match=f"column 'age' holds '{text}', which is no number"):
        made().prepare(case(text, "1", "f"))


def test_columns_that_are_empty_everywhere_are_refused():
    view = made(numbers=(), categories=("sex",))
    prepared = [view.prepare(Tumour.without_image({"sex": ""})) for _ in range(3)]
    with pytest.raises(DataError, match="sex are empty in every pretext case"):
        view.fit(prepared)


def test_a_state_of_other_columns_is_refused():
    state = fitted()[0].state()
    with pytest.raises(ValueError, match="of 2 columns of numbers and 1 of categories"):
        made(numbers=("age",)).load_state(state)


def test_no_columns_and_the_label_are_refused():
    with pytest.raises(ValidationError, match="at least one column"):
        TableViewConfig()
    with pytest.raises(StudyError, match="is the label"):
        made(categories=("Label",))
