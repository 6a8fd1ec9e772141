"""What a case of a run is: which voxels of a mask are the tumour. Saved with the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from rdfc_core.case import Case
from rdfc_core.data.grey_scales import GreyScale
from rdfc_core.data.readers.auto import readers_of
from rdfc_core.data.readers.record import ReaderRecord
from rdfc_core.errors import StudyError

ComponentKind = Literal["all", "largest", "one"]
"""``one``: a lesion of its own among several in a mask."""

ASKED: dict[ComponentKind, str] = {
    "largest": "only the largest component of the mask was to be taken of",
    "one": "one component of the mask by its number was to be taken of",
    "all": "all of the mask was to be taken of",
}
TRAINED: dict[ComponentKind, str] = {
    "all": "whole masks",
    "largest": "the largest component of each mask",
    "one": "single lesions of masks",
}
REMEDIES: dict[tuple[ComponentKind, ...], str] = {
    ("one",): "List each lesion (rdfc datasets build --lesions each), or set component",
}

NAMED = 3
"""Cases that a refusal names before it breaks off."""


class CaseDefinition(BaseModel):
    """How the cases of a run mark their tumours.

    Args:
        mask_values: The values that marked the tumour, smallest first; None (every value but 0)
            comes first.
        components: ``all`` of the mask, only its ``largest`` component, ``one`` of several lesions
            of a mask, or several kinds of cases.
        grey_scale: Of their images; None in models of an older rdfc.
        readers: Name → what read their files; empty in models of an older rdfc.
        images: The names of their images; empty where each case has one without a name.
        main_image: The image that views measured which name none.
        columns: The columns that views could see.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mask_values: tuple[int | None, ...] = Field(min_length=1)
    components: tuple[ComponentKind, ...] = Field(min_length=1)
    grey_scale: GreyScale | None = None
    readers: dict[str, ReaderRecord] = {}
    images: tuple[str, ...] = ()
    main_image: str | None = None
    columns: tuple[str, ...] = ()

    @classmethod
    def of(cls, cases: Sequence[Case], grey_scale: GreyScale | None = None) -> CaseDefinition:
        """That of the cases which a run is made of, and of their images."""
        values = {case.mask_value for case in cases}
        numbers = sorted(value for value in values if value is not None)
        return cls(
            mask_values=(None, *numbers) if None in values else tuple(numbers),
            components=tuple(sorted({_kind(case) for case in cases})),
            grey_scale=grey_scale,
            readers=readers_of(cases),
            images=tuple(dict.fromkeys(name for case in cases for name in case.images)),
            main_image=next((case.main for case in cases if case.main), None),
            columns=tuple(dict.fromkeys(name for case in cases for name in case.view_columns)),
        )

    def read_otherwise(self, cases: Sequence[Case]) -> list[str]:
        """A sentence for each reader of cases that did not read the run's cases, or not like this.

        Args:
            cases: Each with a reader.
        """
        told = []
        for name, now in readers_of(cases).items() if self.readers else ():
            trained = self.readers.get(name)
            if trained is None:
                told.append(
                    f"Files are read by the reader {name!r}, and those that the run was trained on "
                    f"by {', '.join(map(repr, self.readers))}. Check that both read grey values "
                    "and outlines alike."
                )
            elif (trained.identity, trained.options) != (now.identity, now.options):
                told.append(
                    f"The reader {name!r} reads files differently than when the run was trained "
                    f"({trained.identity} {trained.options}; now {now.identity} {now.options}). "
                    "Predictions may change: use the version of before, or train again."
                )
        return told

    def applied_to(self, cases: Sequence[Case]) -> list[Case]:
        """The cases with what they leave open filled in as in the run.

        A mask value of None and the component ``all`` count as left open: that is what a list that
        says nothing gives.

        Raises:
            StudyError: If a case says otherwise than the run, or leaves open what differed among
                the run's own cases.
        """
        applied = [self._applied(case) for case in cases]
        for kind, what in ASKED.items():
            asked = [case for case in applied if _kind(case) == kind]
            if kind not in self.components:
                trained = " and ".join(TRAINED[one] for one in self.components)
                remedy = REMEDIES.get(self.components, "Leave component out")
                self._refuse(asked, what, f"the run was trained on {trained}", remedy)
        several = len(self.mask_values) > 1
        if several and None not in self.mask_values:
            self._refuse(
                [case for case in applied if case.mask_value is None],
                "no mask value is given for",
                f"the run's cases had several ({self._listed()})",
                "Give each case its own (the column mask_value, or --mask-value)",
            )
        if not several:
            other = [case for case in applied if case.mask_value != self.mask_values[0]]
            said = other[0].mask_value if other else None
            self._refuse(
                other,
                f"mask value {said} is asked of",
                f"the run was trained on tumours marked by {self._listed()}",
                "Leave the mask value out or correct it, or relabel the masks",
            )
        return applied

    def _applied(self, case: Case) -> Case:
        changes: dict[str, Any] = {}
        if case.mask_value is None and len(self.mask_values) == 1:
            changes["mask_value"] = self.mask_values[0]
        if case.component == "all" and self.components == ("largest",):
            changes["component"] = "largest"
        return replace(case, **changes) if changes else case

    def _listed(self) -> str:
        return ", ".join(
            "every value but 0" if value is None else str(value) for value in self.mask_values
        )

    def _refuse(self, cases: Sequence[Case], what: str, trained: str, remedy: str) -> None:
        if not cases:
            return
        named = ", ".join(case.case_id for case in cases[:NAMED])
        more = f" and {len(cases) - NAMED} more" if len(cases) > NAMED else ""
        raise StudyError(
            f"{what[0].upper()}{what[1:]} {named}{more}, but {trained}. {remedy}: what a case is "
            "has to be the same in prediction as in training."
        )


def _kind(case: Case) -> ComponentKind:
    return "one" if isinstance(case.component, int) else case.component
