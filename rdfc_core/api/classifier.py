"""rdfc as an estimator of scikit-learn."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from rdfc_core.api.case_source import Lists, PlainLists, cases_of
from rdfc_core.api.context import opened
from rdfc_core.api.frames import unusable
from rdfc_core.config.load import Overrides, Source, load, load_study
from rdfc_core.config.study import Study
from rdfc_core.errors import DataError, StudyError
from rdfc_core.plugin.registry import installed
from rdfc_core.results import files
from rdfc_core.results.vocabulary import CLASSIFICATION, SELECTED

if TYPE_CHECKING:
    from rdfc_core.case import Case
    from rdfc_core.interfaces import Executor
    from rdfc_core.pipeline.open_run import OpenRun

DATASET = {"name": "manifest", "csv": "manifest.csv"}
"""What a study says of its data set where it has none: the cases are those that are given."""

_opened: WeakKeyDictionary[RdfcClassifier, tuple[Mapping[str, bytes], OpenRun]] = (
    WeakKeyDictionary()
)
"""Fitted estimators whose models are loaded; beside them, so that predicting changes nothing."""


class RdfcClassifier(TransformerMixin, ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Pretrains on all cases, then trains and chooses a classifier by the labels.

    ``X`` names cases: a DataFrame with a manifest's columns (``case_id``, ``image``, ``mask``,
    ``patient_id``, …; paths start from the working directory), or a list of `Case` or of
    (image, mask) tuples. In ``y``, None or NaN marks a case without a label, which serves
    pretraining alone. Cases of one patient stay together wherever something is held back; for
    cross-validation, pass the patients as ``groups`` to `GroupKFold`.

    A fitted estimator holds its models itself: it can be pickled, and needs no folder.

    Args:
        study: A study file, its content or a `Study`: views, pretext, pretraining, evaluation. Its
            data set is not used but for what it says of columns and images, its split not at all.
            None: rdfc's defaults, which take hours on a CPU.
        overrides: Set over it, such as ``{"pretrain.steps": 2000}``.
        method: What predicts: ``selected`` by inner folds, or a candidate, such as ``probe``.
        random_state: Seed of everything random; None: the study's.
        store: The file that keeps extracted features; None: in the user's cache.
        executor: What runs the extraction, such as ``local:workers=4``.

    Attributes:
        classes_: The labels in order.
        model_: The study and the trained model, by the names of their files.
        n_embedding_: The width of what `transform` gives.
    """

    def __init__(
        self,
        study: Source | None = None,
        *,
        overrides: Overrides | None = None,
        method: str = SELECTED,
        random_state: int | None = None,
        store: str | Path | None = None,
        executor: str | Executor = "local",
    ) -> None:
        self.study = study
        self.overrides = overrides
        self.method = method
        self.random_state = random_state
        self.store = store
        self.executor = executor

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803  (scikit-learn's names)
        """Pretrain, and train and choose a classifier.

        Args:
            X: N cases.
            y: (N,) labels; None or NaN where there is none.

        Raises:
            StudyError: If the study does not fit.
            DataError: If a case cannot be used, or there are fewer than two classes.
        """
        overrides: dict[str, Any] = {}
        if self.random_state is not None:
            overrides["seed"] = int(self.random_state)
        study = load_study(self._study(), self.overrides or ())
        resolved = load(study, overrides, installed())
        if resolved.task != CLASSIFICATION:
            raise StudyError(
                f"The study's task is {resolved.task}, and this is a classifier. Leave task "
                "out, or run the study with rdfc_core.run, whose result predicts numbers."
            )
        cases = _cases(X, PlainLists(resolved))
        self.classes_, places = _encoded(y, len(cases))
        names = [str(label) for label in self.classes_.tolist()]
        labelled = [
            replace(case, label=None if place < 0 else names[place])
            for case, place in zip(cases, places, strict=True)
        ]
        from rdfc_core.pipeline.final_model import train_on_all

        with (
            tempfile.TemporaryDirectory() as folder,
            opened(self.store, self.executor) as context,
        ):
            run = Path(folder).resolve() / "run"
            failures = train_on_all(resolved, labelled, names, run, context)
            if failures:
                raise DataError(f"{unusable(failures, len(cases))} Drop them from X and y.")
            self.model_ = _files(run)
        self.n_embedding_ = self.transform(cases[:1]).shape[1]
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """Class probabilities, (N, C), in the order of ``classes_``.

        Raises:
            NotFittedError: Before `fit`.
            DataError: If a case cannot be used.
            StudyError: If what a case is differs from those that were fitted, or there is no such
                method.
        """
        check_is_fitted(self)
        cases = _cases(X, self._run())
        from rdfc_core.pipeline.predict import predict

        with opened(self.store, self.executor) as context:
            found = predict(self._run(), cases, context, self.method)
        self._refuse(found.failures, cases)
        return found.probabilities

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """The likeliest class of each case, (N,); raises as `predict_proba`."""
        check_is_fitted(self)
        likeliest: NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return likeliest

    def transform(self, X: Any) -> NDArray[np.float32]:  # noqa: N803
        """Joint embeddings, (N, D); raises as `predict_proba`."""
        check_is_fitted(self)
        cases = _cases(X, self._run())
        from rdfc_core.pipeline.predict import embed

        with opened(self.store, self.executor) as context:
            embedded, failures = embed(self._run(), cases, context)
        self._refuse(failures, cases)
        return np.array([one.vector for one in embedded], np.float32)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """The columns of `transform`: ``e0``, ``e1``, …."""
        check_is_fitted(self)
        return np.array([f"e{place}" for place in range(self.n_embedding_)], object)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True  # paths and names
        return tags

    def _study(self) -> Source:
        if self.study is None:
            return {"dataset": DATASET}
        if isinstance(self.study, Mapping) and not isinstance(self.study, Study):
            return {"dataset": DATASET, **self.study}
        return self.study

    def _run(self) -> OpenRun:
        """The model as a run, loaded from what `fit` has kept."""
        from rdfc_core.pipeline.open_run import OpenRun

        kept = _opened.get(self)
        if kept is not None and kept[0] is self.model_:
            return kept[1]
        with tempfile.TemporaryDirectory() as folder:
            for name, content in self.model_.items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            run = OpenRun(Path(folder), installed())
            _ = run.models, run.reader  # all that the folder is needed for
        _opened[self] = self.model_, run
        return run

    @staticmethod
    def _refuse(failures: Sequence[Any], cases: Sequence[Case]) -> None:
        if failures:
            raise DataError(f"{unusable(failures, len(cases))} Drop them from X.")


def _cases(X: Any, lists: Lists) -> list[Case]:  # noqa: N803
    if isinstance(X, str | Path):
        raise DataError("X is a path. Read it first, as by pandas.read_csv: y has a label a row.")
    if isinstance(X, np.ndarray):
        raise DataError(
            "X is an array. Give a DataFrame with the columns image and mask, or a list of Case: "
            "rdfc measures pictures itself."
        )
    return cases_of(X, lists)


def _encoded(y: Any, count: int) -> tuple[NDArray[Any], list[int]]:
    """The classes, and the place of each label among them; −1 for a case without one.

    Raises:
        DataError: If there is not a label a case, or fewer than two classes.
    """
    labels = [] if y is None else list(y)
    if len(labels) != count:
        raise DataError(f"y has {len(labels)} labels and X {count} cases. Give one for each.")
    missing = [label is None or label != label for label in labels]  # NaN differs from itself
    known = [label for label, without in zip(labels, missing, strict=True) if not without]
    classes = np.unique(np.array(known)) if known else np.array([])
    if len(classes) < 2:
        raise DataError(
            f"y has {len(classes)} class{'es' * (len(classes) != 1)}. A classifier needs cases of "
            "at least 2 classes."
        )
    places = {label: place for place, label in enumerate(classes.tolist())}
    return classes, [
        -1 if without else places[np.asarray(label).item()]
        for label, without in zip(labels, missing, strict=True)
    ]


def _files(run: Path) -> dict[str, bytes]:
    """What predicting needs of a run folder, by relative path."""
    needed = [run / files.STUDY, *sorted((run / files.MODELS).rglob("*"))]
    return {
        path.relative_to(run).as_posix(): path.read_bytes() for path in needed if path.is_file()
    }
