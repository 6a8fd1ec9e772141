"""Brings into the site what lies elsewhere in the repository: READMEs of plugins, the changelog.

Links in the repository's files hold on the site, too: they are rewritten to the pages' new places.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)#\s]+)")
CODE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
MOVED = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
}
PLUGIN = "reference/plugins"
CONTRACT = ROOT / "docs" / "reference" / "contract"
FIRST = ("index.md", "rules.md", "types.md")
README_FILES = sorted(ROOT.glob("plugins/*/README.md"))


def on_config(config: Any) -> Any:
    """List the contract's pages, one a kind, and the plugins' at the end of the reference."""
    kinds = sorted(path.name for path in CONTRACT.glob("*.md") if path.name not in FIRST)
    contract = [f"reference/contract/{name}" for name in (*FIRST, *kinds)]
    pages = [_page(path.relative_to(ROOT).as_posix()) for path in README_FILES]
    reference = next(entry["Reference"] for entry in config.nav if "Reference" in entry)
    reference.append({"Contract of plugins": contract})
    reference.append({"Plugins": [{Path(page).stem: page} for page in pages]})
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add pages for files outside of ``docs``."""
    for source in (ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *README_FILES):
        repository = source.relative_to(ROOT).as_posix()
        page = _page(repository)
        text = _with_links(source.read_text(encoding="utf-8"), repository, page)
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Send links that leave ``docs`` to the pages made of what they lead to."""
    place = page.file.src_uri
    if place in ("contributing.md", "changelog.md") or place.startswith(PLUGIN):
        return markdown  # its links were rewritten when it was made
    return _with_links(markdown, f"docs/{place}", place)


def _page(repository: str) -> str:
    """The page of the site for a path of the repository."""
    parts = repository.split("/")
    if repository in MOVED:
        return MOVED[repository]
    if parts[0] == "plugins" and parts[2:] == ["README.md"]:
        return f"{PLUGIN}/{parts[1]}.md"
    return repository.removeprefix("docs/") if parts[0] == "docs" else f"../{repository}"


def _with_links(text: str, repository: str, page: str) -> str:
    def rewritten(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(repository), link[1]))
        return posixpath.relpath(_page(target), posixpath.dirname(page) or ".")

    parts = CODE.split(text)
    return "".join(part if part.startswith("```") else LINK.sub(rewritten, part) for part in parts)
