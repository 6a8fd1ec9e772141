"""What only training needs, and how it is installed: the extra ``train``.

Cases are listed, checked and measured without: a machine that only extracts features needs a tenth
of the space.
"""

from __future__ import annotations

import importlib.util

PARQUET = ("pandas", "pyarrow")
LIBRARIES = (
    "captum",
    "jinja2",
    "lightning_fabric",
    "matplotlib",
    *PARQUET,
    "safetensors",
    "sklearn",
    "tensorboardX",
    "torch",
    "torchvision",
)
"""By the names under which they are imported."""

INSTALL = 'pip install "rdfc-core[paper]"'
"""With the paper's encoders and objectives, without which nothing can be trained."""
INSTALL_TABLES = 'pip install "rdfc-core[parquet]"'

WITHOUT = "Features are extracted without: rdfc features, rdfc extract."

NEEDS_TORCH = {"torch": f"it needs torch, which is not installed here ({INSTALL})"}
"""What components of training require."""
NEEDS_SKLEARN = {"sklearn": f"it needs scikit-learn, which is not installed here ({INSTALL})"}
"""What evaluators of scikit-learn require."""


def can_train() -> bool:
    """Whether networks can be trained here. Looks for torch, and does not load it."""
    return importlib.util.find_spec("torch") is not None


def how_to_install(error: ImportError) -> str | None:
    """A sentence on what to install, if a library of the extras was missed; else None."""
    missed = (error.name or "").partition(".")[0]
    if missed not in LIBRARIES:
        return None
    tables = missed in PARQUET
    sentence = (
        f"This needs {missed}, which is not installed here. Install it: "
        f"{INSTALL_TABLES if tables else INSTALL}."
    )
    return sentence if tables else f"{sentence} {WITHOUT}"
