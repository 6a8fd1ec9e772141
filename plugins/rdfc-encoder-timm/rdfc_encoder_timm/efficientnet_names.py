"""Names of EfficientNet-Lite's weights as the package efficientnet_pytorch has them, and timm's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torch import Tensor

BLOCKS_PER_STAGE = (1, 2, 2, 3, 3, 4, 1)
"""Of EfficientNet-Lite0 (Tan & Le 2019, Table 1); there, blocks are numbered through all stages."""

OUTSIDE_BLOCKS = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
EXPANDING = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
NOT_EXPANDING = {
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn1",
    "_project_conv": "conv_pw",
    "_bn2": "bn2",
}
"""Of the first stage's block, which has no expansion: timm counts its layers from one again."""


def with_names_of_timm(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of EfficientNet-Lite0 by timm's names."""
    places = [f"{stage}.{n}" for stage, count in enumerate(BLOCKS_PER_STAGE) for n in range(count)]
    expanding = {name.split(".")[1] for name in state if "._expand_conv." in name}
    return dict(_renamed(state, places, expanding))


def _renamed(
    state: Mapping[str, Tensor], places: list[str], expanding: set[str]
) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in state.items():
        head, _, rest = name.partition(".")
        if head != "_blocks":
            yield f"{OUTSIDE_BLOCKS[head]}.{rest}", tensor
            continue
        number, layer, kind = rest.split(".")
        layers = EXPANDING if number in expanding else NOT_EXPANDING
        yield f"blocks.{places[int(number)]}.{layers[layer]}.{kind}", tensor
