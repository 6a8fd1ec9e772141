"""What a view makes of a case, held to its contract, in whichever process it is made."""

from __future__ import annotations

from collections import Counter
from typing import Any

from rdfc_core.case import Tumour
from rdfc_core.contract.features import left_as_given, require_prepared
from rdfc_core.contract.global_state import left_alone
from rdfc_core.contract.promises import require_recipe
from rdfc_core.errors import ContractError
from rdfc_core.interfaces.prepared import Prepared, Preparer
from rdfc_core.plugin.attribution import held_to_contract

WATCHED = 2
"""Cases of each view, in each process, that are looked at before and after: all of them would cost
a pass over every image."""

_seen: Counter[tuple[str, type, type]] = Counter()


def prepare_checked(name: str, preparer: Preparer, tumour: Tumour) -> Prepared:
    """What a view makes of a tumour, checked.

    Args:
        name: The view.
        preparer: Makes it.
        tumour: The case.

    Raises:
        PluginError: If the view, or its extractor, breaks a promise.
        DataError: If the tumour cannot be seen this way.
    """
    own = component_of(preparer)
    key = name, type(preparer), type(own)
    with held_to_contract(own):
        if _seen[key] < WATCHED:
            made = _looked_at(preparer, tumour, f"{type(own).__name__}, as it looks at a case,")
            _seen[key] += 1
        else:
            made = preparer.prepare(tumour)
        require_prepared(made, type(own).__name__)
    return made


def checked_recipe(preparer: Preparer) -> dict[str, Any]:
    """What decides what is made of a case: the key under which it is kept.

    Raises:
        PluginError: If it is no JSON, or another one at every call.
    """
    own: Any = component_of(preparer)
    with held_to_contract(own):
        require_recipe(own.recipe(), own.recipe(), type(own).__name__)
    return preparer.recipe()


def _looked_at(preparer: Preparer, tumour: Tumour, what: str) -> Prepared:
    """Prepared, with a look at the tumour and the state of the process before and after.

    Whatever touches a global generator is done once more: a library that is loaded at the first
    call may do so, and no other time.
    """
    with left_as_given(tumour, what):
        try:
            with left_alone(what):
                return preparer.prepare(tumour)
        except ContractError:
            with left_alone(what):
                return preparer.prepare(tumour)


def component_of(preparer: object) -> object:
    """The component whose code prepares: a feature extractor behind its view, or the view."""
    inner = preparer
    while hasattr(inner, "preparer") and not callable(inner.preparer):
        inner = inner.preparer  # bound to the masks' grid, or to what its view needs
    return getattr(inner, "extractor", inner)
