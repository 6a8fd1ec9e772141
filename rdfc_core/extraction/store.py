"""The store: what views made of cases, kept in one SQLite file and keyed by content.

A result is committed the moment it arrives, so a process may be killed at any time: nothing that
was stored is lost, and nothing is stored twice. Failures are not stored; they are tried again.
"""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from rdfc_core.errors import DataError, PluginError
from rdfc_core.interfaces.prepared import Prepared

SCHEMA = """
CREATE TABLE IF NOT EXISTS recipes (id TEXT PRIMARY KEY, recipe TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS names (id TEXT PRIMARY KEY, names TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS prepared (
    key TEXT PRIMARY KEY,
    recipe TEXT NOT NULL REFERENCES recipes (id),
    names TEXT NOT NULL REFERENCES names (id),
    array BLOB NOT NULL,
    missing TEXT NOT NULL
) WITHOUT ROWID;
"""
BUSY_SECONDS = 60
MOST_KEPT = 1000
"""Texts whose content is kept for further cases."""
REMARKS = ""
"""Stands among the missing features in the place of a name, and holds the remarks: stores of before
have no column for them."""
LOOKUP = 500  # SQLite takes a limited number of values in one query


def default_store() -> Path:
    """The store in the user's cache folder."""
    return Path(platformdirs.user_cache_dir("rdfc")) / "store.sqlite"


def recipe_id(recipe: Mapping[str, Any]) -> str:
    """The same for the same recipe, whatever the order of its keys.

    Raises:
        PluginError: If the recipe is no JSON.
    """
    try:
        return _digest(json.dumps(recipe, sort_keys=True))
    except TypeError as error:
        raise PluginError(
            f"The recipe {str(recipe)[:120]} is no JSON ({error}). The view or extractor that "
            "gives it has to use plain strings, numbers, lists and dicts."
        ) from error


def key_of(case_fingerprint: str, recipe: str) -> str:
    """The key of one case prepared by one recipe (given by its id)."""
    return _digest(f"{case_fingerprint}|{recipe}")


