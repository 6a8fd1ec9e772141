"""What the checks share: how they complain, and how torch computes in them."""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import ParamSpec, TypeVar

from rdfc_core.errors import RdfcError

T = TypeVar("T")
P = ParamSpec("P")


def conformance(check: Callable[P, T]) -> Callable[P, T]:
    """A check that complains in one form: an error that the component lets out counts as well."""

    @functools.wraps(check)
    def complaining(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return check(*args, **kwargs)
        except (AssertionError, RdfcError):
            raise
        except Exception as error:
            frames = list(traceback.walk_tb(error.__traceback__))
            own = type(args[0]).__module__.partition(".")[0] if args else ""
            inside = [one for one in frames if _package(one[0]) == own]
            frame, line = (inside or frames)[-1]  # not that of pydantic or torch, which it called
            who = type(args[0]).__name__ if args else "The component"
            raise AssertionError(
                f"{who} raised {type(error).__name__} where rdfc relies on a result: "
                f"{' '.join(str(error).split()) or 'no message'} (in {frame.f_code.co_name}, "
                f"{Path(frame.f_code.co_filename).name} line {line}); mend that."
            ) from error

    return complaining


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch with one thread: on busy cores two wait for each other, thirty times as long."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
