"""Cases that a study cannot use: left out, told, or the end of it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from rdfc_core import DataError
from rdfc_core.pipeline import run as studies
from rdfc_core.pipeline.case_list import read_cases
from rdfc_core.pipeline.extraction import extract
from tests.support import small_study
from tests.support.case_folder import with_a_volume
from tests.support.small_study import QUICK


def test_cases_that_fail_are_left_out_and_reported(pictures, run_context, tmp_path):
    folder = Path(shutil.copytree(pictures, tmp_path / "own"))
    (folder / "masks" / "case-007.png").unlink()
    study = small_study.resolved(folder, *QUICK, "pretrain.epochs=1")
    results = studies.run(study, tmp_path / "run", run_context)
    [failed] = results.failed
    assert failed["case_id"] == "case-007"
    assert failed["fixable"]
    assert any(one.startswith("1 case") for one in results.warnings)
    assert (
        "case-007"
        not in pq.read_table(tmp_path / "run" / "embeddings.parquet")["case_id"].to_pylist()
    )


def test_if_every_case_fails_the_reason_is_given_once(pictures, run_context, tmp_path):
    folder = Path(shutil.copytree(pictures, tmp_path / "own"))
    shutil.rmtree(folder / "masks")
    with pytest.raises(DataError) as caught:
        studies.run(small_study.resolved(folder, *QUICK), tmp_path / "run", run_context)
    assert str(caught.value).startswith(
        "None of the 36 cases could be used. 36 cases (case-000, case-001, case-002, …): the mask "
        f"{folder}/masks/<case_id>.png does not exist."
    )
    assert str(caught.value).endswith("rdfc datasets check.")


def test_if_a_view_refuses_every_case_it_is_named_and_the_files_are_not(
    pictures, run_context, tmp_path
):
    folder = Path(shutil.copytree(pictures, tmp_path / "own"))
    for image in (folder / "images").iterdir():
        Image.fromarray(np.full((40, 40), 9, np.uint8)).save(image)
    strict = "views.radiomics.extractor.needs_contrast=true"
    with pytest.raises(DataError) as caught:
        studies.run(small_study.resolved(folder, *QUICK, strict), tmp_path / "run", run_context)
    assert "all its voxels have one grey value" in str(caught.value)
    assert "it is the view 'radiomics' that refuses them" in str(caught.value)
    assert "datasets check" not in str(caught.value)


@pytest.mark.parametrize("run", ["first", "second"])
def test_pictures_and_volumes_in_one_data_set_are_told_before_all_is_extracted(
    pictures, run_context, tmp_path, reader, run
):
    folder = with_a_volume(pictures, tmp_path / "own", "case-002")
    study = small_study.resolved(folder, *QUICK)
    if run == "second":  # both kinds lie in the store by then
        for chosen in (slice(2, 3), slice(0, 2), slice(3, None)):
            part = read_cases(study.dataset.build(run_context.registry), reader)[chosen]
            views = {n: v.build(run_context.registry) for n, v in study.views.items()}
            extract(part, views, run_context)
    with pytest.raises(DataError) as caught:
        studies.run(study, tmp_path / "run", run_context)
    assert re.fullmatch(
        r"Case case-00[03] is a picture and case case-002 a volume, and no view can hold both\. "
        r"Keep pictures and volumes in separate studies\.",
        str(caught.value),
    )
    if run == "first":
        # The two cases that the study is tried on, and the volume: three views, size, thumbnail
        # and inspection of each.
        assert run_context.store.count() == 3 * 6
