"""``rdfc store check``: what the store holds of a study is measured again."""

from __future__ import annotations

import io
import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rdfc_core import DataError
from rdfc_core.extraction.extract import extract, keys_of
from rdfc_core.extraction.fingerprints import fingerprints, view_fingerprints
from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
from rdfc_core.extraction.store import Store
from rdfc_core.extraction.store_check import check_store, difference
from rdfc_core.interfaces import Prepared
from rdfc_core.pipeline import run as studies
from rdfc_core.utils.progress import Progress
from tests.support import small_study
from tests.support.command import HERE
from tests.support.small_study import QUICK

ALONE = LocalExecutor(LocalExecutorConfig(workers=0))


@pytest.fixture
def preparers(pictures, registry):
    study = small_study.resolved(pictures)
    return {
        name: part.build(registry).preparer()
        for name, part in study.views.items()
        if name != "image"
    }


@pytest.fixture
def filled(cases, preparers, store) -> Store:
    extract(cases, preparers, store, ALONE)
    return store


def stored_keys(cases, preparers):
    prints, _ = fingerprints(cases, Progress())
    return keys_of(view_fingerprints(cases, prints, preparers)[0], preparers)


def poison(store: Store, cases, preparers, case_id: str, view: str, by: str) -> None:
    """Store what the view makes of one case under the key of another one."""
    keys = stored_keys(cases, preparers)
    wrong = store.get(keys[by, view])
    store.remove([keys[case_id, view]])
    store.put(keys[case_id, view], preparers[view].recipe(), wrong)


def test_a_sound_store_is_found_sound_and_loses_nothing(filled, cases, preparers):
    before = filled.count()
    found = check_store(cases, preparers, filled, ALONE, None)
    assert (found.stored, found.checked, len(found.unlike)) == (36, 36, 0)
    assert filled.count() == before
    assert check_store(cases, preparers, filled, ALONE, 5).checked == 5


def test_what_differs_is_named_and_removed_and_then_made_anew(filled, cases, preparers):
    poison(filled, cases, preparers, "case-003", "radiomics", by="case-010")
    before = filled.count()
    [unlike] = check_store(cases, preparers, filled, ALONE, None).unlike
    assert (unlike.case_id, unlike.view) == ("case-003", "radiomics")
    assert "features differ, such as original_firstorder_Mean" in unlike.what
    assert filled.count() == before - 1
    again = extract(cases, preparers, filled, ALONE)
    np.testing.assert_array_equal(
        again.prepared["radiomics"]["case-003"].array,
        preparers["radiomics"].prepare(cases[3].load()).array,
    )


def test_of_other_cases_nothing_is_said_or_removed(filled, cases, preparers):
    poison(filled, cases, preparers, "case-003", "radiomics", by="case-010")
    others = [case for case in cases if case.case_id != "case-003"]
    before = filled.count()
    assert not check_store(others, preparers, filled, ALONE, None).unlike
    assert filled.count() == before


def array_file(array) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


DAMAGE = {
    "no array": ("array", b"rubbish"),
    "nothing": ("array", b""),
    "cut short": ("array", array_file(np.zeros(8))[:-3]),
    "no bytes": ("array", "text"),
    "no reasons": ("missing", "{"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_an_entry_that_is_damaged_ends_a_run_by_a_sentence_and_is_removed_by_the_check(
    filled, cases, preparers, damage
):
    key = stored_keys(cases, preparers)["case-001", "radiomics"]
    column, content = DAMAGE[damage]
    with sqlite3.connect(filled.path) as database:
        database.execute(f"UPDATE prepared SET {column} = ? WHERE key = ?", (content, key))
    again = Store(filled.path)
    with pytest.raises(DataError, match=r"holds a damaged result .*rdfc store check STUDY"):
        extract(cases, preparers, again, ALONE)
    [unlike] = check_store(cases, preparers, again, ALONE, None).unlike
    assert (unlike.case_id, unlike.view) == ("case-001", "radiomics")
    assert "cannot be read" in unlike.what
    assert len(extract(cases, preparers, again, ALONE).cases) == 36


def test_a_case_whose_files_are_gone_is_a_failure_only_if_it_was_stored(filled, cases, preparers):
    gone = replace(cases[0], mask=Path("nowhere.png"))
    found = check_store([gone, *cases[1:]], preparers, filled, ALONE, None)
    assert (found.stored, found.failures) == (35, [])


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.uint8])
def test_rounding_is_no_difference_and_all_else_is(dtype):
    rows, other = np.array([[1, 100, 7]], dtype), np.array([[1, 101, 7]], dtype)
    assert difference(Prepared(rows), Prepared(rows.copy())) == ""
    assert "1 of 3 values differ" in difference(Prepared(rows), Prepared(other))
    with_nan = np.array([1.0, np.nan])
    assert difference(Prepared(with_nan), Prepared(with_nan * (1 + 1e-9))) == ""
    assert difference(Prepared(with_nan), Prepared(np.array([1.0, 2.0])))
    assert "is stored" in difference(Prepared(rows), Prepared(rows[0]))


def test_the_command_names_what_it_removes(pictures, run_context, registry, tmp_path, rdfc_here):
    study = small_study.resolved(pictures, *QUICK)
    studies.run(study, tmp_path / "run", run_context, until="extract")
    args = ("store", "check", tmp_path / "run", "--store", run_context.store.path, *HERE[:2])
    sound = rdfc_here(*args, "--all")
    assert sound.code == 0, sound.err
    assert "36 of 36 stored cases were measured again: 0 results differed" in sound.out
    with sqlite3.connect(run_context.store.path) as database:
        database.execute("UPDATE prepared SET array = ? WHERE recipe LIKE '%'", (b"rubbish",))
    found = json.loads(rdfc_here(*args, "--cases", 2, "--json").out)
    assert found["checked"] == 2
    assert {one["view"] for one in found["unlike"]} == {
        "radiomics",
        "image",
        "greys",
        "size",
        "picture",
        "inspection",
    }
    after = rdfc_here(*args, "--all")
    assert after.code == 2
    assert "Removed: case-" in after.out
    assert "again with --overwrite" in after.err
    assert run_context.store.count() == 0
