"""Sections of the report, sound and broken: each is blamed by name, and none costs a run."""

from __future__ import annotations

import json

import pytest
import yaml

from rdfc_core.report import write_report

HERE = "--executor=local:workers=0"

HEAD = "class Animal(Plain, ReportSection):\n    title = 'Notes'\n\n"
SECTIONS = {
    "of-html": (
        "    def blocks(self, results, folder): return '<b>well</b>'",
        "Animal.blocks() gave str; give a list of TextBlock",
    ),
    "dividing": ("    def blocks(self, results, folder): return 1 / 0", "ZeroDivisionError"),
    "of-gifs": (
        "    def blocks(self, results, folder):\n"
        "        return [FigureBlock(png=b'GIF89a', caption='a')]",
        "no PNG",
    ),
    "untitled": (
        "    title = ''\n    def blocks(self, results, folder): return []",
        "give a heading of up to 100 letters",
    ),
    "asking-options": (
        "    def __init__(self, config): raise ValueError('no table')\n"
        "    def blocks(self, results, folder): return []",
        "failed to be built: ValueError: no table",
    ),
}


@pytest.fixture
def quick_study(study_file):
    study = yaml.safe_load(study_file.read_text("utf-8"))
    study["evaluate"]["controls"] = []
    study_file.write_text(yaml.safe_dump(study), "utf-8")
    return study_file


def test_broken_sections_cost_only_themselves_and_are_named(
    animal, rdfc_here, quick_study, tmp_path
):
    for name, (body, _) in SECTIONS.items():
        animal(name, kind="report_section", parts=f"{HEAD}{body}")
    sound = (
        "    def blocks(self, results, folder):\n"
        "        rows = tuple((row.metric, row.mean) for row in results.rows[:2])\n"
        "        assert (folder / 'predictions.parquet').exists()\n"
        "        return [TextBlock(text='Two <i>numbers</i>'), "
        "TableBlock(columns=('metric', 'mean'), rows=rows)]"
    )
    animal("sound", kind="report_section", parts=f"{HEAD}{sound}")
    run = tmp_path / "run"
    done = rdfc_here("run", quick_study, "--out", run, HERE)
    assert done.code == 0, done.err
    told, page = " ".join(done.err.split()), (run / "report.html").read_text("utf-8")
    kept = {
        one["by"].split("'")[1]: one
        for one in json.loads((run / "sections.json").read_text("utf-8"))["sections"]
    }
    assert kept.keys() == {*SECTIONS, "sound"}
    for name, (_, reason) in SECTIONS.items():
        who = f"report section '{name}' of zoo-{name} 1.7"
        assert f"The {who} failed, and is left out of the report" in told
        assert reason in kept[name]["fault"]
        assert who.replace("'", "&#39;") in page
    assert kept["sound"]["fault"] is None
    assert "Two &lt;i&gt;numbers&lt;/i&gt;" in page
    # A report is drawn again without any plugin, in the same bytes.
    again = write_report(run).read_text("utf-8")
    assert again == page


def test_a_section_that_has_nothing_to_say_leaves_no_trace(
    animal, rdfc_here, quick_study, tmp_path
):
    animal(
        "silent",
        kind="report_section",
        parts=f"{HEAD}    def blocks(self, results, folder): return []",
    )
    done = rdfc_here("run", quick_study, "--out", tmp_path / "run", HERE)
    assert done.code == 0, done.err
    assert not (tmp_path / "run" / "sections.json").exists()
    assert "zoo-silent" not in (tmp_path / "run" / "report.html").read_text("utf-8")
