"""Sections that plugins add to a run are kept in its folder and shown as text."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from rdfc_core import DataError
from rdfc_core.interfaces import FigureBlock, TableBlock, TextBlock
from rdfc_core.report import write_report
from rdfc_core.results.report_blocks import RecordedSection, RecordedSections
from tests.support.html_page import Page
from tests.support.run_folders import HOSTILE, Folder


def png() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (3, 2), (200, 30, 30)).save(stream, "PNG")
    return stream.getvalue()


SECTION = RecordedSection(
    title=HOSTILE[0],
    by="report section 'ranking' of someone 1.0",
    blocks=(
        TextBlock(text=HOSTILE[1]),
        TableBlock(
            columns=("method", HOSTILE[2]),
            rows=((HOSTILE[4], 0.12345), ("second", 7), ("third", None)),
            caption=HOSTILE[3],
        ),
        FigureBlock(png=png(), caption=HOSTILE[1]),
    ),
)
FAILED = RecordedSection(title="broken", by="report section 'broken' of no-one 2", fault=HOSTILE[0])


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Page:
    folder = Folder(tmp_path_factory.mktemp("sections") / "run", hostile=False).write()
    RecordedSections(sections=(SECTION, FAILED)).write(folder)
    return Page(write_report(folder).read_text(encoding="utf-8"))


def test_all_of_a_section_is_text_a_table_and_a_picture(page):
    for text in (*HOSTILE[:5], "By the report section 'ranking' of someone 1.0."):
        assert " ".join(text.split()) in page.text
    assert "0.123" in page.text
    assert "0.12345" not in page.text
    addresses = [a["src"] for tag, a in page.tags if tag == "img" and a.get("alt") == HOSTILE[1]]
    assert addresses == [f"data:image/png;base64,{base64.b64encode(png()).decode()}"]


def test_nothing_in_a_section_can_do_harm(page):
    assert sum(tag == "script" for tag, _ in page.tags) == 2
    assert not [key for _, found in page.tags for key in found if key.startswith("on")]
    sources = [found[key] for _, found in page.tags for key in ("src", "href") if key in found]
    assert all(value.startswith(("data:image/", "data:,", "#")) for value in sources)


def test_a_section_that_failed_is_named_with_its_reason(page):
    assert "broken By the report section 'broken' of no-one 2." in page.text
    assert f"This section could not be made: {HOSTILE[0]}" in page.text


def test_the_file_gives_back_what_was_written(tmp_path):
    written = RecordedSections(sections=(SECTION, FAILED))
    written.write(tmp_path)
    assert RecordedSections.read(tmp_path / "sections.json") == written
    RecordedSections().write(tmp_path)
    assert not (tmp_path / "sections.json").exists()


@pytest.mark.parametrize("content", ["", "{", '{"sections": [{"title": 3}]}', '{"more": 1}'])
def test_a_damaged_file_is_named(tmp_path, content):
    folder = Folder(tmp_path / "run", cases=12, unlabelled=2).write()
    (folder / "sections.json").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=r"sections\.json"):
        write_report(folder)
