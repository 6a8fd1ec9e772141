"""The tables of docs/reference/ibsi.md: what complies, and what features are called."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from rdfc_features_native.ibsi.vocabulary import FAMILIES
from tests.support.ibsi_reference import Comparison
from tests.support.ibsi_responses import RESPONSES, Deviation


def value_table(compared: Mapping[str, Sequence[Comparison]]) -> list[str]:
    """How many values of a family comply, by configuration, and each that does not."""
    names = list(compared)
    counts: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for name, rows in compared.items():
        for row in rows:
            counts[row.family][name].append(row.within)
    lines = [
        "| family | " + " | ".join(names) + " |",
        "| --- | " + " | ".join("---" for _ in names) + " |",
    ]
    for family in FAMILIES:
        cells = (counts[family][name] for name in names)
        lines.append(f"| {family} | " + " | ".join(map(_share, cells)) + " |")
    totals = ([row.within for row in compared[name]] for name in names)
    lines += ["| all | " + " | ".join(map(_share, totals)) + " |", ""]
    outside = [(name, row) for name, rows in compared.items() for row in rows if not row.within]
    if not outside:
        return [*lines, "No value lies outside its tolerance."]
    lines += ["| outside | value | consensus | tolerance |", "| --- | --- | --- | --- |"]
    for name, row in outside:
        told = f"{row.value:.3g} | {row.reference:g} | {row.tolerance:g}"
        lines.append(f"| {name}: {row.tag} | {told} |")
    return lines


def response_table(deviations: Mapping[str, Deviation]) -> list[str]:
    """How many maps of a filter comply, and their largest deviation of the reference's range."""
    lines = ["| filter | tests | within 1 % | largest deviation |", "| --- | --- | --- | --- |"]
    kinds: dict[str, list[str]] = defaultdict(list)
    for number in deviations:
        options = RESPONSES[number]
        kinds[options.get("wavelet", options["kind"])].append(number)
    for kind, numbers in kinds.items():
        found = [deviations[number] for number in numbers]
        largest = max(one.largest for one in found)
        # Single-precision files: what is smaller is their rounding.
        told = "< 1e-6" if largest < 1e-6 else f"{largest:.0e}"
        within = _share(one.within for one in found)
        lines.append(f"| {kind} | {', '.join(numbers)} | {within} | {told} |")
    outside = [number for number, one in deviations.items() if not one.within]
    return [*lines, "", f"Outside: {', '.join(outside) or 'none'}."]


def feature_table() -> list[str]:
    """Every feature by its name, with the IBSI's permanent identifier."""
    lines = ["| family | features |", "| --- | --- |"]
    for family, features in FAMILIES.items():
        told = ", ".join(f"{feature.name}\u00a0`{feature.identifier}`" for feature in features)
        lines.append(f"| {family} | {told} |")
    return lines


def _share(within: Iterable[bool]) -> str:
    found = list(within)
    return f"{sum(found)} of {len(found)}" if found else ""
