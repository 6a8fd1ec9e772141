"""Weights from files, read without running code from them. Open to plugins of encoders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os.path import isfile
from pathlib import Path

import torch
from torch import Tensor, nn

from rdfc_core.errors import StudyError

WRAPPERS = ("state_dict_ema", "model_ema", "state_dict", "model")
"""Where training scripts keep the weights inside a checkpoint, best first."""

SHOWN = 3
"""Names of tensors that a message gives of each kind."""


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by name, without what wrappers put before their names.

    Args:
        path: ``.safetensors``, or a state dict saved by ``torch.save``, also inside a checkpoint.

    Raises:
        StudyError: If there is no file, or it holds anything but plain tensors.
    """
    if not isfile(path):  # noqa: PTH113  (pathlib fails on names that no file can have)
        raise StudyError(f"The weights {path} are not a file. Correct the option weights.")
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
    for wrapper in WRAPPERS:
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


def mismatches(network: nn.Module, state: Mapping[str, Tensor]) -> list[str]:
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
    return [f"{len(keys)} {what} ({first_names(keys)})" for what, keys in found.items() if keys]


def first_names(keys: Sequence[str]) -> str:
    """The first names of several, for a message."""
    return ", ".join(keys[:SHOWN]) + (", …" if len(keys) > SHOWN else "")
