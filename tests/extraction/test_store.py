"""The store: one SQLite file that keeps what it holds, whatever happens to its processes."""

from __future__ import annotations

import contextlib
import sqlite3
from multiprocessing.context import ForkServerContext as Processes
from pathlib import Path

import numpy as np
import pytest

from rdfc_core import DataError
from rdfc_core.extraction.store import Store, key_of, recipe_id
from rdfc_core.interfaces import Prepared
from tests.support import jobs

RECIPE = {"view": "x", "version": 1}


def count(path: Path) -> int:
    with sqlite3.connect(path) as database:
        return int(database.execute("SELECT count(*) FROM prepared").fetchone()[0])


def test_what_is_put_comes_back_with_type_names_and_reasons(store: Store):
    array = np.array([[1.5, np.nan], [-np.inf, 0.1]], np.float32)
    store.put("k", RECIPE, Prepared(array, ("a", "b"), {"b": "too small"}))
    found = store.get("k")
    np.testing.assert_array_equal(found.array, array)
    assert found.array.dtype == np.float32
    assert (found.names, dict(found.missing)) == (("a", "b"), {"b": "too small"})


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float64, np.bool_])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3, 4)])
def test_any_shape_and_real_type_is_kept(store: Store, dtype, shape):
    array = np.ones(shape, dtype)
    store.put("k", RECIPE, Prepared(array))
    assert store.get("k").array.dtype == dtype
    assert store.get("k").array.shape == shape


def test_an_array_that_would_need_pickle_is_refused(store: Store):
    with pytest.raises(ValueError, match="allow_pickle"):
        store.put("k", RECIPE, Prepared(np.array([object()])))
    assert store.known(["k"]) == set()


def test_known_keys_are_found_among_thousands(store: Store):
    for key in ("a", "b"):
        store.put(key, RECIPE, Prepared(np.zeros(1)))
    assert store.known(["a", *(f"no-{i}" for i in range(2000)), "b"]) == {"a", "b"}
    assert store.known([]) == set()
    with pytest.raises(KeyError):
        store.get("c")


def test_a_key_that_is_there_already_stays(store: Store):
    store.put("k", RECIPE, Prepared(np.zeros(1)))
    store.put("k", RECIPE, Prepared(np.ones(1)))
    assert store.get("k").array[0] == 0


def test_keys_depend_on_content_and_recipe_and_not_on_the_order_of_the_recipe():
    recipe = recipe_id({"a": 1, "b": {"c": 2, "d": 3}})
    assert recipe == recipe_id({"b": {"d": 3, "c": 2}, "a": 1})
    assert recipe != recipe_id({"a": 1, "b": {"c": 2, "d": 4}})
    assert len({key_of("f", recipe), key_of("g", recipe), key_of("f", "other")}) == 3


def test_the_recipe_is_kept_beside_its_results(store: Store):
    store.put("k", RECIPE, Prepared(np.zeros(1)))
    with sqlite3.connect(store.path) as database:
        [(text,)] = database.execute("SELECT recipe FROM recipes").fetchall()
    assert text == '{"version": 1, "view": "x"}'


@pytest.mark.parametrize("content", [b"this is no database at all" * 100, b"SQLite format 3\0cut"])
def test_a_file_that_is_no_store_is_refused_and_left_alone(tmp_path: Path, content: bytes):
    path = tmp_path / "store.sqlite"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"store\.sqlite cannot be used: .*--store"):
        Store(path)
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path):
    path = tmp_path / "places.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE moz_places (url TEXT)")
    database.close()
    before = path.read_bytes()
    with pytest.raises(DataError, match=r"another program \(it holds the table moz_places\)"):
        Store(path)
    assert path.read_bytes() == before
    path.write_bytes(b"")  # an empty file is an empty database
    Store(path).close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"file/store\.sqlite cannot be used"):
        Store(tmp_path / "file" / "store.sqlite")


def test_what_was_reported_as_stored_survives_sigkill(tmp_path: Path, processes: Processes):
    path = tmp_path / "store.sqlite"
    stored = -1
    for wanted in (3, 11, 12):
        ours, theirs = processes.Pipe(duplex=False)
        process = processes.Process(target=jobs.put_rows, args=(path, stored + 1, 9999, theirs))
        process.start()
        theirs.close()
        while stored < wanted:
            stored = ours.recv()
        process.kill()  # SIGKILL, most likely in the midst of the next put
        process.join()
        with contextlib.suppress(EOFError):
            while True:
                stored = ours.recv()
        store = Store(path)
        keys = [f"key-{place}" for place in range(stored + 1)]
        assert store.known(keys) == set(keys)
        assert all(store.get(f"key-{p}").array[-1] == p for p in range(stored + 1))
        with sqlite3.connect(path) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        store.close()


