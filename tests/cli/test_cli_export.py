"""``rdfc export``: what it writes, and what it refuses."""

from __future__ import annotations

import json

import numpy as np
import onnxruntime
import pytest

from rdfc_core import load_run
from rdfc_core.cli import export as command
from rdfc_core.export import exporting


def test_the_written_example_is_what_the_model_says(rdfc_here, finished, tmp_path):
    done = rdfc_here("export", finished, "--out", tmp_path / "o", "--json")
    assert done.code == 0, done.err
    written = [tmp_path / "o" / name for name in ("model.onnx", "model.json", "example.npz")]
    assert json.loads(done.out) == [str(path) for path in written]
    card = json.loads(written[1].read_text())
    with np.load(written[2]) as example:
        given = {one["name"]: example[one["name"]] for one in card["inputs"]}
        expected = example["probabilities"]
    session = onnxruntime.InferenceSession(written[0], providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, given)[0], expected, rtol=0, atol=1e-5)
    assert card["classes"] == ["benign", "malignant"]
    for one in card["inputs"]:
        assert given[one["name"]].shape[1:] == tuple(one["shape"][1:])
        assert given[one["name"]].dtype.name == one["dtype"]
    features = next(one for one in card["inputs"] if one["kind"] == "features")
    assert (
        tuple(features["names"])
        == load_run(finished)._open.models["holdout"].views["radiomics"].names
    )
    assert card["method"]["splits"] == {"holdout": {"members": {"probe": 1.0}}}
    assert card["provenance"]["dataset"] == "manifest"
    assert card["cases"]["mask_values"] == [None]
    again = rdfc_here("export", finished, "--out", tmp_path / "o")
    again.refused("--out", "is not empty", "--overwrite")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("--format", "onx"), "there is no such format. Did you mean"),
        (("--split", "fold-9"), "--split fold-9: the run has holdout."),
        (("--method", "radiomics"), "this run has saved the linear probe alone"),
    ],
)
def test_what_is_not_there_is_refused_by_a_sentence(rdfc_here, finished, tmp_path, asked, words):
    rdfc_here("export", finished, "--out", tmp_path / "o", *asked).refused(words)
    assert not (tmp_path / "o").exists()


def test_a_run_is_not_exported_into_a_run(rdfc_here, finished):
    rdfc_here("export", finished, "--out", finished).refused("is the folder of a run")


def test_the_formats_are_those_of_the_help():
    text = command.export.__doc__ or ""
    assert [one in text.lower() for one in exporting.FORMATS] == [True] * len(exporting.FORMATS)
