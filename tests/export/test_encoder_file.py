"""An exported image encoder, used by the library that its network is of, and by nothing of rdfc."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from rdfc_core.errors import StudyError
from rdfc_core.export.card import Exported
from rdfc_core.export.encoder_file import write_encoder
from tests.export.test_onnx_file import IMAGE, RADIOMICS, RESNET, VOLUME, made

USER = """
import importlib, json, sys
import numpy as np, torch
from safetensors.torch import load_file
card = json.load(open("encoder.json"))
def named(text):
    module, _, name = text.rpartition(".")
    return getattr(importlib.import_module(module), name)
arguments = dict(card["network"]["arguments"])
if "block" in arguments:
    arguments["block"] = named(arguments["block"])
network = named(card["network"]["call"])(**arguments).eval()
network.load_state_dict(load_file(card["file"]))
example = np.load("example.npz")
scale = card["preprocessing"]["normalisation"]
shape = (-1, *[1] * (example["picture"].ndim - 2))
mean, deviation = (torch.tensor(scale[k]).view(shape) for k in ("mean", "deviation"))
with torch.no_grad():
    features = network((torch.from_numpy(example["picture"]) - mean) / deviation)
assert features.shape == (2, card["features"])
assert not any(name.partition(".")[0].startswith("rdfc") for name in sys.modules)
print(float((features - torch.from_numpy(example["features"])).abs().max()))
"""


class Folder:
    """What the card asks of a run, of a model that no run trained."""

    def __init__(self, model, study, path):
        study_file = path / "study.yaml"
        study_file.write_text("seed: 0\n")
        self.study = study
        self.place = type("Place", (), {})()
        self.place.study, self.place.results = study_file, path / "results.json"
        self.place.recorded_versions = dict


def exported(views, path, pretext="simclr"):
    model, study = made(views, pretext)
    return Exported(Folder(model, study, path), {"holdout": model})


@pytest.mark.parametrize(
    "views",
    [
        {"image": RESNET},
        {"image": {**RESNET, "encoder": {"name": "timm", "model": "resnet18"}}},
        {"image": VOLUME},
    ],
    ids=["half", "timm", "monai"],
)
def test_its_own_library_alone_gives_the_features(views, tmp_path):
    write_encoder(exported(views, tmp_path), tmp_path, "image")
    done = subprocess.run(
        [sys.executable, "-c", USER], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 1e-5


def test_the_card_names_the_licence_of_the_weights_that_it_began_from(tmp_path):
    started = {"name": "timm", "model": "tf_efficientnet_lite0",
               "weights": "imagenet-efficientnet-lite0"}  # fmt: skip
    write_encoder(exported({"image": {**RESNET, "encoder": started}}, tmp_path), tmp_path, "image")
    card = json.loads((tmp_path / "encoder.json").read_text())
    assert card["network"]["start"]["licence"] == "Apache-2.0"
    assert card["provenance"]["weights_began_from"]["image"]["start"]["trained_on"] == "ImageNet-1k"
    assert card["preprocessing"]["size"] == [32, 32]


def test_a_view_without_pictures_is_no_image_encoder(tmp_path):
    own = exported({"radiomics": RADIOMICS, "image": IMAGE}, tmp_path, "correspondence")
    with pytest.raises(StudyError, match=r"--view radiomics: .* It has: image\."):
        write_encoder(own, tmp_path, "radiomics")
