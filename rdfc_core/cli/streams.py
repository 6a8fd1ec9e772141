"""Standard output and error that may be closed, full, or too narrow for a letter."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO, cast

_result: list[TextIO] = []
"""Where the result goes while standard output is kept for it; empty otherwise."""

LAST_STANDARD = 2
"""The number of standard error."""


class OutputError(Exception):
    """Standard output takes no more.

    Args:
        reason: What the system says.
        closed: Whether whoever read it has gone, as ``head`` does.
    """

    def __init__(self, reason: str, closed: bool) -> None:
        super().__init__(reason)
        self.closed = closed


class _Stream:
    """A text stream whose failures are told in one way, or not at all."""

    def __init__(self, stream: TextIO | None, needed: bool) -> None:
        self._stream: TextIO = stream if stream is not None else io.StringIO()
        self._needed = needed
        if isinstance(stream, io.TextIOWrapper):
            # A letter that the terminal's alphabet does not have is no reason to end.
            stream.reconfigure(errors="backslashreplace")

    def write(self, text: str) -> int:
        """As of any stream.

        Raises:
            OutputError: If the stream is needed and takes no more.
        """
        with self._failures():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """As of any stream.

        Raises:
            OutputError: If the stream is needed and takes no more.
        """
        with self._failures():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:  # ValueError: it is closed
            if self._needed:
                reason = getattr(error, "strerror", None) or str(error)
                closed = isinstance(error, BrokenPipeError | ValueError)
                raise OutputError(reason, closed) from error


@contextlib.contextmanager
def steady_streams() -> Iterator[None]:
    """Inside, nothing ends because progress, warnings or logs find no reader.

    What is written to standard output and not taken raises `OutputError`; a process that was
    started without one writes to nowhere.
    """
    occupy_closed()
    before = sys.stdout, sys.stderr
    sys.stdout = _Stream(before[0], needed=True)
    sys.stderr = _Stream(before[1], needed=False)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def occupy_closed() -> None:
    """Open standard input, output and error to nowhere where this process was given none.

    The next file that is opened would get such a number, and with it whatever a C library prints.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= LAST_STANDARD:
        os.set_inheritable(number, True)
    os.close(number)


@contextlib.contextmanager
def kept_for_result() -> Iterator[None]:
    """Inside, standard output takes what `result_stream` is given, and nothing else.

    What plugins print, here or in worker processes, goes to standard error, so that what another
    program reads stays a whole.
    """
    if _result:
        yield
        return
    own = sys.stdout
    with contextlib.ExitStack() as undo:
        if _is_standard(own):
            own.flush()
            kept = os.dup(1)
            undo.callback(os.close, kept)
            undo.callback(os.dup2, kept, 1)
            os.dup2(2, 1)
            file = open(kept, "w", encoding=own.encoding, closefd=False)  # noqa: SIM115
            stream = _Stream(file, needed=True)
            undo.callback(_end, stream, file)
            _result.append(cast("TextIO", stream))
        else:
            _result.append(own)
        undo.callback(_result.clear)
        undo.enter_context(contextlib.redirect_stdout(sys.stderr))
        yield


def _end(stream: _Stream, file: TextIO) -> None:
    """Write what is left; what is not taken is let go, so that Python does not try again."""
    try:
        stream.flush()
    except OutputError:
        let_go(file)
        with contextlib.suppress(OSError, ValueError):
            file.flush()
        raise


def result_stream() -> TextIO:
    """Where a command writes its result."""
    return _result[0] if _result else sys.stdout


def show_json(data: Any) -> None:
    """Plain data as JSON, as the command's result."""
    result_stream().write(json.dumps(data, indent=2, default=str) + "\n")


def _is_standard(stream: TextIO) -> bool:
    """Whether a stream leads to the process's own standard output, and there is an error stream."""
    try:
        os.fstat(2)
        return stream.fileno() == 1
    except (OSError, ValueError):  # a test's, or closed
        return False


def let_go(stream: TextIO | None) -> None:
    """Turn a stream that takes no more to nowhere: Python would complain of it when it ends."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())  # type: ignore[union-attr]
        os.close(nowhere)
