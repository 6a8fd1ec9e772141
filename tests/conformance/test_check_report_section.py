"""`check_report_section` passes a sound component and catches each broken promise."""

import random

import pytest
from pydantic import ValidationError

from rdfc_core import testing
from rdfc_core.interfaces import FigureBlock, TableBlock, TextBlock
from rdfc_core.scaffold.templates.report_section import config as section_config
from rdfc_core.scaffold.templates.report_section.section import Example as Ranking


class WithoutTitle(Ranking):
    title = "  "


class OfText(Ranking):
    def blocks(self, results, folder):
        return "All is well."


class OfStrings(Ranking):
    def blocks(self, results, folder):
        return ["All is well."]


class NeedingRows(Ranking):
    def blocks(self, results, folder):
        return [TextBlock(text=results.rows[0].method)]


class Guessing(Ranking):
    generator = random.Random(0)

    def blocks(self, results, folder):
        return [TextBlock(text=str(self.generator.random()))]


class DrawingFromPython(Ranking):
    def blocks(self, results, folder):
        return [TextBlock(text=str(random.random()))]


class Writing(Ranking):
    def blocks(self, results, folder):
        (folder / "mine.txt").write_text("")
        return []


class Endless(Ranking):
    def blocks(self, results, folder):
        return [TextBlock(text="and")] * 51


def test_a_sound_section_passes():
    testing.check_report_section(Ranking(section_config.ExampleConfig()))


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (WithoutTitle, "give a heading of up to 100 letters"),
        (OfText, r"blocks\(\) gave str; give a list of"),
        (OfStrings, "which is none; put text into a TextBlock"),
        (NeedingRows, "raised IndexError where rdfc relies on a result"),
        (Guessing, "gave something else when it was asked again"),
        (DrawingFromPython, "draws from Python's module random"),
        (Writing, "wrote into the run folder"),
        (Endless, "gave 51 blocks; 50 are the most"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_section_is_caught(kind, complaint):
    with pytest.raises(AssertionError, match=complaint):
        testing.check_report_section(kind(section_config.ExampleConfig()))


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: TextBlock(text=""), "at least 1 character"),
        (lambda: TableBlock(columns=("a", "b"), rows=((1,),)), "2 columns, and a row of 1 cells"),
        (lambda: TableBlock(columns=("a",), rows=((1,),) * 20_001), "more than 20000 cells"),
        (lambda: FigureBlock(png=b"GIF89a", caption="x"), "no PNG"),
        (lambda: FigureBlock(png=b"\x89PNG\r\n\x1a\n" + bytes(2**22), caption="x"), "at most"),
    ],
)
def test_a_block_says_what_it_cannot_be(make, complaint):
    with pytest.raises(ValidationError, match=complaint):
        make()
