"""Simple, sound components that the checks put beside the one they test."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from rdfc_core.interfaces import MemoryStore, View


def memory_of(rows: torch.Tensor) -> MemoryStore:
    """A memory that holds exactly these unit-length embeddings, (N, D)."""
    import torch

    from rdfc_core.scaffold.templates.memory_store.config import ExampleConfig
    from rdfc_core.scaffold.templates.memory_store.memory import Example

    memory = Example(ExampleConfig(momentum=0.0))
    memory.allocate(len(rows), rows.shape[1], torch.Generator().manual_seed(0))
    memory.update(torch.arange(len(rows)), rows)
    memory.end_epoch()
    return memory


def picture_view() -> View:
    """A view of pictures, (N, 1, 64, 64), with a small convolutional tower."""
    from rdfc_core.scaffold.templates.image_encoder.config import ExampleConfig
    from rdfc_core.scaffold.templates.image_encoder.encoder import Example
    from rdfc_core.views.image_view import ImageView
    from rdfc_core.views.options import ImageViewConfig

    encoder = Example(ExampleConfig(width=8))
    return ImageView(ImageViewConfig.model_validate({"size": [64, 64]}), encoder=encoder)


def vector_view() -> View:
    """A view of short vectors, (N, Q), with a small fully connected tower."""
    from rdfc_core.scaffold.templates.view.config import ExampleConfig
    from rdfc_core.scaffold.templates.view.view import Example

    return Example(ExampleConfig())
