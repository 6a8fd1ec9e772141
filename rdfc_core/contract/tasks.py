"""Promises of a pretext that is built: the towers that it trains."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from rdfc_core.contract.promises import require
from rdfc_core.interfaces import Pretext, Tower


def require_tower_of(tower: Any, who: str) -> None:
    """A view makes a tower that says how wide its features are."""
    require(isinstance(tower, Tower), f"{who}.tower() gave {type(tower).__name__}, not a Tower.")
    width = getattr(tower, "out_features", None)
    require(
        isinstance(width, int) and width > 0,
        f"The tower of {who} has out_features {width!r}; set it to the width of its features.",
    )


def require_encoders(pretext: Pretext, views: Collection[str]) -> None:
    """A task gives the towers that it trains, and holds them as modules."""
    who = type(pretext).__name__
    encoders = pretext.encoders()
    require(
        isinstance(encoders, Mapping) and len(encoders) > 0 and set(encoders) <= set(views),
        f"{who}.encoders() gave {sorted(encoders or ())} for the views {sorted(views)}; give the "
        "trained ones by their names.",
    )
    trained = {id(p) for tower in encoders.values() for p in tower.parameters()}
    own = {id(parameter) for parameter in pretext.parameters()}
    for tower in pretext.further_towers():
        require(
            isinstance(tower, Tower) and all(id(p) in own for p in tower.parameters()),
            f"{who}.further_towers() gave {type(tower).__name__}; give towers that the task holds "
            "as modules, so that they are saved and moved with it.",
        )
        require(
            trained.isdisjoint(id(p) for p in tower.parameters()),
            f"{who}.further_towers() gave a tower with the weights of one of encoders(), so that a "
            "teacher would be its own student; give it weights of its own, as by copy.deepcopy.",
        )
    for name, tower in encoders.items():
        require(isinstance(tower, Tower), f"{who}.encoders()[{name!r}] has to be a Tower.")
        outside = [key for key, p in tower.named_parameters() if id(p) not in own]
        require(
            not outside,
            f"{who} does not hold the tower {name!r} as a module, so it would not be trained; keep "
            "towers in a torch.nn.ModuleDict.",
        )
