"""Start a network of timm from weights, without running code from the file that holds them."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from os.path import isfile
from pathlib import Path

import torch
from timm.models import adapt_input_conv
from torch import Tensor, nn

from rdfc_core.errors import StudyError
from rdfc_encoder_timm.efficientnet_names import with_names_of_timm
from rdfc_encoder_timm.starts import STARTS, StartName, read_start

log = logging.getLogger("rdfc")

_WRAPPERS = ("state_dict_ema", "model_ema", "state_dict", "model")
"""Where training scripts keep the weights inside a checkpoint, best first."""

_TO_TIMM: Mapping[StartName, Callable[[Mapping[str, Tensor]], dict[str, Tensor]]] = {
    "imagenet-efficientnet-lite0": with_names_of_timm,
}
"""How the weights of a named start get timm's names."""

_RGB = 3
_SHOWN = 3


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
    state = _read(weights) if isinstance(weights, Path) else _read_named(weights)
    state = _without_classifier(state, network)
    fitted = _fit_channels(state, network, channels)
    if problems := _mismatches(network, fitted):
        converted = _converted_by_timm(state, network)
        fitted = _fit_channels(converted, network, channels)
        if _mismatches(network, fitted):
            raise StudyError(
                f"The weights {weights} do not fit timm's {model}: {'; '.join(problems)}. "
                "Name the model that they were saved from, or other weights."
            )
    network.load_state_dict(fitted)
    log.info("%s starts from %d tensors of %s.", model, len(fitted), weights)


def _read_named(name: StartName) -> dict[str, Tensor]:
    content = BytesIO(read_start(name))
    return _TO_TIMM[name](torch.load(content, map_location="cpu", weights_only=True))


def _read(path: Path) -> dict[str, Tensor]:
    if not isfile(path):  # noqa: PTH113  (pathlib fails on names that no file can have)
        raise StudyError(
            f"The weights {path} are not a file. Correct the option weights: a file, or one of "
            f"the names {', '.join(STARTS)}."
        )
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            content: object = load_file(path)
        else:
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or hostile file fails in many ways
        raise StudyError(
            f"The weights {path} cannot be read as plain tensors ({type(error).__name__}). Files "
            "that hold other objects are refused, since reading them can run code: save the state "
            "dict alone with safetensors.torch.save_file, or fetch the file again."
        ) from error
    for wrapper in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
            break
    if not isinstance(content, Mapping) or not all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in content.items()
    ):
        raise StudyError(
            f"The weights {path} hold no state dict (names and tensors). Save the state dict alone "
            "with safetensors.torch.save_file."
        )
    # What torch's wrappers for several processes and for compilation put before every name.
    return {
        name.removeprefix("_orig_mod.").removeprefix("module.").removeprefix("_orig_mod."): tensor
        for name, tensor in content.items()
    }


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


def _mismatches(network: nn.Module, state: Mapping[str, Tensor]) -> list[str]:
    """What keeps the state from fitting, each kind with its number and its first names."""
    wanted = network.state_dict()
    missing = [
        name
        for name in wanted
        if name not in state and not name.endswith("num_batches_tracked")  # absent in old files
    ]
    unknown = [name for name in state if name not in wanted]
    shapes = [
        f"{name}: {tuple(tensor.shape)} in the file, {tuple(wanted[name].shape)} in the network"
        for name, tensor in state.items()
        if name in wanted and tensor.shape != wanted[name].shape
    ]
    found = {"missing": missing, "unknown": unknown, "of another shape": shapes}
    return [f"{len(keys)} {what} ({_first(keys)})" for what, keys in found.items() if keys]


def _first(keys: Sequence[str]) -> str:
    return ", ".join(keys[:_SHOWN]) + (", …" if len(keys) > _SHOWN else "")


def _names(network: nn.Module, what: str) -> tuple[str, ...]:
    """Names of layers that timm records about a network: one, several or none."""
    names = getattr(network, "pretrained_cfg", {}).get(what) or ()
    return (names,) if isinstance(names, str) else tuple(names)
