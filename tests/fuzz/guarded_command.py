"""The command ``rdfc`` under the audit hook: what is not allowed ends it with a code of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.fuzz import audit

SEEN = 99
"""The exit code if anything was done that is not allowed."""

ALLOWED = "RDFC_FUZZ_ALLOWED"
"""Names the folders that may change, separated as in PATH."""


def main() -> None:
    """Run the command with the arguments of this process."""
    from rdfc_core import cli

    allowed = [Path(folder) for folder in os.environ[ALLOWED].split(os.pathsep)]
    with audit.armed(*allowed) as seen:
        try:
            cli.main()
        finally:
            if seen:
                sys.stderr.write("\n".join(seen))
                sys.exit(SEEN)


if __name__ == "__main__":
    main()
