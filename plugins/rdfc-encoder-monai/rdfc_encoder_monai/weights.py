"""Start a network of MONAI from weights of this project or another, without running their code."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from rdfc_core.errors import StudyError
from rdfc_core.utils.state_dict import first_names, mismatches, read_state_dict

log = logging.getLogger("rdfc")

CLASSIFIERS = ("fc.", "class_layers.", "classifier.", "head.")
DECODERS = ("encoder1.", "encoder2.", "encoder3.", "encoder4.", "encoder10.", "decoder", "out.")
"""Of SwinUNETR beside its transformer."""


def load_weights(
    network: nn.Module, path: Path, rename: Mapping[str, str], partial: bool, model: str
) -> None:
    """Fill the network; a classifier, and the decoder of a segmentation network, are left out.

    A first layer that was made for another number of channels gets the mean over those.

    Args:
        network: Without a classifier.
        path: Of the weights.
        rename: Patterns of names in the file → names in the network.
        partial: Whether it is enough that something fits; what does not is told.
        model: The network's name, for messages.

    Raises:
        StudyError: If the file cannot be read safely, or does not fit.
    """
    state = renamed(read_state_dict(path), rename)
    left_out = (*CLASSIFIERS, *DECODERS)
    state = {name: one for name, one in state.items() if not name.startswith(left_out)}
    state = _fit_channels(state, network)
    problems = mismatches(network, state)
    wanted = network.state_dict()
    fitting = {n: t for n, t in state.items() if n in wanted and wanted[n].shape == t.shape}
    if problems and not (partial and fitting):
        here = first_names(list(wanted))
        raise StudyError(
            f"The weights {path} do not fit MONAI's {model}: {'; '.join(problems)}. Its "
            f"tensors are called {here}: give rename for other names, partial: true to take what "
            "fits, or another model."
        )
    network.load_state_dict(fitting, strict=False)
    numbers = sum(one.numel() for one in fitting.values())
    share = numbers / sum(one.numel() for one in wanted.values())
    log.info("%s starts from %d tensors of %s (%.0f%%).", model, len(fitting), path, 100 * share)
    if problems:
        log.warning("Of %s not all fits MONAI's %s: %s.", path, model, "; ".join(problems))


def renamed(state: Mapping[str, Tensor], rename: Mapping[str, str]) -> dict[str, Tensor]:
    """The tensors under their new names; those that are renamed to nothing are left out."""
    found: dict[str, Tensor] = {}
    for name, tensor in state.items():
        new = name
        for pattern, replacement in rename.items():
            new, count = re.subn(pattern, replacement, new)
            if count and not replacement and not new:
                break
        if new:
            found[new] = tensor
    return found


def _fit_channels(state: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    fitted = dict(state)
    for name, wanted in network.state_dict().items():
        given = fitted.get(name)
        if given is None or given.shape == wanted.shape or wanted.ndim != 5:
            continue
        if given.shape[0] == wanted.shape[0] and given.shape[2:] == wanted.shape[2:]:
            mean = given.mean(dim=1, keepdim=True) * (given.shape[1] / wanted.shape[1])
            fitted[name] = mean.expand(wanted.shape).clone()
            log.info(
                "The weights of %s are fitted from %d to %d channels.",
                name,
                given.shape[1],
                wanted.shape[1],
            )
    return fitted
