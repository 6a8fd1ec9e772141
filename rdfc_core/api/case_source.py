"""What users name cases by: cases, pairs of files, a manifest, or a DataFrame of its columns."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeGuard, Union

from rdfc_core.case import Case
from rdfc_core.errors import DataError, with_article
from rdfc_core.pipeline.case_list import cases_to_predict, manifest, refuse_repeated

if TYPE_CHECKING:
    import pandas as pd

    from rdfc_core.config.resolve import ResolvedPart, ResolvedStudy
    from rdfc_core.data.readers.auto import AutoReader
    from rdfc_core.interfaces import Dataset

Pair: TypeAlias = tuple[str | Path, str | Path]
Cases: TypeAlias = Union[
    Case, Sequence[Case], Pair, Sequence[Pair], str, Path, "pd.DataFrame"
]  # fmt: skip
"""A case, several, an (image, mask) pair of files, several, a manifest's path, or a DataFrame with
a manifest's columns (relative paths start from the working directory)."""


class Lists(Protocol):
    """Reads lists of cases and their files; `OpenRun` and `PlainLists` do."""

    @property
    def reader(self) -> AutoReader:
        """Reads the files of cases that have no reader of their own."""

    def dataset(self, listing: Path) -> Dataset:
        """A list as a data set."""


class PlainLists:
    """Reads lists as the data set ``manifest`` does where nothing else is said.

    Args:
        study: Says how its readers read files, and what the columns of a list mean; None: as
            everywhere else.
        readers: Those that are named, by name, in place of the study's.
    """

    def __init__(
        self,
        study: ResolvedStudy | None = None,
        readers: Mapping[str, ResolvedPart] | None = None,
    ) -> None:
        from rdfc_core.data.readers.auto import AutoReader
        from rdfc_core.plugin.registry import installed

        self._study = study
        self.reader = AutoReader.installed(
            installed(), readers or (study.readers if study else None)
        )

    def dataset(self, listing: Path) -> Dataset:
        """A list as a data set; its cases are not trained on."""
        from rdfc_core.plugin.registry import installed

        own: Dataset | None = self._study.build_dataset(installed()) if self._study else None
        return (own.with_list(listing) if own else None) or manifest(listing, installed())


def cases_of(source: Cases, lists: Lists) -> list[Case]:
    """The cases that are meant, each with a reader.

    Args:
        source: Names them.
        lists: Reads lists and files.

    Raises:
        DataError: If there is none, two have one id, or what is given names no cases.
    """
    if isinstance(source, str | Path):
        return _listed(Path(source), lists)
    if _is_frame(source):
        return _of_frame(source, lists)
    if isinstance(source, Case) or _is_pair(source):
        source = [source]
    if not isinstance(source, Sequence) or isinstance(source, bytes):
        raise _not_cases(source)
    if not source:
        raise DataError("There is no case to look at. Give one, or a manifest with rows.")
    cases = [one for one in source if isinstance(one, Case)]
    pairs = [one for one in source if _is_pair(one)]
    if len(pairs) == len(source):
        cases = list(_of_pairs([(Path(image), Path(mask)) for image, mask in pairs]))
    elif len(cases) < len(source):
        raise _not_cases(next(o for o in source if not (isinstance(o, Case) or _is_pair(o))))
    refuse_repeated(cases)
    return lists.reader.given_to(cases)


def _listed(path: Path, lists: Lists) -> list[Case]:
    return cases_to_predict(lists.dataset(path), lists.reader)


def _of_frame(frame: pd.DataFrame, lists: Lists) -> list[Case]:
    """The rows, read by the same code as a file of the same content."""
    if frame.empty:
        raise DataError("The DataFrame has no rows. Give one with a row a case.")
    with tempfile.TemporaryDirectory() as folder:
        listing = Path(folder).resolve() / "manifest.csv"
        frame.to_csv(listing, index=False)
        try:
            cases = _listed(listing, lists)
        except DataError as error:
            told = str(error).replace(str(listing), "The DataFrame as CSV")
            raise DataError(told) from error
        return [_moved(case, listing.parent, Path.cwd()) for case in cases]


def _moved(case: Case, old: Path, new: Path) -> Case:
    """The case with paths that start from another folder."""
    return case.with_files(
        lambda path: new / path.relative_to(old) if path.is_relative_to(old) else path
    )


def _of_pairs(pairs: Sequence[tuple[Path, Path]]) -> Iterator[Case]:
    """A case a pair, called by its image, or by what tells the pairs apart; its own patient."""
    names = [_names(image, mask) for image, mask in pairs]
    for scheme in zip(*names, strict=True):
        if len(set(scheme)) == len(pairs):
            break
    else:
        (image, mask), _ = Counter(pairs).most_common(1)[0]
        raise DataError(f"The image {image} with the mask {mask} is given twice. Drop one of them.")
    images = {image for image, _ in pairs}
    for name, (image, mask) in zip(scheme, pairs, strict=True):
        patient = name if len(images) == len(pairs) else str(image)
        yield Case(name, patient, image.expanduser().resolve(), mask.expanduser().resolve())


def _names(image: Path, mask: Path) -> tuple[str, ...]:
    """How a pair may be called, the shortest first."""
    return image.name.split(".")[0], mask.name.split(".")[0], str(image), f"{image}, {mask}"


def _is_pair(value: Any) -> TypeGuard[Pair]:
    return (
        isinstance(value, tuple)
        and len(value) == 2
        and all(isinstance(path, str | Path) for path in value)
    )


def _is_frame(value: Any) -> bool:
    return hasattr(value, "to_csv") and hasattr(value, "columns")


def _not_cases(value: Any) -> DataError:
    kind = type(value).__name__
    said = with_article(kind) if isinstance(value, Mapping) else f"the {kind} {value!r:.60}"
    return DataError(
        f"Cases are given as {said}. Give Case objects, (image, mask) tuples of paths, the path of "
        "a manifest, or a DataFrame with its columns."
    )
