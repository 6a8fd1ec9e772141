"""With what a run was made: versions of the code, and the machine."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from platform import python_version

from rdfc_core.config.resolve import ResolvedStudy
from rdfc_core.extraction.local_executor import usable_cores
from rdfc_core.plugin.registry import Registry

LIBRARIES = (
    "rdfc-core",
    "torch",
    "torchvision",
    "timm",
    "pyradiomics",
    "numba",
    "SimpleITK",
    "numpy",
)


def versions(
    study: ResolvedStudy, registry: Registry, readers: Sequence[str] = ()
) -> dict[str, str]:
    """Versions of Python, the libraries that matter, and the plugins that the study uses.

    Args:
        study: Resolved.
        registry: Knows the plugins.
        readers: Distributions of the readers of its cases, which the study need not name.
    """
    found = {"python": python_version()}
    for library in (*LIBRARIES, *readers):
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found | code_versions(study, registry)


def code_versions(study: ResolvedStudy, registry: Registry) -> dict[str, str]:
    """Versions of rdfc itself and of the plugins that the study uses."""
    found = {"rdfc-core": version("rdfc-core")}
    used = {(part.kind, part.name) for part in study.parts()}
    for component, source in registry.components():
        if (component.kind, component.name) in used:
            found[source.distribution] = source.version
    return found


def machine() -> str:
    """This machine in a few words."""
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return f"{usable_cores()} CPU cores, {device}"
