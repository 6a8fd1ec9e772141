"""`rdfc.extract_features`: a table of features without any study."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

import rdfc_core as rdfc
from rdfc_core import DataError, PluginError, StudyError
from tests.support.command import HERE

EXECUTOR = HERE[1]
MEAN = {"imageType": {"Original": {}}, "featureClass": {"firstorder": ["Mean", "Maximum"]}}


@pytest.fixture
def extract(tmp_path, registry):
    """Extraction in this process, with a store of its own."""

    def call(cases, *arguments, **options) -> pd.DataFrame:
        store = tmp_path / "store.sqlite"
        return rdfc.extract_features(cases, *arguments, store=store, executor=EXECUTOR, **options)

    return call


@pytest.fixture(scope="module")
def pairs(pictures) -> list[tuple[str, str]]:
    listed = pd.read_csv(pictures / "manifest.csv")[:3]
    return [
        (str(pictures / image), str(pictures / mask))
        for image, mask in zip(listed["image"], listed["mask"], strict=True)
    ]


def grey_inside(pair, value=None) -> np.ndarray:
    image, mask = (np.array(Image.open(path)) for path in pair)
    return image[mask != 0 if value is None else mask == value].astype(float)


def test_values_are_those_of_the_pixels_inside_the_mask(extract, pairs):
    table = extract(pairs, MEAN)
    columns = ["original_firstorder_Mean", "original_firstorder_Maximum"]
    assert list(table.columns) == ["case_id", "patient_id", "label", *columns]
    assert list(table["case_id"]) == ["case-000", "case-001", "case-002"]
    for row, pair in zip(table.itertuples(), pairs, strict=True):
        grey = grey_inside(pair)
        assert row.original_firstorder_Mean == pytest.approx(grey.mean())
        assert row.original_firstorder_Maximum == grey.max()


def test_parameters_are_a_mapping_or_a_file_and_cases_any_list(extract, pairs, pictures, tmp_path):
    table = extract(pairs, MEAN)
    file = tmp_path / "Params.yaml"
    file.write_text(yaml.safe_dump(MEAN), encoding="utf-8")
    for parameters in (file, str(file)):
        pd.testing.assert_frame_equal(extract(pairs, parameters), table)
    listed = extract(pictures, MEAN)
    assert len(listed) == 36
    numbers = list(table.columns[3:])
    pd.testing.assert_frame_equal(listed.loc[:2, numbers], table[numbers])
    assert set(listed["label"].dropna()) == {"benign", "malignant"}
    one = extract(pairs[1], MEAN)
    pd.testing.assert_frame_equal(one, table[1:2].reset_index(drop=True))


def test_the_value_that_marks_the_tumour_is_chosen(extract, pairs, tmp_path):
    image, mask = pairs[0]
    values = (np.array(Image.open(mask)) != 0).astype(np.uint8) * 2
    inside = np.argwhere(values)
    values[tuple(inside[len(inside) // 2 :].T)] = 3
    path = tmp_path / "two.png"
    Image.fromarray(values).save(path)
    for value in (2, 3):
        table = extract((image, path), MEAN, mask_value=value)
        grey = grey_inside((image, path), value)
        assert table["original_firstorder_Mean"][0] == pytest.approx(grey.mean())
    with pytest.raises(DataError, match="empty at value 7"):
        extract((image, path), MEAN, mask_value=7)


def test_another_extractor_takes_options_as_in_a_study(extract, pairs):
    wide = extract(pairs, extractor={"name": "outline", "percentile": 40})
    narrow = extract(pairs, extractor="outline:percentile=5")
    assert len(wide.columns) == 3 + 12
    assert (narrow["original_firstorder_Low"] < wide["original_firstorder_Low"]).all()


def test_a_case_that_cannot_be_measured_is_raised_or_left_out(extract, pairs, caplog):
    broken = [pairs[0], (pairs[1][0], "nowhere.png")]
    with pytest.raises(DataError, match=r"1 of 2 cases.*nowhere\.png.*errors='skip'"):
        extract(broken, MEAN)
    table = extract(broken, MEAN, errors="skip")
    assert list(table["case_id"]) == ["case-000"]
    assert "nowhere.png" in caplog.text


def test_what_does_not_fit_is_refused_by_one_sentence(extract, pairs):
    with pytest.raises(PluginError, match=r"no feature extractor 'nativ'.*'native'"):
        extract(pairs, extractor="nativ")
    with pytest.raises(StudyError, match="no-such-set"):
        extract(pairs, "no-such-set")
    with pytest.raises(StudyError, match="executor is an int"):
        rdfc.extract_features(pairs, MEAN, executor=3)
