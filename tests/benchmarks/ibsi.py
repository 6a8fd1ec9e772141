"""How the extractor ``ibsi`` complies with the IBSI: values of chapter 1, maps of chapter 2.

    python tests/benchmarks/ibsi.py [--write]

Reads the IBSI's phantoms from the folder that ``RDFC_IBSI`` names, or from ``shared/data/ibsi``
beside the repository. ``--write`` renews the tables of docs/reference/ibsi.md. A value complies if,
rounded to three digits as the consensus is, it is no further from it than its tolerance.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.support import ibsi_reference, ibsi_responses
from tests.support.generated_blocks import with_block
from tests.support.ibsi_reference import CONFIGURATIONS
from tests.support.ibsi_responses import RESPONSES
from tests.support.ibsi_tables import feature_table, response_table, value_table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "ibsi.md"


def main() -> None:
    """Print the tables, or write them into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="Renew docs/reference/ibsi.md.")
    write = parser.parse_args().write
    place = ibsi_reference.folder()
    if place is None:
        sys.exit(f"Nothing is compared: {ibsi_reference.ABSENT}.")
    compared = {name: ibsi_reference.comparisons(place, name) for name in CONFIGURATIONS}
    deviations = {number: ibsi_responses.deviation(place, number) for number in RESPONSES}
    blocks = {
        "values": value_table(compared),
        "maps": response_table(deviations),
        "features": feature_table(),
    }
    for name, lines in blocks.items():
        print("\n".join(lines), end="\n\n")
        if write:
            text = with_block(PAGE.read_text(encoding="utf-8"), name, lines)
            PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
