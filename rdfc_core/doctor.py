"""What this environment is, and what is known to go wrong in it."""

from __future__ import annotations

import importlib.util
import platform
import shutil
import sqlite3
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.version import Version

from rdfc_core.errors import PluginError, RdfcError
from rdfc_core.extraction.local_executor import usable_cores
from rdfc_core.extraction.store import Store, default_store
from rdfc_core.plugin.registry import installed
from rdfc_core.utils.training_extra import INSTALL, can_train

LIBRARIES = (
    "rdfc-core",
    "torch",
    "torchvision",
    "lightning-fabric",
    "timm",
    "pyradiomics",
    "numba",
    "SimpleITK",
    "numpy",
    "scikit-learn",
    "scikit-image",
)
LOW_DISK_BYTES = 2 << 30


@dataclass(frozen=True)
class Examination:
    """What was found.

    Args:
        findings: Under the headings Versions, Devices, Plugins, Store and Traps.
        broken: A sentence for each plugin that cannot be used as it announces.
    """

    findings: dict[str, list[str]]
    broken: list[str]


def examine(store: Path | None = None) -> Examination:
    """Look at everything; each component is imported and held to its kind's contract."""
    where = store or default_store()
    plugins, broken = _plugins()
    findings = {
        "Versions": [f"Python {platform.python_version()} on {platform.platform()}", *_versions()],
        "Devices": _devices(),
        "Plugins": plugins,
        "Store": _store(where),
        "Traps": [*broken, *_traps(where)] or ["None found."],
    }
    return Examination(findings, broken)


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def _versions() -> list[str]:
    return [f"{library} {_version(library) or 'is not installed'}" for library in LIBRARIES]


def _devices() -> list[str]:
    if not can_train():
        return [f"{usable_cores()} CPU cores", f"Features alone: nothing to train with ({INSTALL})"]
    import torch

    found = [f"{usable_cores()} CPU cores, {torch.get_num_threads()} threads for torch"]
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        found.append(f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB")
    return found


def _plugins() -> tuple[list[str], list[str]]:
    """A line for each component, and what is broken; classes and options are imported."""
    registry = installed()
    found, broken = [], [*map(str, registry.broken), *registry.twice()]
    for component, source in registry.components():
        state = "ready"
        try:
            component.load_config()
            if component.unavailable:
                state = f"not available: {component.unavailable}"
            else:
                component.load()
        except (PluginError, MemoryError) as error:
            state = "broken"
            broken.append(str(error))
        found.append(f"{component.label} of {source}: {state}")
    found += [f"hooks of {source}: {', '.join(hooks)}" for source, hooks in registry.listening]
    found += [f"switched off: {source}" for source in registry.off]
    return [*found, *(f"broken: {one}" for one in broken)], broken


def _store(path: Path) -> list[str]:
    size = path.stat().st_size / 2**20 if path.exists() else 0.0
    return [f"{path}, {size:.1f} MiB"]


def _torchvision_beside_torch() -> list[str]:
    """A pair from two sources fails when torchvision's operators are loaded.

    That alone is tried: importing torchvision loads torch's compiler, which takes seconds.
    """
    if not can_train():
        return []
    import torch

    package = importlib.util.find_spec("torchvision")
    folders = (package.submodule_search_locations if package else None) or ()
    libraries = [file for folder in folders for file in sorted(Path(folder).glob("_C*.*"))]
    wrong = "" if libraries else "it is not installed, or without its operators"
    for library in libraries:
        try:
            torch.ops.load_library(library)
        except (ImportError, RuntimeError, OSError) as error:
            wrong = " ".join(str(error).split())[:80]
    # The operator has no public name. The library is asked, as importing torchvision may fail here.
    if not wrong and (cuda := torch.ops.torchvision._cuda_version()) != -1:
        own = (torch.version.cuda or "").partition(".")[0]
        if own and int(own) != cuda // 1000:
            wrong = f"CUDA {cuda // 1000} and {own}"
    if not wrong:
        return []
    return [
        f"torchvision does not work beside this torch ({wrong}). Install the pair from one source, "
        "such as: pip install torch torchvision."
    ]


def _traps(store: Path) -> list[str]:
    registry = installed()
    found = [*map(str, registry.doubtful)]
    found += _torchvision_beside_torch()
    if _version("pyradiomics") and _version("scikit-image") is None:
        found.append("PyRadiomics drops LBP features without scikit-image. Install scikit-image.")
    fabric = _version("lightning-fabric")
    if fabric and Version(fabric) in (Version("2.6.2"), Version("2.6.3")):
        found.append(f"lightning-fabric {fabric} was a malicious upload. Replace it at once.")
    try:
        Store(store).close()
    except RdfcError as error:
        found.append(str(error))
    else:
        free = shutil.disk_usage(store.parent).free
        if free < LOW_DISK_BYTES:
            found.append(f"Only {free / 2**30:.1f} GiB are free where the store lies ({store}).")
    if sqlite3.sqlite_version_info < (3, 35):
        found.append(f"SQLite {sqlite3.sqlite_version} is old. Use a newer Python build.")
    return found
