"""The image encoder ``timm``: a network by its name in timm, without its classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import timm
from torch import Tensor, nn

from rdfc_core.errors import ShapeError, StudyError, did_you_mean
from rdfc_core.interfaces import ImageEncoder
from rdfc_encoder_timm import half_width  # adds its networks to timm's
from rdfc_encoder_timm.config import TimmConfig
from rdfc_encoder_timm.layers import layer_groups
from rdfc_encoder_timm.starts import STARTS
from rdfc_encoder_timm.weights import load_weights

LIFTS_FIXED_SIZE = frozenset({"dynamic_img_size", "strict_img_size"})
"""Options by which some of timm's networks take pictures of any size after all."""


class TimmEncoder(ImageEncoder):
    """Builds any network of timm for pictures of any number of channels.

    Features are pooled as the network was designed: by the global average in convolutional
    networks, at the class token in most vision transformers.
    """

    def __init__(self, config: TimmConfig) -> None:
        self.config = config

    def build(self, channels: int) -> nn.Module:
        """A network from (B, channels, H, W) to (B, F) features.

        Weights made for three channels are fitted to another number as timm does it: summed for
        one channel; for more, repeated in turn and scaled by 3 / channels.

        Raises:
            StudyError: If timm does not know the model or one of its options, or if the weights
                cannot be had or do not fit.
        """
        self._check_name()
        network = self._pretrained(channels) if self.config.pretrained else self._plain(channels)
        self._check_size(network)
        if self.config.weights is not None:
            load_weights(network, self.config.weights, channels, self.config.model)
        return network

    def blank(self, channels: int) -> nn.Module:
        """The same network without the published weights or those of ``weights``."""
        self._check_name()
        return self._plain(channels)

    def normalisation(self, channels: int) -> tuple[Sequence[float], Sequence[float]]:
        """As the option ``normalise`` says.

        Published means and deviations are of red, green and blue. They are fitted to the channels
        as timm fits its weights: the average for one channel, otherwise repeated in turn.

        Raises:
            StudyError: If timm publishes none for the network.
        """
        if self.config.normalise == "centred":
            return super().normalisation(channels)
        self._check_name()
        published = timm.get_pretrained_cfg(self.config.model)
        if published is None:
            raise StudyError(
                f"timm publishes no mean and deviation for {self.config.model}. Set normalise: "
                "centred, or name another model."
            )
        return _of_channels(published.mean, channels), _of_channels(published.std, channels)

    def made_elsewhere(self, channels: int) -> Mapping[str, Any]:
        """The call of timm, and the weights that the network began from with their licence."""
        name = self.config.model
        call, arguments = half_width.made_elsewhere(name) or (
            "timm.create_model",
            {"model_name": name},
        )
        shape = {"in_chans": channels, "num_classes": 0}
        return {
            "library": f"timm {timm.__version__}",
            "call": call,
            "arguments": {**arguments, **shape, **self._arguments()},
            "start": self._start(),
        }

    def _start(self) -> dict[str, Any] | None:
        """The published weights that it begins from, or the name of the file."""
        weights = self.config.weights
        if isinstance(weights, str):
            start = STARTS[weights]
            return {
                "name": weights,
                "package": f"{start.distribution} {start.version}",
                "trained_on": start.trained_on,
                "licence": start.licence,
            }
        if weights is not None:
            return {"name": weights.name, "licence": "unknown: a file of the user's own"}
        published = timm.get_pretrained_cfg(self.config.model) if self.config.pretrained else None
        if published is None:
            return None
        licence = published.license or "unknown: timm names none"
        return {"name": f"{self.config.model} of timm", "licence": licence}

    def layer_groups(self, network: nn.Module) -> Mapping[str, Sequence[nn.Module]]:
        """Named groups from input to output: ``stem``, ``layer1`` … ``layer4`` for a ResNet."""
        return layer_groups(network)

    def _plain(self, channels: int) -> nn.Module:
        try:
            return self._create(channels, pretrained=False)
        except Exception as error:  # each of timm's networks checks its arguments in its own way
            raise StudyError(
                f"timm cannot build {self.config.model} with {self._arguments()}: "
                f"{type(error).__name__}: {error}. Take out what this network does not know "
                "(img_size is the option image_size, drop_path_rate is drop_path)."
            ) from error

    def _pretrained(self, channels: int) -> nn.Module:
        try:
            return self._create(channels, pretrained=True)
        except StudyError:  # of our own networks, which say themselves what is wrong
            raise
        except Exception as error:  # a failing download shows as almost anything
            self._plain(channels)  # if that fails too, the options were at fault: it says so
            raise StudyError(
                f"The published weights of timm's {self.config.model} could not be loaded "
                f"({type(error).__name__}: {_first_sentence(error)}). Connect to the network, or "
                "fetch the file elsewhere and give it as weights: FILE instead of pretrained: true."
            ) from error

    def _create(self, channels: int, pretrained: bool) -> nn.Module:
        network: nn.Module = timm.create_model(
            self.config.model,
            pretrained=pretrained,
            in_chans=channels,
            num_classes=0,
            **self._arguments(),
        )
        return network

    def _arguments(self) -> dict[str, Any]:
        named = {
            "img_size": self.config.image_size,
            "drop_rate": self.config.drop_rate,
            "drop_path_rate": self.config.drop_path,
        }
        given = {name: value for name, value in named.items() if value is not None}
        return {**given, **self.config.arguments}

    def _check_name(self) -> None:
        name, _, tag = self.config.model.partition(".")
        if not timm.is_model(name):
            raise StudyError(
                f"timm {timm.__version__} has no model {self.config.model!r}."
                f"{did_you_mean(name, timm.list_models(), cutoff=0)} timm.list_models() lists all "
                "of them."
            )
        if not tag:
            return
        # Without pretrained weights timm would take any tag in silence.
        full = timm.list_models(f"{name}.*", pretrained=True)
        if self.config.model not in full:
            listing = f"Known: {', '.join(full)}." if full else "It has no weights to choose from."
            raise StudyError(f"timm's model {name!r} has no weights tagged {tag!r}. {listing}")

    def _check_size(self, network: nn.Module) -> None:
        """Refuse pictures of another size by a sentence, where timm would only assert."""
        fixed = getattr(network, "pretrained_cfg", {}).get("fixed_input_size", False)
        if not fixed or LIFTS_FIXED_SIZE & self.config.arguments.keys():
            return
        if self.config.image_size is None:
            published = network.pretrained_cfg["input_size"][1:]  # type: ignore[index]
            raise StudyError(
                f"timm's {self.config.model} is made for pictures of one size. Give image_size: "
                f"[height, width] as the view has it (published for {list(published)})."
            )
        hook = partial(_require_size, size=self.config.image_size, model=self.config.model)
        network.register_forward_pre_hook(hook)


def _require_size(
    network: nn.Module, inputs: tuple[Tensor, ...], size: tuple[int, int], model: str
) -> None:
    got = tuple(inputs[0].shape[-2:])
    if got != size:
        raise ShapeError(
            f"timm's {model} was built for pictures of {size[0]} × {size[1]} and got "
            f"{got[0]} × {got[1]}. Set image_size to the size of the view."
        )


def _of_channels(colours: Sequence[float], channels: int) -> tuple[float, ...]:
    if channels == 1:
        return (sum(colours) / len(colours),)
    return tuple(colours[place % len(colours)] for place in range(channels))


def _first_sentence(error: Exception) -> str:
    return " ".join(str(error).split()).split(". ")[0].rstrip(".")
