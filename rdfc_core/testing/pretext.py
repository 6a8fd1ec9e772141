"""What rdfc relies on in a `Pretext`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from rdfc_core.contract.promises import expect_error, require, require_kind
from rdfc_core.errors import StudyError
from rdfc_core.testing.assertions import conformance, one_thread

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from rdfc_core.interfaces import Batch, Pretext, PretextOutput, View

CASES, STEPS, TOTAL = 8, 3, 10


@conformance
def check_pretext(
    pretext: Pretext, views: Mapping[str, View] | None = None, fixed_teacher: bool = False
) -> None:
    """Check a task by training it for a few steps on eight generated tumours.

    Args:
        pretext: Built (``Class(config, **parts)``), and its `build` not called yet.
        views: The study's views, not fitted; by default ``radiomics``, short vectors, and
            ``image``, pictures of 1 × 64 × 64.
        fixed_teacher: Whether `Pretext.further_towers` are to stay as they begin: networks that
            were trained elsewhere.

    Raises:
        AssertionError: If the loss is no finite scalar that trains the towers, a step is not
            repeatable, draws from a global generator or changes its batch, a teacher is its own
            student or does not follow it, embeddings or logs carry a gradient, towers are not
            given back, the measure on held-back cases is no number or changes the task, the state
            does not hold everything, or the loss in a precision of runs is another than in float64.
    """
    import torch

    from rdfc_core.contract.tasks import require_encoders
    from rdfc_core.interfaces import Pretext
    from rdfc_core.testing.partners import picture_view, vector_view
    from rdfc_core.testing.pretext_precision import require_exact_pretext
    from rdfc_core.testing.tumours import example_tumours

    who = require_kind(pretext, Pretext)
    views = views or {"radiomics": vector_view(), "image": picture_view()}
    prepared: dict[str, Any] = {}
    for name, view in views.items():
        arrays = [view.prepare(tumour) for tumour in example_tumours(2, CASES, view.needs)]
        view.fit(arrays)
        prepared[name] = view.collate(arrays)
    blank = deepcopy(pretext)
    with expect_error(StudyError, f"{who}.build() without any view"):
        deepcopy(pretext).build({}, CASES, torch.Generator().manual_seed(0))

    with torch.random.fork_rng(devices=[]), one_thread():
        _build(pretext, views, 0)
        require_encoders(pretext, views)
        _check_step(pretext, views, prepared, who)
        _check_named_towers(pretext, views, prepared, who)
        _check_draws(deepcopy(pretext), views, prepared, who)
        _check_training(pretext, views, prepared, who, fixed_teacher)
        _check_held_back(pretext, views, prepared, who)
        _check_saved(pretext, deepcopy(blank), views, prepared, who)
        step = partial(_step, views=views, prepared=prepared, seed=3)
        require_exact_pretext(blank, views, CASES, step)


def _build(pretext: Pretext, views: Mapping[str, View], seed: int) -> None:
    import torch

    torch.manual_seed(seed)
    towers = {name: view.tower() for name, view in views.items()}
    pretext.build(towers, CASES, torch.Generator().manual_seed(seed))


def _batch(views: Mapping[str, View], prepared: Mapping[str, Tensor], seed: int) -> Batch:
    import torch

    from rdfc_core.interfaces import Batch

    generator = torch.Generator().manual_seed(seed)
    return Batch(torch.arange(CASES), dict(prepared), views, generator, step=seed, steps=TOTAL)


def _step(
    pretext: Pretext, views: Mapping[str, View], prepared: Mapping[str, Tensor], seed: int
) -> PretextOutput:
    """One forward; dropout and the like follow torch's own seed, all else the generator."""
    import torch

    torch.manual_seed(seed)
    output: PretextOutput = pretext(_batch(views, prepared, seed))
    return output


def _check_step(
    pretext: Pretext, views: Mapping[str, View], prepared: Mapping[str, Tensor], who: str
) -> None:
    import torch

    pretext.train()
    before = {name: batch.clone() for name, batch in prepared.items()}
    state = deepcopy(pretext.state_dict())
    output = _step(pretext, views, prepared, seed=1)
    complaint = pretext.complaint(output, CASES)
    require(complaint is None, str(complaint))
    loss = output.loss
    require(torch.isfinite(loss), f"{who} gave the loss {loss}; give one finite scalar.")
    require(
        all(torch.equal(before[name], batch) for name, batch in prepared.items()),
        f"{who} changed the prepared batch; draw views with batch.draw(name).",
    )
    pretext.load_state_dict(state)  # batch statistics may have moved
    again = _step(pretext, views, prepared, seed=1).loss
    require(
        torch.equal(loss, again),
        f"{who} gave {loss:.6g} and then {again:.6g} for the same batch and seeds; draw from "
        "batch.generator alone.",
    )
    pretext.load_state_dict(state)


