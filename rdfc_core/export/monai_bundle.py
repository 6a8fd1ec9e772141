"""The image encoder of a run as a bundle of MONAI, which runs where there is no rdfc.

Source of the format: MONAI Bundle Specification, https://docs.monai.io/en/stable/mb_specification.html
"""

from __future__ import annotations

import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rdfc_core.errors import PluginError
from rdfc_core.export.card import Exported, preprocessing, provenance, write_json
from rdfc_core.export.encoder_file import ExportedEncoder, encoder_of
from rdfc_core.export.onnx_file import TOLERANCE

SCHEMA = "https://project-monai.github.io/schema/meta_schema_20240725.json"
MONAI_WRITTEN_FOR = "1.4.0"
"""Named where MONAI is not installed here: writing the bundle does not need it."""

README = """# {name}

The image encoder that rdfc {rdfc} trained on {dataset}, without labels: a picture of a tumour
to {features} features.

```
pip install "monai[fire]"
cd HERE && python -m monai.bundle run --config_file configs/inference.json
```

reads every `.npy` in `input/` (`--input_dir DIR` names another folder) and writes
`features.npy`, a row a file in the order of their names. A file holds a picture of the shape
{shape}, float32 in [0, 1], cut out as `preprocessing` in `configs/encoder.json` says; the network's
own normalisation is inside. The two files that are there are noise, and `docs/expected.npy` is
what rdfc makes of them.

{licence}

For research. No medical device.
"""


def write_bundle(exported: Exported, folder: Path, name: str) -> list[Path]:
    """Write the bundle's folders.

    Raises:
        StudyError: If the run has no such encoder.
        PluginError: If its network cannot be written, or says something else than before.
    """
    own = encoder_of(exported, name)
    for below in ("configs", "docs", "input", "models"):
        (folder / below).mkdir()
    model = folder / "models" / "model.ts"
    _write_network(own, model)
    configs = folder / "configs"
    write_json(configs / "metadata.json", metadata(exported, own))
    write_json(configs / "inference.json", inference())
    about = {"preprocessing": preprocessing(own.view), **provenance(exported)}
    write_json(configs / "encoder.json", about)
    for place, picture in enumerate(own.pictures.numpy()):
        np.save(folder / "input" / f"noise-{place}.npy", picture)
    np.save(folder / "docs" / "expected.npy", own.features.numpy())
    (folder / "docs" / "README.md").write_text(_readme(exported, own, about), encoding="utf-8")
    return sorted(path for path in folder.rglob("*") if path.is_file())


def inference() -> dict[str, Any]:
    """``inference.json``: files of prepared pictures to a table of features, by MONAI alone."""
    return {
        "imports": ["$import glob", "$import numpy", "$import torch"],
        "bundle_root": ".",
        "input_dir": "$@bundle_root + '/input'",
        "output": "$@bundle_root + '/features.npy'",
        "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
        "files": "$[{'image': one} for one in sorted(glob.glob(@input_dir + '/*.npy'))]",
        "preprocessing": {
            "_target_": "Compose",
            "transforms": [
                {"_target_": "LoadImaged", "keys": "image", "reader": "NumpyReader",
                 "channel_dim": 0},
                {"_target_": "EnsureTyped", "keys": "image", "dtype": "$torch.float32",
                 "track_meta": False},
            ],
        },
        "dataset": {"_target_": "Dataset", "data": "@files", "transform": "@preprocessing"},
        "dataloader": {"_target_": "DataLoader", "dataset": "@dataset", "batch_size": 16},
        "network_def": {
            "_target_": "torch.jit.load",
            "f": "$@bundle_root + '/models/model.ts'",
            "map_location": "@device",
        },
        "network": "$@network_def.eval()",
        "features": "$torch.cat([@network(one['image'].to(@device)).detach().cpu() "
        "for one in @dataloader])",
        "run": ["$numpy.save(@output, @features.numpy())"],
    }  # fmt: skip


def metadata(exported: Exported, own: ExportedEncoder) -> dict[str, Any]:
    """``metadata.json`` by the schema that it names."""
    channels, *size = own.tower.picture_shape
    return {
        "schema": SCHEMA,
        "version": "0.1.0",
        "changelog": {"0.1.0": "as exported by rdfc"},
        "monai_version": _version("monai", MONAI_WRITTEN_FOR),
        "pytorch_version": torch.__version__.partition("+")[0],
        "numpy_version": np.__version__,
        "required_packages_version": {"fire": "0.5"},
        "task": "Features of pictures of tumours",
        "description": "Image encoder, pretrained by rdfc without labels on "
        f"{exported.run.study.dataset.name}; a picture of the tumour to a row of features",
        "authors": "whoever trained it with rdfc",
        "copyright": "of whoever trained it; see docs/README.md",
        "data_type": "npy",
        "image_classes": "one picture of a tumour, in [0, 1]",
        "intended_use": "research; not a medical device",
        "network_data_format": {
            "inputs": {
                "image": {
                    "type": "image",
                    "format": "magnitude",
                    "num_channels": channels,
                    "spatial_shape": size,
                    "dtype": "float32",
                    "value_range": [0, 1],
                    "is_patch_data": False,
                    "channel_def": {str(place): f"channel {place}" for place in range(channels)},
                }
            },
            "outputs": {
                "pred": {
                    "type": "feature",
                    "format": "vector",
                    "num_channels": own.tower.out_features,
                    "spatial_shape": [],
                    "dtype": "float32",
                    "value_range": [],
                    "is_patch_data": False,
                    "channel_def": {},
                }
            },
        },
    }


def _write_network(own: ExportedEncoder, path: Path) -> None:
    """Write what the tower does as TorchScript, and ask it again.

    Raises:
        PluginError: If the network cannot be traced, or says something else then.
    """
    kind = type(own.view.encoder).__name__
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # TorchScript is what bundles hold, deprecated or not
        try:
            traced = torch.jit.trace(own.tower, own.pictures, check_trace=False)
            torch.jit.save(traced, str(path))
            again = torch.jit.load(str(path))
            said = torch.cat([again(one[None]) for one in own.pictures])  # not the traced batch
        except Exception as error:  # what a network does may be nothing that can be traced
            what = " ".join(str(error).split())[:300]
            raise PluginError(
                f"The network of {kind} cannot be written as TorchScript: {type(error).__name__}: "
                f"{what}. Export its weights: --format safetensors."
            ) from error
    off = float((said - own.features).abs().max() / own.features.abs().max().clamp(min=1.0))
    if not off <= TOLERANCE:
        raise PluginError(
            f"As TorchScript the network of {kind} says something else than before (by {off:.2g}): "
            "it is not written. Export its weights: --format safetensors."
        )


def _readme(exported: Exported, own: ExportedEncoder, about: dict[str, Any]) -> str:
    began = about["provenance"]["weights_began_from"]
    starts = [one["start"] for one in began.values() if one.get("start")]
    told = [f"{one['name']} ({one['licence']})" for one in starts]
    return README.format(
        name=f"Image encoder of a run on {exported.run.study.dataset.name}",
        rdfc=_version("rdfc-core", "?"),
        dataset=f"the data set {exported.run.study.dataset.name!r}",
        features=own.tower.out_features,
        shape=" × ".join(map(str, own.tower.picture_shape)),
        licence=f"Training began from published weights: {', '.join(told)}."
        if told
        else "Training began from random weights.",
    )


def _version(distribution: str, otherwise: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return otherwise
