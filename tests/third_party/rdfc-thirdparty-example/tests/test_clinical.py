import numpy as np
import pytest
from rdfc_core.case import Tumour
from rdfc_core.errors import DataError, StudyError
from rdfc_core.testing import check_view

from rdfc_thirdparty_example.clinical import Clinical
from rdfc_thirdparty_example.config import ClinicalConfig


def case(age: str, sex: str) -> Tumour:
    return Tumour.without_image({"age": age, "sex": sex})


ROWS = [("61", "f"), ("48", "m"), ("", "f"), ("75.5", ""), ("52", "m"), ("70", "f")]


@pytest.fixture
def view() -> Clinical:
    return Clinical(ClinicalConfig(numbers=("age",), categories=("sex",)))


def test_the_view_keeps_its_promises(view):
    check_view(view, tumours=[case(*row) for row in ROWS])


def test_numbers_are_standardised_and_words_become_columns(view):
    prepared = [view.prepare(case(*row)) for row in ROWS]
    view.fit(prepared)
    ages = np.array([61, 48, 75.5, 52, 70])
    table = view.collate(prepared).numpy()
    assert table[:, 0] == pytest.approx(
        [(a - ages.mean()) / ages.std() if a else 0.0 for a in (61, 48, None, 75.5, 52, 70)],
        abs=1e-6,
    )
    assert table[:, 1].tolist() == [0, 0, 1, 0, 0, 0]
    assert table[:, 2:].tolist() == [[1, 0], [0, 1], [1, 0], [0, 0], [0, 1], [1, 0]]


def test_a_word_among_numbers_is_refused_by_name(view):
    with pytest.raises(DataError, match="the column 'age' holds 'old', which is no number"):
        view.prepare(case("old", "f"))


def test_the_label_is_no_column():
    with pytest.raises(StudyError, match="'label' is the label"):
        Clinical(ClinicalConfig(categories=("label",)))
