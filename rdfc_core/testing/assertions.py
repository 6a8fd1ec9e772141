"""What the checks share: how they complain, and how torch computes in them."""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
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
            frame = traceback.extract_tb(error.__traceback__)[-1]
            who = type(args[0]).__name__ if args else "The component"
            raise AssertionError(
                f"{who} raised {type(error).__name__} where rdfc relies on a result: "
                f"{' '.join(str(error).split()) or 'no message'} (in {frame.name}, "
                f"{Path(frame.filename).name} line {frame.lineno}); mend that."
            ) from error

    return complaining


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
