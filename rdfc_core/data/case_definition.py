"""What a case of a run is: which voxels of a mask are the tumour. Saved with the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from rdfc_core.case import Case
from rdfc_core.data.grey_scales import GreyScale
from rdfc_core.errors import StudyError

NAMED = 3
"""Cases that a refusal names before it breaks off."""


class CaseDefinition(BaseModel):
    """How the cases of a run mark their tumours.

    Args:
        mask_values: The values that marked the tumour, smallest first; None (every value but 0)
            comes first.
        components: ``all`` of the mask, only its ``largest`` component, or both kinds of cases.
        grey_scale: Of their images; None in models of an older rdfc.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mask_values: tuple[int | None, ...] = Field(min_length=1)
    components: tuple[Literal["all", "largest"], ...] = Field(min_length=1)
    grey_scale: GreyScale | None = None

    @classmethod
    def of(cls, cases: Sequence[Case], grey_scale: GreyScale | None = None) -> CaseDefinition:
        """That of the cases which a run is made of, and of their images."""
        values = {case.mask_value for case in cases}
        numbers = sorted(value for value in values if value is not None)
        return cls(
            mask_values=(None, *numbers) if None in values else tuple(numbers),
            components=tuple(sorted({case.component for case in cases})),
            grey_scale=grey_scale,
        )

    def applied_to(self, cases: Sequence[Case]) -> list[Case]:
        """The cases with what they leave open filled in as in the run.

        A mask value of None and the component ``all`` count as left open: that is what a list that
        says nothing gives.

        Raises:
            StudyError: If a case says otherwise than the run, or leaves open what differed among
                the run's own cases.
        """
        applied = [self._applied(case) for case in cases]
        self._refuse(
            [case for case in applied if case.component not in self.components],
            "only the largest component of the mask was to be taken of",
            "the run was trained on whole masks",
            "Leave component out",
        )
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
