"""The view of the tumour's picture: any image encoder, and the tower that it makes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from rdfc_core.case import Tumour
from rdfc_core.contract.global_state import left_alone
from rdfc_core.contract.networks import require_normalisation, require_rows
from rdfc_core.contract.promises import require
from rdfc_core.errors import DataError, StudyError
from rdfc_core.interfaces import ImageEncoder, Prepared, Tower, View
from rdfc_core.plugin.attribution import held_to_contract
from rdfc_core.utils.validation import validate
from rdfc_core.views.augmentation import resize
from rdfc_core.views.options import VARIATIONS, ImageViewConfig
from rdfc_core.views.preparers import PicturePreparer
from rdfc_core.views.variations import augment

MOST_SAMPLES = 2**26
"""Of one picture for a network: 256 MiB as float32. A model folder that claims more is damaged."""


class ImageView(View):
    """The tumour's box as a picture in [0, 1], and any image network on top of it."""

    def __init__(self, config: ImageViewConfig, encoder: ImageEncoder) -> None:
        self.config = config
        self.encoder = encoder
        self._size: tuple[int, ...] = ()
        self._channels = 0
        dims = encoder.spatial_dims
        with held_to_contract(encoder):
            require(
                dims in (2, 3),
                f"{type(encoder).__name__}.spatial_dims is {dims!r}; it has to be 2 or 3.",
            )
        if config.size != "average" and len(config.size) != dims:
            raise StudyError(
                f"size: the encoder takes {dims}D pictures and size {list(config.size)} has "
                f"{len(config.size)} numbers. Give {dims}."
            )
        if config.channels == "rgb" and dims != 2:
            raise StudyError(
                "channels: rgb is of colour pictures, and the encoder takes volumes. Use channels: "
                "grey, or a 2D encoder."
            )
        self.needs = self.preparer().needs

    def recipe(self) -> dict[str, Any]:
        """What shapes the stored picture: not the encoder, the final size or the augmentation."""
        return self.preparer().recipe()

    def prepare(self, tumour: Tumour) -> Prepared:
        """The tumour's box at its own resolution, (C, h, w) or (C, Z, h, w), in [0, 1] as float16.

        Raises:
            DataError: If a 3D encoder meets a picture.
        """
        return self.preparer().prepare(tumour)

    def preparer(self) -> PicturePreparer:
        """The view's options, without the encoder."""
        return PicturePreparer(self.config, self.encoder.spatial_dims)

    def fit(self, prepared: Sequence[Prepared]) -> None:
        """The size of the network's input: as configured, or the cases' average.

        Raises:
            DataError: If there are no cases, or their channels differ.
        """
        if not prepared:
            raise DataError("There is no case to fit the picture size on.")
        self._channels = prepared[0].array.shape[0]
        if self.config.size == "average":
            sizes = np.array([one.array.shape[1:] for one in prepared])
            average = sizes.mean(axis=0)
            if self.config.aspect == "keep":  # boxes that are square in mm, if not in samples
                average[-2:] = average[-2:].mean()
            self._size = tuple(int(s) for s in np.maximum(1, np.rint(average)))
        else:
            self._size = tuple(self.config.size)

    def collate(self, prepared: Sequence[Prepared]) -> torch.Tensor:
        """All pictures at one size, (N, C, H, W) or (N, C, Z, H, W), float32 in [0, 1].

        Raises:
            DataError: If a case has another number of channels than the view was fitted on.
        """
        for one in prepared:
            if one.array.shape[0] != self._channels:
                raise DataError(
                    f"The cases have different numbers of channels: {one.array.shape[0]} against "
                    f"{self._channels}. Keep pictures and volumes in separate studies."
                )
        pictures = [resize(torch.from_numpy(one.array), self._size) for one in prepared]
        return torch.stack(pictures) if pictures else torch.zeros(0, self._channels, *self._size)

    def accepts(self, ndim: int) -> bool:
        """Whether pictures of such tumours have the fitted number of channels."""
        return self.preparer().channels(ndim) == self._channels

    def augment(self, batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Random resized crop, flips and the variations of the options, each case its own."""
        return augment(batch, self.config, generator)

    def varied(self, variations: Mapping[str, Any]) -> ImageView:
        """The same view with other options of its random variations.

        Raises:
            StudyError: If an option is none of `VARIATIONS`, or its value does not fit.
        """
        for name in variations:
            if name not in VARIATIONS:
                raise StudyError(f"variations: there is no {name!r}. Use: {', '.join(VARIATIONS)}.")
        options = {**self.config.model_dump(), **variations}
        view = copy(self)
        view.config = validate(ImageViewConfig, options, "variations")
        return view

    def tower(self) -> ImageTower:
        """A new network of the encoder for the fitted size."""
        return self._tower("build")

    def blank_tower(self) -> ImageTower:
        """The same network with random weights in place of those that the encoder begins with."""
        return self._tower("blank")

    def _tower(self, method: Literal["build", "blank"]) -> ImageTower:
        call = f"{type(self.encoder).__name__}.{method}()"
        with held_to_contract(self.encoder):
            with left_alone(call, weights=True):
                network = getattr(self.encoder, method)(self._channels)
            require(
                isinstance(network, nn.Module),
                f"{call} gave {type(network).__name__}, not a torch.nn.Module.",
            )
            given = self.encoder.normalisation(self._channels)
            who = f"{type(self.encoder).__name__}.normalisation()"
            require_normalisation(given, self._channels, who)
            return ImageTower(network, self.encoder, self._channels, self._size)

    def state(self) -> dict[str, NDArray[Any]]:
        """Size and number of channels."""
        return {"size": np.array(self._size), "channels": np.array([self._channels])}

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take over a fitted size and number of channels.

        Raises:
            ValueError: If no picture has so many samples.
        """
        self._size = tuple(int(s) for s in state["size"])
        self._channels = int(state["channels"][0])
        if not 0 < self._channels * math.prod(self._size) <= MOST_SAMPLES:
            raise ValueError(f"it claims {self._channels} channels of size {self._size}")


class ImageTower(Tower):
    """An encoder's network on pictures in [0, 1], (B, C, H, W) → (B, F).

    Raises:
        ContractError: If the network does not give one row of features a picture.
    """

    _scale: torch.Tensor
    _shift: torch.Tensor

    def __init__(
        self, network: nn.Module, encoder: ImageEncoder, channels: int, size: tuple[int, ...]
    ) -> None:
        super().__init__()
        self.network = network
        self.picture_shape = (channels, *size)
        mean, deviation = (torch.tensor(one) for one in encoder.normalisation(channels))
        # Not saved: a model is loaded with its encoder, which knows them.
        self.register_buffer("_scale", 1 / deviation, persistent=False)
        self.register_buffer("_shift", -mean / deviation, persistent=False)
        self._groups = encoder.layer_groups
        training = self.network.training
        self.network.eval()
        with torch.no_grad():
            out = self.network(torch.zeros(2, channels, *size))
        self.network.train(training)
        require_rows(out, 2, None, f"The network of {type(encoder).__name__}")
        self.out_features = int(out.shape[1])

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Pictures in [0, 1] reach the network by the encoder's normalisation.

        By default that is [−1, 1], as in the paper's public code.
        """
        one_each = (-1, *[1] * (batch.ndim - 2))
        scale, shift = (one.to(batch.dtype).view(one_each) for one in (self._scale, self._shift))
        features: torch.Tensor = self.network(batch * scale + shift)
        return features

    def layer_groups(self) -> Mapping[str, Sequence[nn.Module]]:
        """The encoder's own groups."""
        return self._groups(self.network)
