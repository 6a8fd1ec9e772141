"""A run folder from Python: its results, and its models on other cases."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rdfc_core.api.exporting import RunExport
from rdfc_core.errors import StudyError
from rdfc_core.plugin.registry import installed
from rdfc_core.results import files
from rdfc_core.results.schema import Results
from rdfc_core.results.vocabulary import SELECTED

if TYPE_CHECKING:
    import pandas as pd

    from rdfc_core.api.case_source import Cases
    from rdfc_core.api.encoder import Encoder
    from rdfc_core.api.frames import OnFailure
    from rdfc_core.config.study import Study
    from rdfc_core.interfaces import Executor
    from rdfc_core.pipeline.open_run import OpenRun
    from rdfc_core.utils.progress import Progress


def load_run(folder: str | Path) -> Run:
    """The run in a folder that `run` or ``rdfc run`` wrote.

    Raises:
        StudyError: If the folder holds no run.

    Example:
        ```python
        run = rdfc.load_run("runs/mine")
        run.predict("new_cases.csv")
        ```
    """
    run = Run(folder)
    run._require_run()
    return run


class Run(RunExport):
    """A run: what it found, and its trained models.

    Models are loaded when they are first asked for, and kept. Where a run has several splits, each
    has a model of its own: predictions are the mean over all of them, and embeddings and encoders
    belong to one.

    Args:
        folder: The run folder.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).expanduser().resolve()

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r})"

    def __getstate__(self) -> dict[str, Path]:
        return {"folder": self.folder}  # models are loaded again where it is unpickled

    @property
    def results(self) -> Results:
        """What the run found: ``to_dataframe()`` gives the rows as a table.

        Raises:
            StudyError: If the run is not finished.
            DataError: If the file is damaged.
        """
        path = self.folder / files.RESULTS
        if not path.exists():
            raise StudyError(f"{self.folder} holds no results yet. Finish its study: rdfc run.")
        return Results.read(path)

    @property
    def study(self) -> Study:
        """The run's study, with every option filled in.

        Raises:
            StudyError: If the folder holds no run.
        """
        from rdfc_core.pipeline.run_folder import RunFolder

        return RunFolder(self.folder).load_study()

    @property
    def splits(self) -> tuple[str, ...]:
        """The names of the splits that have a trained model.

        Raises:
            StudyError: If there is none yet.
        """
        return tuple(path.name for path in self._open.place.models())

    @property
    def report(self) -> Path:
        """Where the report is, or will be."""
        return self.folder / files.REPORT

    def write_report(self, again: bool = True) -> Path:
        """Draw ``report.html`` from what the run folder holds.

        Args:
            again: Also where there is one that is newer than the results.

        Raises:
            DataError: If the folder holds none of a run's files, or one of them is damaged.
        """
        from rdfc_core.report import write_report

        results = self.folder / files.RESULTS
        there = not again and self.report.exists() and results.exists()
        if there and self.report.stat().st_mtime_ns >= results.stat().st_mtime_ns:
            return self.report
        return write_report(self.folder)

    def predict(
        self,
        cases: Cases,
        *,
        method: str = SELECTED,
        store: str | Path | None = None,
        executor: str | Executor = "local",
        errors: OnFailure = "raise",
        progress: Progress | None = None,
        by: Literal["case", "patient"] = "case",
        pool: Literal["mean", "max"] = "mean",
    ) -> pd.DataFrame:
        """Class probabilities: ``case_id``, ``predicted``, and ``p_CLASS`` for each class.

        Of a regression ``predicted`` is the number. Beside these, as far as the run has kept what
        they need: ``prediction_set`` (the classes that the case may have, joined by ``; ``) and
        ``certain`` (whether it is a single one), of a regression ``lower`` and ``upper``; ``at_…``,
        what each operating point of the study says; ``distance_percentile`` (0 to 100, among the
        training cases), ``unlike_training`` and ``neighbours``. Rows of patients have none of them.

        Args:
            cases: `Case` objects, (image, mask) tuples of paths, a manifest's path, or a DataFrame
                with a manifest's columns.
            method: What the run chose, or one of the candidates that it saved, such as ``probe``.
            store: The file that keeps extracted features; None: in the user's cache.
            executor: What runs the extraction, such as ``local:workers=4``.
            errors: ``raise`` if a case cannot be used, or ``skip``: warn, and leave it out.
            progress: Is told how far the work is.
            by: A row a ``case``, or a ``patient`` with ``patient_id`` and the number of ``cases``.
            pool: Of a patient's cases: the ``mean`` of their probabilities, or ``max``, the case
                that is likeliest of the second of two classes.

        Returns:
            A row a case or patient, in the order in which they are given.

        Raises:
            StudyError: If there is no trained run, no such method, or what a case is differs.
            DataError: If a case cannot be used.
        """
        import pandas as pd

        from rdfc_core.api.case_source import cases_of
        from rdfc_core.api.context import opened
        from rdfc_core.api.frames import refuse_failed

        with opened(store, executor, progress) as context:
            from rdfc_core.pipeline.guarded_predictions import predict_guarded
            from rdfc_core.pipeline.patient_predictions import pooled

            chosen = cases_of(cases, self._open)
            said, _ = predict_guarded(self._open, chosen, context, method)
            found = pooled(said, by, pool)
        refuse_failed(found.failures, len(chosen), errors)
        return pd.DataFrame(found.rows(), columns=found.columns)

    def embed(
        self,
        cases: Cases | None = None,
        *,
        store: str | Path | None = None,
        executor: str | Executor = "local",
        errors: OnFailure = "raise",
        progress: Progress | None = None,
    ) -> pd.DataFrame:
        """Joint embeddings: ``split``, ``part``, ``case_id``, ``label``, and a column a number.

        Each split has a network and a space of its own: compare vectors of one split alone.

        Args:
            cases: As of `predict`; None: the run's own cases, with the part that each had.
            store: As of `predict`.
            executor: As of `predict`.
            errors: As of `predict`.
            progress: As of `predict`.

        Returns:
            A row a split and case; the numbers are in the columns ``e0``, ``e1``, ….

        Raises:
            StudyError: If there is no trained run, or what a case is differs from the run.
            DataError: If a case cannot be used.
        """
        import pandas as pd

        from rdfc_core.api.case_source import cases_of
        from rdfc_core.api.context import opened
        from rdfc_core.api.frames import embedding_rows, refuse_failed, table_of

        if cases is None:
            table = table_of(self.folder, files.EMBEDDINGS)
            vectors = pd.DataFrame(table.pop("vector").tolist(), dtype="float32")
            return pd.concat([table, vectors.add_prefix("e")], axis=1)
        with opened(store, executor, progress) as context:
            from rdfc_core.pipeline.predict import embed

            chosen = cases_of(cases, self._open)
            embedded, failures = embed(self._open, chosen, context)
        refuse_failed(failures, len(chosen), errors)
        rows, columns = embedding_rows(embedded)
        return pd.DataFrame(rows, columns=columns)

    def features(
        self,
        cases: Cases | None = None,
        *,
        store: str | Path | None = None,
        executor: str | Executor = "local",
        errors: OnFailure = "raise",
        progress: Progress | None = None,
    ) -> pd.DataFrame:
        """Handcrafted features as measured: the case, and a column ``VIEW.NAME`` a feature.

        Args:
            cases: As of `predict`; None: the run's own cases.
            store: As of `predict`.
            executor: As of `predict`.
            errors: As of `predict`.
            progress: As of `predict`.

        Returns:
            A row a case; NaN where a case lacks a feature.

        Raises:
            StudyError: If there is no trained run, or what a case is differs from the run.
            DataError: If a case cannot be used.
        """
        from rdfc_core.api.case_source import cases_of
        from rdfc_core.api.context import opened
        from rdfc_core.api.frames import feature_frame, refuse_failed, table_of

        if cases is None:
            return table_of(self.folder, files.FEATURES)
        with opened(store, executor, progress) as context:
            from rdfc_core.pipeline.predict import features

            chosen = cases_of(cases, self._open)
            extraction = features(self._open, chosen, context)
        refuse_failed(extraction.failures, len(chosen), errors)
        return feature_frame(extraction, prefixed=True)

    def encoder(self, view: str = "image", split: str | None = None) -> Encoder:
        """The pretrained network of a view, with its preprocessing; a new one at each call.

        Args:
            view: The view's name in the study.
            split: Whose network, where the run has several splits.

        Raises:
            StudyError: If there is no trained run, or several splits and none is named.
            DataError: If the pretext trained no network of this view.
        """
        from rdfc_core.api.encoder import encoder_of

        there = self.splits
        if split is None and len(there) > 1:
            raise StudyError(
                f"The run has a network for each of {len(there)} splits. Name one, such as "
                f"split={there[0]!r}."
            )
        if split is not None and split not in there:
            raise StudyError(f"The run has no split {split!r}. It has: {', '.join(there)}.")
        model = self._open.model(split or there[0])
        return encoder_of(view, model, self._open, self._open.definition)

    @cached_property
    def _open(self) -> OpenRun:
        from rdfc_core.pipeline.open_run import OpenRun

        return OpenRun(self.folder, installed())

    def _require_run(self) -> None:
        from rdfc_core.pipeline.run_folder import RunFolder

        place = RunFolder(self.folder)
        if not place.is_run():
            place.read_study()  # a folder without one is refused here
            raise StudyError(
                f"{self.folder} is no run folder: its study.yaml was written by hand. Name the "
                "folder that rdfc run wrote."
            )
