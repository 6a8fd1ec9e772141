"""What views need of cases, and whether the cases have it. Free of torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rdfc_core.case import Case, Needs, Tumour
from rdfc_core.errors import StudyError, did_you_mean
from rdfc_core.interfaces.prepared import Prepared, Preparer
from rdfc_core.mask_grid import MaskGrid

if TYPE_CHECKING:
    from rdfc_core.interfaces import View

NOTHING_NAMED = Needs()


@dataclass(frozen=True)
class WithNeeds:
    """A preparer that does not say what it needs, with the needs of its view.

    Args:
        preparer: Prepares.
        needs: Of its view.
    """

    preparer: Preparer
    needs: Needs

    @property
    def mask_grid(self) -> MaskGrid | None:
        """The preparer's, if it says anything of it."""
        return getattr(self.preparer, "mask_grid", None)

    def recipe(self) -> dict[str, Any]:
        """The preparer's."""
        return self.preparer.recipe()

    def prepare(self, tumour: Tumour) -> Prepared:
        """As the preparer does."""
        return self.preparer.prepare(tumour)


def needs_of(preparer: Preparer) -> Needs:
    """What a preparer says that it needs; the one image where it says nothing."""
    needs: Needs = getattr(preparer, "needs", NOTHING_NAMED)
    return needs


def preparer_of(view: View) -> Preparer:
    """What looks at one case for a view, and says what it needs of it."""
    preparer = view.preparer()
    if getattr(preparer, "needs", None) is None and view.needs != NOTHING_NAMED:
        return WithNeeds(preparer, view.needs)
    return preparer


def preparers_of(views: Mapping[str, View]) -> dict[str, Preparer]:
    """View name → what looks at one case for it."""
    return {name: preparer_of(view) for name, view in views.items()}


def require_needs(cases: Sequence[Case], preparers: Mapping[str, Preparer]) -> None:
    """Refuse at once what would fail for every case: an image or a column that none of them has.

    Args:
        cases: All of them.
        preparers: View name → what makes it.

    Raises:
        StudyError: If no case has what a view needs, or a column says the label.
    """
    if not cases:
        return
    for view, preparer in preparers.items():
        needs = needs_of(preparer)
        if needs.images is None and not needs.any_image:
            _require_main(cases, view)
        images = {name: None for case in cases for name in case.images}
        for name in needs.images or ():
            _require("image", name, images, view)
        columns = {name: None for case in cases for name in case.view_columns}
        for name in needs.every_column:
            _require("column", name, columns, view)
            _refuse_label(cases, name, view)


def _require(what: str, name: str, there: Mapping[str, None], view: str) -> None:
    if name in there:
        return
    if what == "image":
        have = ", ".join(there) or "one each, without a name"
        fix = "Name one of these, or add it to the data set (a manifest's column image.NAME)."
    else:
        have = ", ".join(there) or "none"
        fix = "Choose it in the data set (the option columns of a manifest), or correct the name."
    raise StudyError(
        f"The view {view!r} needs the {what} {name!r}, which no case offers. The {what}s of the "
        f"cases: {have}. {did_you_mean(name, tuple(there))} {fix}".replace("  ", " ")
    )


def _require_main(cases: Sequence[Case], view: str) -> None:
    meant = {case.main or tuple(case.images) for case in cases if case.images}
    if len(meant) > 1 or any(isinstance(one, tuple) and len(one) > 1 for one in meant):
        names = ", ".join(dict.fromkeys(name for case in cases for name in case.images))
        raise StudyError(
            f"The view {view!r} measures one image, and the cases have several ({names}). Name it: "
            f"views.{view}.image, or main_image of the data set for all views that name none."
        )


def _refuse_label(cases: Sequence[Case], column: str, view: str) -> None:
    """A column that repeats the label of every case would make any model look perfect."""
    labelled = [case for case in cases if case.label is not None and column in case.columns]
    said = [case.columns[column].strip().casefold() for case in labelled]
    labels = [str(case.label).strip().casefold() for case in labelled]
    if said and said == labels and len(set(labels)) > 1:
        raise StudyError(
            f"The column {column!r}, which the view {view!r} needs, holds the label of every "
            "labelled case, and no view may see it. Leave the column out."
        )
