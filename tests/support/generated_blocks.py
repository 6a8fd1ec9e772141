"""Parts of a page that a command renews, between two comments."""

from __future__ import annotations

from collections.abc import Sequence


def block(text: str, name: str) -> str:
    """What stands in a page between ``<!-- name -->`` and ``<!-- /name -->``.

    Raises:
        ValueError: If the page has no such part.
    """
    start, end = f"<!-- {name} -->\n", f"\n<!-- /{name} -->"
    return text[text.index(start) + len(start) : text.index(end)].strip()


def with_block(text: str, name: str, lines: Sequence[str]) -> str:
    """The page with other lines in that part."""
    start, end = f"<!-- {name} -->\n", f"\n<!-- /{name} -->"
    head, tail = text[: text.index(start)], text[text.index(end) :]
    return "\n".join([f"{head}{start}", *lines]) + f"\n{tail}"