class Store:
    """One SQLite file; several processes may use it at once.

    Args:
        path: The file; it and its folder are made if need be.

    Raises:
        DataError: If the file cannot be opened or is no store.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # Thousands of cases have the same names, and miss the same features for the same reason.
        self._names: dict[str, tuple[str, ...]] = {}
        self._missing: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {}
        with self._errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path.resolve().as_uri(), timeout=BUSY_SECONDS, uri=True)
            self._refuse_others()
            self._db.executescript(SCHEMA)

    def _refuse_others(self) -> None:
        """Check that the file is no database of another program, before tables are made in it."""
        tables = [name for (name,) in self._db.execute("SELECT name FROM sqlite_master")]
        if tables and "prepared" not in tables:
            self._db.close()
            raise DataError(
                f"{self.path} is a database of another program (it holds the table {tables[0]}), "
                "and is left as it is. Name another file with --store."
            )

    def known(self, keys: Sequence[str]) -> set[str]:
        """Which of the keys are stored."""
        found: set[str] = set()
        with self._errors():
            for start in range(0, len(keys), LOOKUP):
                part = keys[start : start + LOOKUP]
                marks = ",".join("?" * len(part))
                rows = self._db.execute(f"SELECT key FROM prepared WHERE key IN ({marks})", part)
                found.update(key for (key,) in rows)
        return found

    def get(self, key: str) -> Prepared:
        """What is stored under the key.

        Raises:
            KeyError: If nothing is.
            DataError: If it is damaged.
        """
        with self._errors():
            row = self._db.execute(
                "SELECT array, names.names, missing FROM prepared "
                "JOIN names ON names.id = prepared.names WHERE key = ?",
                (key,),
            ).fetchone()
        if row is None:
            raise KeyError(key)
        try:
            return self._prepared(*row)
        except (ValueError, TypeError, EOFError) as error:
            raise DataError(
                f"The store {self.path} holds a damaged result ({' '.join(str(error).split())}). "
                "rdfc store check STUDY names and removes what is damaged; it is then made anew."
            ) from error

    def _prepared(self, data: bytes, names: str, reasons: str) -> Prepared:
        array = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
        if names not in self._names:
            self._names[names] = tuple(json.loads(names))
        told = self._missing.get(reasons)
        if told is None:
            missing = json.loads(reasons)
            remarks = missing.pop(REMARKS, "")
            told = missing, tuple(remarks.split("\n")) if remarks else ()
            if len(self._missing) < MOST_KEPT:
                self._missing[reasons] = told
        return Prepared(array, self._names[names], *told)

    def put(self, key: str, recipe: Mapping[str, Any], prepared: Prepared) -> None:
        """Store one result, durably, before returning; a key that is there already stays.

        Raises:
            DataError: If the disk is full or the file cannot be written.
        """
        self.put_all([(key, recipe, prepared)])

    def put_all(self, entries: Iterable[tuple[str, Mapping[str, Any], Prepared]]) -> None:
        """Store several results (key, recipe, result) as one: all of them or none.

        Waiting for the disk is what storing costs, and it is done once for all.

        Raises:
            DataError: If the disk is full or the file cannot be written.
        """
        with self._errors(), self._db:
            for key, recipe, prepared in entries:
                self._insert(key, recipe, prepared)

    def _insert(self, key: str, recipe: Mapping[str, Any], prepared: Prepared) -> None:
        blob = io.BytesIO()
        np.save(blob, prepared.array, allow_pickle=False)
        names = json.dumps(list(prepared.names))
        identity = recipe_id(recipe)
        self._db.execute(
            "INSERT OR IGNORE INTO recipes VALUES (?, ?)",
            (identity, json.dumps(recipe, sort_keys=True)),
        )
        self._db.execute("INSERT OR IGNORE INTO names VALUES (?, ?)", (_digest(names), names))
        remarks = {REMARKS: "\n".join(prepared.remarks)} if prepared.remarks else {}
        missing = json.dumps({**prepared.missing, **remarks})
        self._db.execute(
            "INSERT OR IGNORE INTO prepared VALUES (?, ?, ?, ?, ?)",
            (key, identity, _digest(names), blob.getvalue(), missing),
        )

    def remove(self, keys: Sequence[str]) -> None:
        """Forget what is stored under the keys; it is made anew when it is next wanted.

        Raises:
            DataError: If the file cannot be written.
        """
        with self._errors(), self._db:
            self._db.executemany("DELETE FROM prepared WHERE key = ?", [(key,) for key in keys])

    def merge(self, other: Path) -> int:
        """Take over everything that another store holds and this one does not.

        Args:
            other: Its file, which is only read.

        Returns:
            How many results were new.

        Raises:
            DataError: If either file cannot be used, or the other is no store.
        """
        if not other.is_file() or other.resolve() == self.path.resolve():
            raise DataError(
                f"{other} is no other store. Name the files that rdfc extract --store wrote."
            )
        with self._errors(other):
            self._db.execute("ATTACH DATABASE ? AS other", (f"{other.resolve().as_uri()}?mode=ro",))
            try:
                with self._db:
                    for table in ("recipes", "names"):
                        self._db.execute(
                            f"INSERT OR IGNORE INTO main.{table} SELECT * FROM other.{table}"
                        )
                    added = self._db.execute(
                        "INSERT OR IGNORE INTO main.prepared SELECT * FROM other.prepared"
                    )
            finally:
                self._db.execute("DETACH DATABASE other")
        return added.rowcount

    def count(self) -> int:
        """How many results are stored."""
        with self._errors():
            return int(self._db.execute("SELECT count(*) FROM prepared").fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def _errors(self, path: Path | None = None) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise DataError(
                f"The store {path or self.path} cannot be used: {error}. What it held is kept; "
                "free some space or mend its permissions, or name another file with --store."
            ) from error


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
