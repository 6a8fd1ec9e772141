"""A case: one tumour as files on disk, in one image or several."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from rdfc_core.case.files import ReadsFiles, place_of, reader_of, state_of
from rdfc_core.case.fingerprint import fingerprint_of
from rdfc_core.case.loading import LoadedCase
from rdfc_core.case.tumour import Needs, Tumour, WhichComponent, is_label
from rdfc_core.errors import DataError
from rdfc_core.mask_grid import MaskGrid

IMAGE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class Case:
    """One tumour: where its image and mask are, whose it is, and its label if it has one.

    A case of several images is made by `of_images`.

    Args:
        case_id: Unique within the data set.
        patient_id: Cases of one patient are never split between training and test.
        image: The image file; of several the main one, otherwise the first.
        mask: The mask file of that image.
        label: The class, or None for a case without a diagnosis.
        mask_value: The value in the mask that marks the tumour; None takes every value but 0.
        component: ``all`` of the mask, only its ``largest`` connected component, or the n-th
            largest: one lesion of several in a mask.
        columns: Whatever else the data set says about the case, as text.
        reader: Reads the files; a study fills it in where the data set leaves it open.
        mask_grid: What is done about a mask on another grid; a study's feature extractor says it.
        images: Name → file of each image, where images have names.
        masks: Name → mask file of each of them.
        main: The image that views measure which name none; None: they are refused if there are
            several.
        view_columns: The columns that views may ask for. Never the label.

    Raises:
        DataError: If images and masks do not fit together, or a column for views is missing.
    """

    case_id: str
    patient_id: str
    image: Path
    mask: Path
    label: str | None = None
    mask_value: int | None = None
    component: WhichComponent = "all"
    columns: Mapping[str, str] = field(default_factory=dict)
    reader: ReadsFiles | None = None
    mask_grid: MaskGrid = field(default_factory=MaskGrid)
    images: Mapping[str, Path] = field(default_factory=dict)
    masks: Mapping[str, Path] = field(default_factory=dict)
    main: str | None = None
    view_columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.images or self.masks or self.main or self.view_columns:
            fault = self._fault()
            if fault:
                raise DataError(f"Case {self.case_id}: {fault}")

    @classmethod
    def of_images(
        cls,
        case_id: str,
        patient_id: str,
        images: Mapping[str, Path],
        mask: Path | Mapping[str, Path],
        *,
        main: str | None = None,
        **further: Any,
    ) -> Self:
        """A case of one or more named images.

        Args:
            case_id: As of any case.
            patient_id: As of any case.
            images: Name, such as ``t1`` → file.
            mask: The mask of all of them, or the name of each → its mask.
            main: The image that views measure which name none.
            further: What else a case has: ``label``, ``columns``, ….

        Raises:
            DataError: If there is no image, or masks are not those of the images.
        """
        shared = dict.fromkeys(images, mask) if isinstance(mask, Path) else dict(mask)
        first = main if main is not None else next(iter(images), None)
        if first not in images or first not in shared:
            raise DataError(
                f"Case {case_id}: there is no image with a mask called {first!r}; it has the "
                f"images {', '.join(images) or '(none)'} and masks of "
                f"{', '.join(shared) or '(none)'}. Give each image a mask."
            )
        files = images[first], shared[first]
        return cls(
            case_id, patient_id, *files, images=dict(images), masks=shared, main=main, **further
        )

    def load(self, needs: Needs | None = None) -> Tumour:
        """Read what is needed and check, once and here, that it fits.

        Args:
            needs: Of a view; None: the one image.

        Raises:
            DataError: If the case does not have what is needed, a file is missing or damaged, the
                grids differ, image and mask have changed places, the mask is empty, or an image
                holds NaN or infinite samples. The message starts with the case.
        """
        return LoadedCase(self).seen(needs or Needs())

    def load_each(self, needs: Mapping[str, Needs]) -> dict[str, Tumour]:
        """View → what it gets; each file is read once, however many views need it.

        Args:
            needs: View → what it needs.

        Raises:
            DataError: As `load`.
        """
        loaded = LoadedCase(self)
        seen = {asked: loaded.seen(asked) for asked in set(needs.values())}
        return {view: seen[asked] for view, asked in needs.items()}

    def fingerprint(
        self,
        files: MutableMapping[tuple[int, Path], str] | None = None,
        needs: Needs | None = None,
    ) -> str:
        """Changes when what is needed, what the mask means, or how the files are read, changes.

        Args:
            files: (Reader's id, file) → fingerprint of the file, taken just before for other cases;
                those that are taken are added.
            needs: Of a view; None: all images, and the columns that views may see.

        Raises:
            DataError: If the case does not have what is needed, or a file is missing.
        """
        needs = needs or Needs(tuple(self.images) or None, self.view_columns)
        try:
            return fingerprint_of(self, needs, {} if files is None else files)
        except DataError as error:
            raise DataError(f"Case {self.case_id}: {error}") from error

    def file_states(self, needs: Iterable[Needs]) -> list[tuple[int, ...]]:
        """What the system notes of the files that are read: it changes whenever one is replaced.

        Unlike the fingerprint, it does not come back when the earlier content does.

        Args:
            needs: Of the views that the case is read for.
        """
        reader = reader_of(self)
        names = dict.fromkeys(name for asked in set(needs) for name in self.names_of(asked))
        return [
            (
                *state_of(place_of(reader, path), follow=False),
                *(number for file in reader.files(path) for number in state_of(file)),
            )
            for name in names
            for path in self.files_of(name)
        ]

    def names_of(self, needs: Needs) -> list[str]:
        """The names of the images that are needed; "" stands for the one without a name.

        Raises:
            DataError: If there is none of a name, or several for a view that names none.
        """
        if needs.images is not None:
            for name in needs.images:
                if name not in self.images:
                    has = ", ".join(self.images) or "one image without a name"
                    raise DataError(
                        f"it has no image {name!r} (it has: {has}). Add the image, or drop the "
                        "case."
                    )
            return list(needs.images)
        names = list(self.images) or [""]
        if len(names) == 1:
            return names
        if self.main is not None or needs.any_image:
            return [self.main or names[0]]
        raise DataError(
            f"it has several images ({', '.join(names)}), and one without a name is asked for. "
            "Name it: image: in the view, or main_image: of the data set."
        )

    def columns_of(self, needs: Needs) -> dict[str, str]:
        """Name → text of the columns that are needed.

        Raises:
            DataError: If views may not see one of them.
        """
        for name in needs.every_column:
            if name not in self.view_columns:
                has = ", ".join(self.view_columns) or "none"
                raise DataError(
                    f"it has no column {name!r} that views may see (it has: {has}). Choose the "
                    "column in the data set (columns: of a manifest), give it (--column "
                    f"{name}=VALUE of rdfc predict, columns of a Case), or drop the case."
                )
        return {name: self.columns[name] for name in needs.columns}

    @property
    def simple(self) -> bool:
        """Whether there is one image without a name, and no column that views may see."""
        return not self.images and not self.view_columns

    @property
    def paths(self) -> tuple[Path, ...]:
        """All its image and mask files, each once."""
        files = (self.image, self.mask, *self.images.values(), *self.masks.values())
        return tuple(dict.fromkeys(files))

    def with_files(self, renamed: Callable[[Path], Path]) -> Case:
        """The case with each of its paths renamed."""
        return replace(
            self,
            image=renamed(self.image),
            mask=renamed(self.mask),
            images={name: renamed(path) for name, path in self.images.items()},
            masks={name: renamed(path) for name, path in self.masks.items()},
        )

    def files_of(self, name: str) -> tuple[Path, Path]:
        """Image and mask file of an image; "" stands for the main one."""
        return (self.images[name], self.masks[name]) if name else (self.image, self.mask)

    def one(self, name: str) -> Case:
        """The case as if it had this image alone."""
        image, mask = self.files_of(name)
        return replace(self, image=image, mask=mask, images={}, masks={}, main=None)

    def _fault(self) -> str | None:
        """What is wrong with the names, in a sentence, or None."""
        if set(self.images) != set(self.masks):
            return (
                f"the images are {', '.join(self.images) or '(none)'} and masks are given of "
                f"{', '.join(self.masks) or '(none)'}. Give each image a mask."
            )
        if self.images:
            odd = next((name for name in self.images if not IMAGE_NAME.fullmatch(name)), None)
            if odd is not None:
                return f"call an image by letters, digits, _ and -, not {odd!r}."
            main = self.main or next(iter(self.images))
            if main not in self.images:
                return f"its main image is {main!r}, and it has {', '.join(self.images)}."
            if (self.image, self.mask) != (self.images[main], self.masks[main]):
                return f"image and mask are not those of {main!r}. Make it with Case.of_images."
        elif self.main is not None:
            return f"its main image is {self.main!r}, and its one image has no name."
        for name in self.view_columns:
            if is_label(name):
                return f"the column {name!r} is the label, which no view may see. Leave it out."
            if name not in self.columns:
                return f"views may see the column {name!r}, and it has none. Add it to columns."
        return None
