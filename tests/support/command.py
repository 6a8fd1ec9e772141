"""What a command of rdfc leaves, for the tests of the command line."""

from __future__ import annotations

from dataclasses import dataclass

HERE = ("--executor", "local:workers=0")
"""Extraction in this process: its start is not what these tests are about."""


@dataclass
class Done:
    """What a command left."""

    code: int
    out: str
    err: str

    def refused(self, *expected: str) -> str:
        """The one sentence of a command that a user must change."""
        assert self.code == 2, self.err
        assert "Traceback" not in self.err
        lines = [line for line in self.err.splitlines() if line.strip()]
        assert len(lines) == 1, self.err
        for words in expected:
            assert words in lines[0], lines[0]
        assert self.out == ""
        return lines[0]
