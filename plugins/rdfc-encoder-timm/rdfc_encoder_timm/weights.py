"""Start a network of timm from weights, without running code from the file that holds them."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from io import BytesIO
from os.path import isfile
from pathlib import Path

import torch
from timm.models import adapt_input_conv
from torch import Tensor, nn

from rdfc_core.errors import StudyError
from rdfc_core.utils.state_dict import mismatches, read_state_dict
from rdfc_encoder_timm.efficientnet_names import with_names_of_timm
from rdfc_encoder_timm.starts import STARTS, StartName, read_start

log = logging.getLogger("rdfc")

_TO_TIMM: Mapping[StartName, Callable[[Mapping[str, Tensor]], dict[str, Tensor]]] = {
    "imagenet-efficientnet-lite0": with_names_of_timm,
}
"""How the weights of a named start get timm's names."""

_RGB = 3


def load_weights(network: nn.Module, weights: StartName | Path, channels: int, model: str) -> None:
    """Fill the network with weights; a classifier among them is left out.

    Args:
        network: A network of timm, built for ``channels`` without a classifier.
        weights: A named start, or a file: ``.safetensors``, or a state dict saved by
            ``torch.save``.
        channels: Weights of a first layer for three channels are fitted to this number.
        model: The network's name, for messages.

    Raises:
        StudyError: If the weights cannot be had or read safely, or do not fit.
    """
    if isinstance(weights, Path) and not isfile(weights):  # noqa: PTH113  (names no file can have)
        raise StudyError(
            f"The weights {weights} are not a file. Correct the option weights: a file, or one of "
            f"the names {', '.join(STARTS)}."
        )
    state = read_state_dict(weights) if isinstance(weights, Path) else _read_named(weights)
    state = _without_classifier(state, network)
    fitted = _fit_channels(state, network, channels)
    if problems := mismatches(network, fitted):
        converted = _converted_by_timm(state, network)
        fitted = _fit_channels(converted, network, channels)
        if mismatches(network, fitted):
            raise StudyError(
                f"The weights {weights} do not fit timm's {model}: {'; '.join(problems)}. "
                "Name the model that they were saved from, or other weights."
            )
    network.load_state_dict(fitted)
    log.info("%s starts from %d tensors of %s.", model, len(fitted), weights)


def _read_named(name: StartName) -> dict[str, Tensor]:
    content = BytesIO(read_start(name))
    return _TO_TIMM[name](torch.load(content, map_location="cpu", weights_only=True))


def _without_classifier(state: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    heads = tuple(f"{name}." for name in _names(network, "classifier"))
    return {name: tensor for name, tensor in state.items() if not name.startswith(heads)}


def _fit_channels(
    state: Mapping[str, Tensor], network: nn.Module, channels: int
) -> dict[str, Tensor]:
    fitted = dict(state)
    wanted = network.state_dict()
    for layer in _names(network, "first_conv"):
        key = f"{layer}.weight"
        weight = fitted.get(key)
        if weight is None or key not in wanted or weight.shape == wanted[key].shape:
            continue
        if weight.ndim == 4 and weight.shape[1] == _RGB:
            fitted[key] = adapt_input_conv(channels, weight)
            log.info("The weights of %s are fitted from 3 to %d channels.", layer, channels)
    return fitted


def _converted_by_timm(state: dict[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """As timm converts its own releases: position embeddings of another size, older names."""
    convert = getattr(sys.modules[type(network).__module__], "checkpoint_filter_fn", None)
    if convert is None:
        return state
    try:
        return dict(convert(dict(state), network))
    except Exception:  # written for timm's own files; a foreign one is reported as it is
        log.debug("timm's conversion does not take these weights.", exc_info=True)
        return state


def _names(network: nn.Module, what: str) -> tuple[str, ...]:
    """Names of layers that timm records about a network: one, several or none."""
    names = getattr(network, "pretrained_cfg", {}).get(what) or ()
    return (names,) if isinstance(names, str) else tuple(names)