def _check_named_towers(
    pretext: Pretext, views: Mapping[str, View], prepared: Mapping[str, Tensor], who: str
) -> None:
    """Each tower that a step sends cases through is named, for precision and processes."""
    from rdfc_core.interfaces import Tower

    named = [*pretext.encoders().values(), *pretext.further_towers()]
    known = {id(part) for tower in named for part in tower.modules()}
    called: set[str] = set()
    hooks = [
        part.register_forward_hook(lambda *_, path=path: called.add(path))
        for path, part in pretext.named_modules()
        if isinstance(part, Tower) and id(part) not in known
    ]
    state = deepcopy(pretext.state_dict())
    _step(pretext, views, prepared, seed=1)
    pretext.load_state_dict(state)
    for hook in hooks:
        hook.remove()
    require(
        not called,
        f"{who} sends cases through the tower {min(called, default='')!r}, which neither "
        "encoders() nor further_towers() gives; name it, or it is computed in single precision, "
        "and by each of several processes for all cases.",
    )


def _check_draws(
    pretext: Pretext, views: Mapping[str, View], prepared: Mapping[str, Tensor], who: str
) -> None:
    """A step is the same whatever the state of the global generators, but for dropout."""
    import random

    import torch

    from rdfc_core.contract.global_state import GlobalState

    for layer in pretext.train().modules():
        if "Drop" in type(layer).__name__:  # DropPath, too
            layer.eval()
    state, own = deepcopy(pretext.state_dict()), GlobalState.now()
    losses = []
    for seed in (1, 2):
        pretext.load_state_dict(state)
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        losses.append(pretext(_batch(views, prepared, 1)).loss.detach())
    own.restore()
    require(
        torch.equal(*losses),
        f"{who} gave {losses[0]:.6g} and then {losses[1]:.6g} for the same batch under other seeds "
        "of the global generators; draw from batch.generator, and vary views by batch.draw(name).",
    )


def _check_training(
    pretext: Pretext,
    views: Mapping[str, View],
    prepared: Mapping[str, Tensor],
    who: str,
    fixed_teacher: bool,
) -> None:
    import torch

    optimiser = torch.optim.SGD(pretext.parameters(), lr=1e-3)
    start = {name: _weights(tower) for name, tower in pretext.encoders().items()}
    further = [(tower, _weights(tower)) for tower in pretext.further_towers()]
    for step in range(STEPS):
        output = _step(pretext, views, prepared, seed=step)
        optimiser.zero_grad()
        output.loss.backward()
        optimiser.step()
        pretext.after_step(torch.arange(CASES), output.embeddings)
    for name, tower in pretext.encoders().items():
        require(
            _moved(tower, start[name]),
            f"{who}: the tower {name!r} did not change in {STEPS} steps; let the loss depend on "
            "it, or leave it out of encoders().",
        )
    require(
        fixed_teacher or not further or any(_moved(*one) for one in further),
        f"{who}: none of further_towers() changed in {STEPS} steps; let them follow the trained "
        "ones in after_step(), or give this check fixed_teacher=True.",
    )
    bad = [name for name, p in pretext.named_parameters() if not torch.isfinite(p).all()]
    require(not bad, f"{who}: {bad[:1]} is NaN or infinite after {STEPS} steps.")
    _check_embed(pretext, prepared, who)


def _check_held_back(
    pretext: Pretext, views: Mapping[str, View], prepared: Mapping[str, Tensor], who: str
) -> None:
    """The measure on cases that are held back, if the task has one."""
    import torch

    pretext.eval()
    before = deepcopy(pretext.state_dict())
    with torch.no_grad():
        torch.manual_seed(0)
        found = pretext.held_back_metrics(_batch(views, prepared, 0))
    pretext.train()
    if not found:
        return
    require("loss" in found, f"{who}.held_back_metrics() gave {sorted(found)} and no loss.")
    for name, value in found.items():
        require(
            torch.as_tensor(value).numel() == 1 and bool(torch.isfinite(torch.as_tensor(value))),
            f"{who}.held_back_metrics() gave {name} {value}; give finite scalars.",
        )
    after = pretext.state_dict()
    require(
        all(torch.equal(value, after[key]) for key, value in before.items()),
        f"{who}.held_back_metrics() changed the task's state; measure without learning.",
    )


def _moved(tower: torch.nn.Module, before: Sequence[Tensor]) -> bool:
    import torch

    return any(not torch.equal(old, new) for old, new in zip(before, _weights(tower), strict=True))


def _weights(tower: torch.nn.Module) -> Sequence[Tensor]:
    return [parameter.detach().clone() for parameter in tower.parameters()]


def _check_embed(pretext: Pretext, prepared: Mapping[str, Tensor], who: str) -> None:
    import torch

    pretext.eval()
    with torch.no_grad():
        features = {name: tower(prepared[name]) for name, tower in pretext.encoders().items()}
        embedded = pretext.embed(features)
    pretext.train()
    for name, rows in embedded.items():
        require(
            name in features and rows.ndim == 2 and len(rows) == CASES,
            f"{who}.embed()[{name!r}] has to be (B, D), for a view that was given.",
        )


def _check_saved(
    pretext: Pretext,
    blank: Pretext,
    views: Mapping[str, View],
    prepared: Mapping[str, Tensor],
    who: str,
) -> None:
    import torch

    _build(blank, views, 1)
    blank.load_state_dict(pretext.state_dict())
    losses = [_step(one.train(), views, prepared, seed=7).loss for one in (pretext, blank)]
    require(
        torch.equal(*losses),
        f"{who}: a task with the same state_dict gave the loss {losses[1]:.6g} instead of "
        f"{losses[0]:.6g}; keep all that a resumed run needs in parameters and buffers.",
    )
