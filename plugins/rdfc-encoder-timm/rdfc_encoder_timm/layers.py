"""Named groups of layers of any network of timm, from input to output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from timm.models import group_parameters
from torch import nn


def layer_groups(network: nn.Module) -> Mapping[str, Sequence[nn.Module]]:
    """The network's stages as timm orders them, every parameter in exactly one.

    The first group is ``stem``; each other one has the name of its first module, with ``_`` for
    dots (``layer4``, ``stages_3``, ``blocks_11``). Parameters that belong to no layer (a class
    token) come in a `torch.nn.ParameterList` that shares them.
    """
    group_of = _group_of_each_parameter(network)
    pieces = sorted(_whole_modules("", network, group_of, set()), key=lambda piece: piece[0])
    groups: dict[str, list[nn.Module]] = {}
    name_of: dict[int, str] = {}
    for group, path, module in pieces:
        if group not in name_of:
            name_of[group] = path.replace(".", "_") if name_of else "stem"
        groups.setdefault(name_of[group], []).append(module)
    return groups


def _group_of_each_parameter(network: nn.Module) -> dict[int, int]:
    """The place of each parameter's group, by the parameter's id: names are not unique."""
    parameters = dict(network.named_parameters())
    places = _timm_order(network)
    if places is None:  # then each child of the network is a stage
        stages = list(dict.fromkeys(name.split(".")[0] for name in parameters))
        places = {name: stages.index(name.split(".")[0]) for name in parameters}
    return {id(parameter): places[name] for name, parameter in parameters.items()}


def _timm_order(network: nn.Module) -> dict[str, int] | None:
    matcher = getattr(network, "group_matcher", None)
    if matcher is None:
        return None
    try:
        coarse = matcher(coarse=True)
    except AssertionError:  # how timm says that a network (RDNet) has no coarse order
        return None
    order: dict[str, int] = group_parameters(network, coarse, reverse=True)
    return order


def _whole_modules(
    path: str, module: nn.Module, group_of: Mapping[int, int], taken: set[int]
) -> Iterator[tuple[int, str, nn.Module]]:
    """The largest modules that lie in one group each: (group, path, module), in order.

    ``taken`` holds what came before: some networks (CoaT) use one layer in several places.
    """
    inside = {id(parameter) for parameter in module.parameters()}
    if inside <= taken:
        return
    groups = {group_of[key] for key in inside}
    if path and len(groups) == 1 and not inside & taken:
        taken |= inside
        yield groups.pop(), path, module
        return
    prefix = f"{path}." if path else ""
    own: dict[int, tuple[str, nn.ParameterList]] = {}
    for name, parameter in module.named_parameters(recurse=False):
        if id(parameter) not in taken:
            taken.add(id(parameter))
            group = group_of[id(parameter)]
            own.setdefault(group, (prefix + name, nn.ParameterList()))[1].append(parameter)
    for group, (name, parameters) in own.items():
        yield group, name, parameters
    for name, child in module.named_children():
        yield from _whole_modules(prefix + name, child, group_of, taken)
