"""Files are replaced whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from rdfc_core.utils.atomic import replacing


def test_what_is_written_takes_the_old_file_s_place(tmp_path: Path) -> None:
    path = tmp_path / "said.csv"
    path.write_text("before", encoding="utf-8")
    with replacing(path) as partial:
        partial.write_text("after", encoding="utf-8")
        assert path.read_text(encoding="utf-8") == "before"
    assert path.read_text(encoding="utf-8") == "after"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_failure_keeps_the_old_file_and_leaves_nothing_else(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "said.csv"
    path.write_text("before", encoding="utf-8")
    with pytest.raises(error), replacing(path) as partial:  # noqa: PT012  (fails half-way)
        partial.write_text("half", encoding="utf-8")
        raise error
    assert path.read_text(encoding="utf-8") == "before"
    assert list(tmp_path.iterdir()) == [path]