def test_two_processes_write_to_one_store_at_once(tmp_path: Path, processes: Processes):
    path = tmp_path / "store.sqlite"
    writers = []
    for start in (0, 20):  # half of the keys are the same
        ours, theirs = processes.Pipe(duplex=False)
        process = processes.Process(target=jobs.put_rows, args=(path, start, start + 40, theirs))
        process.start()
        writers.append((process, ours))
    for process, ours in writers:
        process.join(timeout=120)
        assert process.exitcode == 0
        assert len([ours.recv() for _ in range(40)]) == 40
    assert count(path) == 60
    store = Store(path)
    assert all(store.get(f"key-{p}").array[0] == p for p in range(60))
    store.close()


def test_a_full_disk_gives_one_sentence_and_loses_nothing(small_disk):
    disk = small_disk("1m")
    store = Store(disk / "store.sqlite")
    places = iter(range(1000))

    def fill() -> None:
        for place in places:
            store.put(f"key-{place}", RECIPE, Prepared(np.full(2000, place)))

    with pytest.raises(DataError, match="What it held is kept") as caught:
        fill()
    stored = next(places) - 1
    assert stored > 10
    assert str(caught.value).startswith(f"The store {store.path} cannot be used: ")
    assert "\n" not in str(caught.value)
    assert all(store.get(f"key-{place}").array[0] == place for place in range(stored))
    store.close()
    again = Store(disk / "store.sqlite")
    assert again.known([f"key-{place}" for place in range(1000)]) == {
        f"key-{place}" for place in range(stored)
    }
    again.close()


def test_a_limit_on_the_files_size_is_met_like_a_full_disk(tmp_path: Path, processes: Processes):
    path = tmp_path / "store.sqlite"
    ours, theirs = processes.Pipe(duplex=False)
    process = processes.Process(target=jobs.put_rows_within, args=(path, 400_000, theirs))
    process.start()
    process.join(timeout=120)
    stored, sentence = ours.recv()
    assert sentence.startswith(f"The store {path} cannot be used: ")
    assert 10 < stored == count(path)


def test_several_results_are_stored_together_or_not_at_all(store: Store):
    good, bad = Prepared(np.zeros(1)), Prepared(np.array([object()]))
    with pytest.raises(ValueError, match="allow_pickle"):
        store.put_all([("a", RECIPE, good), ("b", RECIPE, bad)])
    assert store.known(["a", "b"]) == set()
    store.put_all([("a", RECIPE, good), ("b", {"view": "other"}, good)])
    assert store.known(["a", "b"]) == {"a", "b"}


def test_stores_merge_into_one_that_holds_each_result_once(store: Store, tmp_path: Path):
    other = Store(tmp_path / "other store.sqlite")
    store.put("mine", RECIPE, Prepared(np.zeros(1), ("a",)))
    store.put("both", RECIPE, Prepared(np.zeros(1), ("a",)))
    other.put("both", RECIPE, Prepared(np.ones(1), ("a",)))
    other.put("theirs", {"view": "y"}, Prepared(np.full(2, 7.0), ("b", "c"), {"c": "no"}))
    other.close()
    assert store.merge(other.path) == 1
    assert store.merge(other.path) == 0
    assert store.count() == count(store.path) == 3
    assert store.get("both").array == [0]  # what is there stays
    taken = store.get("theirs")
    assert (taken.array.tolist(), taken.names, dict(taken.missing)) == (
        [7, 7],
        ("b", "c"),
        {"c": "no"},
    )
    assert count(other.path) == 2


def test_what_is_no_store_is_not_merged(store: Store, tmp_path: Path):
    (tmp_path / "text.sqlite").write_text("no database")
    store.put("mine", RECIPE, Prepared(np.zeros(1)))
    for path in (tmp_path / "nowhere.sqlite", store.path):
        with pytest.raises(DataError, match="is no other store"):
            store.merge(path)
    with pytest.raises(DataError, match=r"text\.sqlite cannot be used: file is not a database"):
        store.merge(tmp_path / "text.sqlite")
    assert store.count() == 1
    assert not (tmp_path / "nowhere.sqlite").exists()
