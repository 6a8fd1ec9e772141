"""Jigsaw puzzles: from the features of nine shuffled tiles, which order were they put in?"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rdfc_core.errors import StudyError
from rdfc_core.interfaces import Batch, PretextOutput, Tower, at_least_single
from rdfc_pretext_baselines.config import JigsawConfig
from rdfc_pretext_baselines.permutations import TILES, distant_permutations
from rdfc_pretext_baselines.pictures import PicturePretext, unit_rows
from rdfc_pretext_baselines.tiles import cut_tiles, even_out, reorder, tile_size

SMALLEST = 12
"""Shortest side of a picture whose tiles still show something."""


class Jigsaw(PicturePretext):
    """Each tile is encoded on its own; a classifier of all tiles' features names the order.

    Source: Noroozi & Favaro 2016, Sect. 4, with any encoder in the place of theirs.
    """

    task = "jigsaw"
    orders: Tensor

    def __init__(self, config: JigsawConfig) -> None:
        super().__init__(config)
        self.config = config

    def build_head(self, tower: Tower) -> None:
        """A linear layer that the tiles share, two layers for all of them; the set of orders.

        Raises:
            StudyError: If the pictures are volumes or too small, or if the encoder refuses tiles.
        """
        self._check(tower)
        config = self.config
        self.project = nn.Linear(tower.out_features, config.width)
        self.classifier = nn.Sequential(
            nn.Linear(TILES * config.width, config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, config.permutations),
        )
        orders = torch.tensor(distant_permutations(config.permutations), dtype=torch.long)
        self.register_buffer("orders", orders)  # saved: the classifier's outputs stand for them

    def forward(self, batch: Batch) -> PretextOutput:
        """Draw the picture, cut and shuffle it, encode the tiles, tell the order."""
        pictures = batch.draw(self.view)
        tiles = even_out(cut_tiles(pictures, self.config.gap, batch.generator), pictures)
        drawn = torch.randint(len(self.orders), (len(tiles),), generator=batch.generator)
        truth = drawn.to(tiles.device)
        features = self.encode(reorder(tiles, self.orders[truth]))
        seen = F.relu(self.project(features)).flatten(1)
        logits = at_least_single(self.classifier(seen))
        accuracy = (logits.detach().argmax(dim=1) == truth).float().mean()
        embeddings = {self.view: unit_rows(features.mean(dim=1))}
        return PretextOutput(F.cross_entropy(logits, truth), {"accuracy": accuracy}, embeddings)

    def encode(self, tiles: Tensor) -> Tensor:
        """(B, 9, C, h, w) → (B, 9, F)."""
        single = tiles.flatten(0, 1)
        if self.config.tile_size is not None:
            single = F.interpolate(single, self.config.tile_size, mode="bilinear", antialias=True)
        features: Tensor = self.tower(single)
        return features.reshape(*tiles.shape[:2], -1)

    def _check(self, tower: Tower) -> None:
        channels, *size = tower.picture_shape
        if len(size) != 2:
            raise StudyError(
                f"pretext: jigsaw cuts pictures, and the view {self.view} gives volumes of "
                f"{_times(size)}. Use a 2D encoder, or another pretext."
            )
        if min(size) < SMALLEST:
            raise StudyError(
                f"pretext: jigsaw cuts pictures into 3 × 3 tiles, and those of the view "
                f"{self.view} are {_times(size)}. Give it a size of at least {SMALLEST} × "
                f"{SMALLEST}."
            )
        given = self.config.tile_size or tile_size(size[0], size[1], self.config.gap)
        training = tower.training
        tower.eval()
        try:
            with torch.no_grad():
                tower(torch.zeros(1, channels, *given))
        except Exception as error:  # each network checks its input in its own way
            raise StudyError(
                f"pretext.tile_size: the encoder of the view {self.view} takes no tiles of "
                f"{_times(given)} ({' '.join(str(error).split())[:200]}). Give a tile_size that it "
                f"takes, such as that of its pictures, [{size[0]}, {size[1]}]."
            ) from error
        tower.train(training)


def _times(size: tuple[int, ...] | list[int]) -> str:
    return " × ".join(str(side) for side in size)
