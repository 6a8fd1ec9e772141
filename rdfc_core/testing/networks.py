"""What rdfc relies on in any network it trains, whether an encoder's or a view's tower."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from rdfc_core.contract.promises import require
from rdfc_core.testing.assertions import one_thread

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rdfc_core.interfaces.collated import Collated

    Groups = Mapping[str, Sequence[nn.Module]]


def check_network(make: Callable[[], nn.Module], batch: Collated, who: str) -> nn.Module:
    """Check a network on a batch of different cases.

    Args:
        make: Gives a new network with fresh weights at every call.
        batch: (B, …), at least two different cases.
        who: What to call it in messages.

    Returns:
        One of the networks made.

    Raises:
        AssertionError: If features are not (B, F), finite, repeatable and each case's own, if
            gradients do not reach every parameter, or if weights are shared between networks, do
            not follow the seed, or are not all saved; or if features or gradients are no numbers
            under the autocast of runs.
    """
    from rdfc_core.testing.precision import require_network_in_halves

    with one_thread():
        network = _seeded(make, 0)
        _check_parameters(network, who)
        _check_features(network, batch, who)
        _check_gradients(network, batch, who)
        _check_weights(make, batch, who)
        require_network_in_halves(network, batch, who)
    return network


def check_layer_groups(groups: Groups, network: nn.Module, who: str) -> None:
    """Check that every parameter of the network is in exactly one group.

    Raises:
        AssertionError: If a parameter is in none or in two, or a group holds anything else.
    """
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    seen: dict[int, str] = {}
    require(isinstance(groups, dict) and groups, f"{who} have to be a non-empty dict.")
    for group, modules in groups.items():
        for parameter in {id(p): p for module in modules for p in module.parameters()}.values():
            key = id(parameter)
            require(
                key in names,
                f"{who}: group {group!r} holds a parameter that is none of the network's; name "
                "layers of the network that is given.",
            )
            require(
                key not in seen,
                f"{who}: parameter {names[key]} is in the groups {seen.get(key)!r} and {group!r}; "
                "put it in exactly one.",
            )
            seen[key] = group
    left = [name for key, name in names.items() if key not in seen]
    require(
        not left,
        f"{who}: {len(left)} parameters are in no group (first: {left[:1]}); put each in one.",
    )


def _seeded(make: Callable[[], nn.Module], seed: int) -> nn.Module:
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def _check_parameters(network: nn.Module, who: str) -> None:
    from torch import nn

    require(isinstance(network, nn.Module), f"{who} is no torch.nn.Module.")
    require(
        any(parameter.requires_grad for parameter in network.parameters()),
        f"{who} has no parameter to train; give it at least one layer.",
    )


def _features(network: nn.Module, batch: Collated) -> Tensor:
    import torch

    with torch.no_grad():
        features: Tensor = network.eval()(batch)
    return features


def _check_features(network: nn.Module, batch: Collated, who: str) -> None:
    import torch

    from rdfc_core.contract.networks import require_finite, require_rows
    from rdfc_core.interfaces.collated import alike, count, each, rows

    before, cases = each(batch, torch.clone), count(batch)
    features = _features(network, batch)
    require_rows(features, cases, None, who)
    require(alike(batch, before), f"{who} changed its input; work on a copy.")
    require_finite(features, who)
    require(
        torch.equal(features, _features(network, batch)),
        f"{who} in evaluation gave other features the second time; switch off what is random "
        "when not training.",
    )
    alone = torch.cat([_features(network, rows(batch, slice(i, i + 1))) for i in range(cases)])
    require(
        torch.allclose(features, alone, rtol=1e-3, atol=1e-4),
        f"{who} in evaluation gave a case other features alone than in a batch; each case's "
        "features have to be its own.",
    )
    # By their size: fresh networks without normalisation at their end give numbers of 1e-9.
    apart = (features[0] - features[1]).abs().max()
    require(
        apart > 1e-6 * features[:2].abs().max(),
        f"{who} gave two different cases the same features; let them depend on the input.",
    )


def _check_gradients(network: nn.Module, batch: Collated, who: str) -> None:
    import torch

    network.train()
    features = network(batch)
    # Random weights: the plain sum of what a normalisation layer gives is constant.
    weights = torch.randn(features.shape, generator=torch.Generator().manual_seed(0))
    (features * weights).sum().backward()
    trained = {name: p for name, p in network.named_parameters() if p.requires_grad}
    unreached = [name for name, parameter in trained.items() if parameter.grad is None]
    require(
        not unreached,
        f"{who}: no gradient reaches {len(unreached)} parameters (first: {unreached[:1]}); use "
        "them, or leave them out: training over several devices needs all.",
    )
    gradients = {name: p.grad for name, p in trained.items() if p.grad is not None}
    bad = [name for name, gradient in gradients.items() if not torch.isfinite(gradient).all()]
    require(not bad, f"{who}: the gradient of {bad[:1]} is NaN or infinite.")
    require(
        any(gradient.any() for gradient in gradients.values()),
        f"{who}: all gradients are zero; do not detach the features.",
    )
    network.zero_grad(set_to_none=True)


def _check_weights(make: Callable[[], nn.Module], batch: Collated, who: str) -> None:
    import torch

    one, same, other = _seeded(make, 1), _seeded(make, 1), _seeded(make, 2)
    shared = {id(p) for p in one.parameters()} & {id(p) for p in other.parameters()}
    require(not shared, f"{who}: two networks share parameters; make new layers for each.")
    expected = _features(one, batch)
    require(
        torch.equal(expected, _features(same, batch)),
        f"{who}: the same torch seed gave other weights; draw them with torch's own generator.",
    )
    # An encoder may start from given weights: then all seeds give the same, which is right.
    other.load_state_dict(one.state_dict())
    require(
        torch.equal(expected, _features(other, batch)),
        f"{who}: another network with the same state gave other features; keep everything that "
        "determines them in parameters or buffers.",
    )
