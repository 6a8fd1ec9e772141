"""What torch says of the processor, by whichever names it has."""

from __future__ import annotations

import torch

from rdfc_core.training.cpu_features import cpu_features


def test_public_and_private_names_say_the_same(monkeypatch):
    found = cpu_features()
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert cpu_features() == found
