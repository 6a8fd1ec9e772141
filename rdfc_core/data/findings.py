"""Everything about a data set that deserves a look: the same for a check and for every run.

What makes a case or a list unusable is refused elsewhere, or costs the case. This is the rest.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from rdfc_core.case import Case
from rdfc_core.data.cells import listed
from rdfc_core.data.duplicates import equal_content, shared_masks
from rdfc_core.data.grey_scales import GreyScale, scale_findings, unlike_trained
from rdfc_core.data.inspection import INSPECTION, Inspected, inspected
from rdfc_core.data.label_findings import patient_findings
from rdfc_core.data.mask_findings import mask_findings
from rdfc_core.data.remarks import as_warning
from rdfc_core.data.view_findings import colour_findings, field_findings
from rdfc_core.interfaces.dataset import Dataset, Problem
from rdfc_core.interfaces.prepared import Prepared, Preparer

log = logging.getLogger("rdfc")


def listing_findings(
    dataset: Dataset, cases: Sequence[Case], of_labels: Iterable[Problem] = ()
) -> list[Problem]:
    """What can be said before any file is read.

    Args:
        dataset: Asked for the warnings of its list.
        cases: Its cases.
        of_labels: Doubts about the labels (`rdfc_core.data.targets.Targets.findings`); none where
            labels are not used.
    """
    found = [problem for problem in dataset.problems() if problem.severity == "warning"]
    found += of_labels
    return [*found, *patient_findings(cases), *shared_masks(cases)]


def case_findings(
    cases: Sequence[Case],
    seen: Mapping[str, Inspected],
    trained: GreyScale | None = None,
    views: Mapping[str, Preparer] | None = None,
) -> list[Problem]:
    """What the files say: odd masks, grey values on several scales, equal content under two names.

    And what views do not see of them.

    Args:
        cases: Those that could be read, in the data set's order.
        seen: Case id → what there is to see in it.
        trained: The grey values of the run that is used on them; None: they are compared with each
            other.
        views: View name → what makes it; None where no study is known.
    """
    found = [p for case in cases for p in mask_findings(case, seen[case.case_id])]
    if trained is None:
        scales = scale_findings(cases, seen)
    else:
        scales = unlike_trained(cases, seen, trained)
    # What a trained run sees of colours is settled.
    colours = colour_findings(seen, views) if trained is None else ()
    cut = field_findings(cases, seen, views or {})
    return [*equal_content(cases, seen), *scales, *colours, *cut, *found]


def remark_findings(remarks: Mapping[str, Sequence[str]]) -> list[Problem]:
    """What was done differently for some cases.

    Args:
        remarks: Remark → ids of its cases, as an extraction has them.
    """
    return [as_warning(case_id, remark) for remark, ids in remarks.items() for case_id in ids]


def seen_in(prepared: Mapping[str, Mapping[str, Prepared]]) -> dict[str, Inspected]:
    """Case id → what an extraction with an `Inspection` saw in it."""
    return {case_id: inspected(one) for case_id, one in prepared[INSPECTION].items()}


def sentences(problems: Iterable[Problem]) -> list[str]:
    """A sentence for each kind of problem, with the number of its cases and the first of them.

    Problems of cases are of one kind if they have the field and the remedy in common.
    """
    groups: dict[tuple[str, ...], list[Problem]] = defaultdict(list)
    for problem in problems:
        own = () if problem.case_id else (problem.message,)
        groups[problem.field, problem.fix, *own].append(problem)
    return [_sentence(group) for group in groups.values()]


def _sentence(group: Sequence[Problem]) -> str:
    first = group[0]
    text = f"{first.message}. {first.fix}"
    if not first.case_id:
        return text[:1].upper() + text[1:]
    if len(group) == 1:
        return f"Case {first.case_id}: {text}"
    named = listed([problem.case_id for problem in group])
    same = all(problem.message == first.message for problem in group)
    example = "" if same else f", for example {first.case_id}"
    return f"{len(group)} cases ({named}){example}: {text}"


def warn(problems: Iterable[Problem], known: Sequence[str] = ()) -> list[str]:
    """Log each kind of problem once; what was logged, without what is known already."""
    new = [sentence for sentence in sentences(problems) if sentence not in known]
    for sentence in new:
        log.warning("%s", sentence)
    return new
