"""An exported bundle, run by MONAI alone; its metadata by MONAI's schema."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from rdfc_core.export.monai_bundle import write_bundle
from tests.export.test_encoder_file import exported
from tests.export.test_onnx_file import IMAGE, VOLUME

NO_RDFC = """
import runpy, sys
sys.modules["rdfc_core"] = None  # as where it is not installed
sys.argv[0] = "monai.bundle"
runpy.run_module("monai.bundle", run_name="__main__", alter_sys=True)
"""


def monai(folder, *arguments):
    command = [sys.executable, "-W", "ignore", "-c", NO_RDFC, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("view", [IMAGE, VOLUME], ids=["picture", "volume"])
def test_monai_alone_gives_the_features(view, tmp_path):
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    write_bundle(exported({"image": view}, tmp_path), bundle, "image")
    monai(bundle, "run", "--config_file", "configs/inference.json")
    expected = np.load(bundle / "docs" / "expected.npy")
    np.testing.assert_allclose(np.load(bundle / "features.npy"), expected, rtol=1e-5, atol=1e-5)
    monai(
        bundle, "verify_net_in_out", "network_def", "--meta_file", "configs/metadata.json",
        "--config_file", "configs/inference.json",
    )  # fmt: skip


REQUIRED = {
    *("schema", "version", "monai_version", "pytorch_version", "numpy_version"),
    *("required_packages_version", "task", "description", "authors", "copyright"),
    "network_data_format",
}
"""Of MONAI's schema of 2024-07-25."""


def test_the_metadata_have_what_the_schema_asks_for(tmp_path):
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    write_bundle(exported({"image": IMAGE}, tmp_path), bundle, "image")
    metadata = json.loads((bundle / "configs" / "metadata.json").read_text())
    assert metadata.keys() >= REQUIRED
    tensor = {"type", "format", "num_channels", "spatial_shape", "dtype", "value_range"}
    data = metadata["network_data_format"]
    assert data["inputs"]["image"].keys() >= tensor
    assert data["inputs"]["image"]["spatial_shape"] == [16, 16]
    assert data["outputs"]["pred"].keys() >= tensor
    readme = (bundle / "docs" / "README.md").read_text()
    assert "\n1 × 16 × 16, float32" in readme
    assert "random weights" in readme
