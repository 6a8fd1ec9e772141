"""A run folder from somebody else: nothing in it is read that would never end, or fill memory."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rdfc_core import DataError, RdfcError
from rdfc_core.extraction.store import Store
from rdfc_core.pipeline import run as studies
from rdfc_core.pipeline.predict import predict
from rdfc_core.report import parquet, write_report
from rdfc_core.utils.atomic import within
from tests.support import small_study
from tests.support.small_study import QUICK


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


@pytest.mark.parametrize("name", ["model/holdout/weights.safetensors", "model/holdout/model.json"])
def test_a_model_that_never_ends_is_refused(run, cases, run_context, name):
    (run / name).unlink()
    (run / name).symlink_to("/dev/zero")
    with pytest.raises(DataError, match="not a regular file"):
        predict(run, cases[:1], run_context)


@pytest.mark.parametrize("name", ["study.yaml", "results.json", "cases.csv"])
def test_other_files_that_never_end_are_refused(run, cases, run_context, pictures, name):
    (run / name).unlink()
    (run / name).symlink_to("/dev/zero")
    with pytest.raises(RdfcError):
        studies.run(small_study.resolved(pictures, *QUICK), run, run_context)
    if name == "study.yaml":
        with pytest.raises(RdfcError, match="not a regular file"):
            predict(run, cases[:1], run_context)


@pytest.mark.parametrize(
    "rubbish", [b"\xff\xfe\x00", b"case_id\n" + b"x" * 200_000], ids=["no text", "a long cell"]
)
def test_a_list_of_cases_that_is_damaged_is_told_of(run, pictures, run_context, rubbish):
    (run / "cases.csv").write_bytes(rubbish)
    study = small_study.resolved(pictures, *QUICK)
    with pytest.raises(DataError, match=r"cases\.csv cannot be read: .*--overwrite"):
        studies.run(study, run, run_context)
    studies.run(study, run, run_context, overwrite=True)


def test_metrics_that_a_crash_left_as_rubbish_are_dropped(run, pictures, run_context):
    whole = (run / "metrics.jsonl").read_bytes()
    (run / "metrics.jsonl").write_bytes(whole + bytes(100) + b"\xff\xfe{\n")
    studies.run(small_study.resolved(pictures, *QUICK, "pretrain.epochs=4"), run, run_context)
    assert len((run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()) == 4


def test_a_file_is_taken_up_to_its_limit(tmp_path):
    (tmp_path / "x").write_bytes(bytes(10))
    assert within(tmp_path / "x", 10) == tmp_path / "x"
    with pytest.raises(ValueError, match="10 bytes, more than the limit of 9"):
        within(tmp_path / "x", 9)


@pytest.mark.parametrize("what", ["values", "bytes"])
def test_a_table_that_unpacks_to_more_than_the_memory_is_refused(run, monkeypatch, what):
    """A value that repeats takes some bytes in the file, and its full length in memory."""
    if what == "values":
        monkeypatch.setattr(parquet, "MOST_TABLE_VALUES", 10**5)
        table = pa.table({"case_id": ["x"] * 200_000, "png": [b""] * 200_000})
    else:
        monkeypatch.setattr(parquet, "MOST_TABLE_BYTES", 10**5)
        table = pa.table({"case_id": ["x"], "png": [bytes(10**7)]})
    pq.write_table(table, run / "pictures.parquet", compression="zstd")
    assert (run / "pictures.parquet").stat().st_size < 10**5
    with pytest.raises(DataError, match=r"pictures\.parquet cannot be read: .*more than"):
        write_report(run)


def test_cases_share_the_names_of_their_features(cases, registry, pictures, store: Store):
    """A copy of 1,010 names for each of 20,000 cases was half of what a run took."""
    from rdfc_core.extraction.extract import extract
    from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig

    study = small_study.resolved(pictures)
    view = {"radiomics": study.views["radiomics"].build(registry).preparer()}
    found = extract(cases[:5], view, store, LocalExecutor(LocalExecutorConfig(workers=0)))
    one, *others = found.prepared["radiomics"].values()
    assert all(other.names is one.names for other in others)
