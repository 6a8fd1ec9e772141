"""What belongs to the whole process, and no component may touch. Loads neither torch nor NumPy.

A component that seeds a global generator makes other parts of a study repeat each other; one that
draws from it makes a run differ from the next.
"""

from __future__ import annotations

import contextlib
import os
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rdfc_core.contract.promises import require

UNLIKELY_SEED = 0x5EED_7A1A
"""For what is tried and not kept: nobody seeds with it by chance."""


@dataclass(frozen=True)
class GlobalState:
    """The state of a process at one moment.

    Args:
        folder: The working directory; "" if it was removed.
        python: State of the module ``random``.
        numpy: State of NumPy's global generator; None before NumPy is loaded.
        torch: State of torch's global generator; None without torch, like all that follows.
        seed: What torch's global generator was last seeded with.
        dtype: What torch makes of numbers where nothing is said.
        gradients: Whether torch records gradients.
    """

    folder: str
    python: Any
    numpy: Any
    torch: bytes | None = None
    seed: int | None = None
    dtype: Any = None
    gradients: bool | None = None

    @classmethod
    def now(cls) -> GlobalState:
        """The state at this moment."""
        plain = _folder(), random.getstate(), _of_numpy()
        torch = sys.modules.get("torch")
        if torch is None or not hasattr(torch, "get_rng_state"):  # it is being imported
            return cls(*plain)
        return cls(
            *plain,
            torch=torch.get_rng_state().numpy().tobytes(),
            seed=torch.initial_seed(),
            dtype=torch.get_default_dtype(),
            gradients=torch.is_grad_enabled(),
        )

    def restore(self) -> None:
        """Put everything back as it was."""
        if self.folder and _folder() != self.folder:
            with contextlib.suppress(OSError):  # the folder itself may be gone
                os.chdir(self.folder)
        random.setstate(self.python)
        if self.numpy is not None:
            np = sys.modules["numpy"]
            name, keys, *rest = self.numpy
            np.random.set_state((name, np.frombuffer(keys, np.uint32), *rest))
        torch = sys.modules.get("torch")
        if torch is None or self.torch is None:
            return
        state = torch.frombuffer(bytearray(self.torch), dtype=torch.uint8)
        torch.set_rng_state(state)
        torch.set_default_dtype(self.dtype)
        torch.set_grad_enabled(self.gradients)


def _of_numpy() -> Any:
    numpy = sys.modules.get("numpy")
    if numpy is None or not hasattr(numpy, "random"):  # it is being imported
        return None
    name, keys, *rest = numpy.random.get_state()
    return name, numpy.asarray(keys).tobytes(), *rest


def _folder() -> str:
    try:
        return str(Path.cwd())
    except OSError:  # it was removed
        return ""


def touched(
    before: GlobalState, after: GlobalState, weights: bool = False, draws: bool = True
) -> list[str]:
    """What differs, as the ends of sentences that begin with who did it.

    Args:
        before: Taken before something was called.
        after: Taken afterwards.
        weights: It made a network: drawing from torch's global generator is right then.
        draws: Tell of Python's and NumPy's global generators, too.
    """
    found = []
    if after.folder != before.folder:
        found.append(f"changed the working directory to {after.folder}; name paths in full")
    if draws and after.python != before.python:
        found.append("seeds or draws from Python's module random; use a generator of its own")
    if draws and before.numpy is not None and after.numpy != before.numpy:
        found.append("seeds or draws from NumPy's global generator; use a generator of its own")
    if before.torch is None:
        return found
    if after.seed != before.seed:
        found.append("seeds torch's global generator, by which others draw too; leave that out")
    elif after.torch != before.torch and not weights:
        found.append("draws from torch's global generator; use the one that is given")
    if after.dtype != before.dtype:
        found.append(f"changed torch's default type of numbers to {after.dtype}; leave that out")
    if after.gradients != before.gradients:
        found.append("left torch with gradients switched on or off; use a context manager")
    return found


@contextlib.contextmanager
def left_alone(what: str, weights: bool = False) -> Iterator[None]:
    """Check that a block leaves the process as it was; what was touched is put back first.

    Args:
        what: What the block calls, such as ``MyView.augment()``.
        weights: It makes a network: drawing from torch's global generator is right then, and what
            the libraries that it loads draw elsewhere is not asked for.

    Raises:
        ContractError: If it does not.
    """
    own = GlobalState.now()
    if not weights:
        _seed_unlike_others()
    before = GlobalState.now()
    try:
        yield
        found = touched(before, GlobalState.now(), weights, draws=not weights)
    finally:
        if not weights:
            own.restore()
    if found:
        own.restore()
    require(not found, f"{what} {'; it '.join(found)}.")


def _seed_unlike_others() -> None:
    """Seed torch, if it is loaded: with the seed of a study, seeding alike would look like drawing.

    The generator of the processor alone: that of a device cannot be read without waiting for it.
    """
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "default_generator"):
        torch.default_generator.manual_seed(UNLIKELY_SEED)


@contextlib.contextmanager
def own_generators(seed: int, what: str) -> Iterator[None]:
    """Inside, the global generators begin at a seed; everything is put back afterwards.

    For code that may draw from them, such as new layers of torch, and has to repeat itself.

    Args:
        seed: Where they begin.
        what: What the block calls, such as ``MyEvaluator.fit()``.

    Raises:
        ContractError: If it changed what else belongs to the process.
    """
    before = GlobalState.now()
    random.seed(seed)
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if before.numpy is not None and numpy is not None:
        numpy.random.seed(seed % 2**32)
    if before.torch is not None and torch is not None:
        torch.default_generator.manual_seed(seed)
    try:
        yield
        after = GlobalState.now()
    finally:
        before.restore()
    require(
        after.folder == before.folder
        # None: torch was loaded by the block itself.
        and (before.dtype is None or after.dtype == before.dtype)
        and (before.dtype is None or after.gradients == before.gradients),
        f"{what} changed the working directory, torch's default type, or whether torch records "
        "gradients; leave that alone.",
    )
