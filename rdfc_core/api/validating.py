"""A trained run judged on labelled cases of other places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rdfc_core.plugin.registry import installed
from rdfc_core.results.vocabulary import SELECTED

if TYPE_CHECKING:
    from rdfc_core.interfaces import Executor
    from rdfc_core.results.validation import Validation
    from rdfc_core.utils.progress import Progress


def validate(
    run: str | Path,
    lists: str | Path | Mapping[str, str | Path],
    out: str | Path = "validation",
    *,
    by: Sequence[str] = (),
    method: str = SELECTED,
    overwrite: bool = False,
    store: str | Path | None = None,
    executor: str | Executor = "local",
    progress: Progress | None = None,
) -> Validation:
    """Scores, calibration, subgroups and drift of a saved model on cases of other places.

    Args:
        run: The folder of a finished run.
        lists: A list of labelled cases, or name → list; each is judged by itself.
        out: A folder for ``validation.json`` and ``validation.html``.
        by: Columns of the lists: scores for each of their values.
        method: What the run chose, or one of the candidates that it saved, such as ``probe``.
        overwrite: Replace what is in ``out``.
        store: The file that keeps extracted features; None: in the user's cache.
        executor: What runs the extraction, such as ``local:workers=4``.
        progress: Is told how far the work is.

    Returns:
        What ``validation.json`` holds.

    Raises:
        StudyError: If there is no trained run, no such method, or ``out`` is taken.
        DataError: If a list cannot be used, or holds cases that the run learnt from.

    Example:
        ```python
        rdfc.validate("runs/first", {"Basel": "basel.csv"}, by=["sex"])
        ```
    """
    from rdfc_core.api.context import opened

    named = lists if isinstance(lists, Mapping) else {Path(lists).stem: lists}
    with opened(store, executor, progress) as context:
        from rdfc_core.pipeline.open_run import OpenRun
        from rdfc_core.pipeline.validation import require_free, validate_into

        folder = Path(out)
        require_free(folder, overwrite)
        trained = OpenRun(Path(run).expanduser().resolve(), installed())
        listings = {name: Path(path) for name, path in named.items()}
        found, _ = validate_into(folder, trained, listings, context, by, method)
    return found
