"""A method of one object, exchanged for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def overridden(thing: object, name: str, method: Callable[..., Any]) -> Iterator[None]:
    """Inside, the object has a method of its own; afterwards the one that it had.

    For networks PyTorch has hooks, too. They see a call begin and end, and what holds during the
    call (a number format, random numbers) would have to be begun in one hook and ended in another,
    also where the call fails.

    Args:
        thing: Others of its class keep their method.
        name: Of the method.
        method: In its place; takes the same arguments.
    """
    own = name in vars(thing)  # exchanged already, or compiled
    before = getattr(thing, name)
    setattr(thing, name, method)
    try:
        yield
    finally:
        if own:
            setattr(thing, name, before)
        else:
            delattr(thing, name)  # the class's own comes to light again
