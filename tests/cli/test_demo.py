"""What `rdfc demo` says at its end."""

from __future__ import annotations

import pytest

from rdfc_core.cli.demo import next_steps


@pytest.mark.parametrize(
    ("environment", "command"), [({"UV": "/usr/bin/uv"}, "uv run rdfc"), ({}, "rdfc")]
)
def test_the_next_commands_are_those_of_the_users_shell(environment, command):
    first, *commands = next_steps(environment).splitlines()
    assert first.startswith("Next, on your own cases")
    assert commands == [
        f"  {command} datasets check manifest --root DIR",
        f"  {command} run --dataset manifest:root=DIR --out runs/mine",
    ]
