"""The pages of the reference that code gives: a study's options, components, results.json."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from rdfc_core.cli import study_sections
from rdfc_core.cli.option_help import Option, as_json, options_in_words, type_in_words
from rdfc_core.plugin.component import KINDS, part_fields
from rdfc_core.plugin.registry import installed
from rdfc_core.results.headline import Against, Headline, Judged, Ranked, Selection
from rdfc_core.results.schema import (
    BoughtLabels,
    Comparison,
    Importance,
    LabelsNeeded,
    Results,
    Row,
)

GENERATED = "<!-- Generated from the code. Renew it: nox -s docs -- --write -->\n"
KIND_WORDS = {
    "dataset": "Data sets",
    "reader": "Readers",
    "feature_extractor": "Feature extractors",
    "harmoniser": "Harmonisers",
    "image_encoder": "Image encoders",
    "view": "Views",
    "objective": "Objectives",
    "memory_store": "Memories",
    "memory_queue": "Queues",
    "projector": "Projectors",
    "pretext": "Pretexts",
    "optimizer": "Optimisers",
    "schedule": "Schedules",
    "evaluator": "Evaluators",
    "metric": "Metrics",
    "query_strategy": "Query strategies",
    "report_section": "Sections of the report",
    "logger": "Loggers",
    "executor": "Executors",
}
assert tuple(KIND_WORDS) == KINDS

STUDY = """# Options of a study

Every option that rdfc itself has, by section. Those of data sets, views, encoders and other
components are listed under [components](components.md). In a study file options are nested; on the
command line they are set by their path: `--set evaluate.supervised.epochs=10`. The same is told by
`rdfc plugins show pretrain` or `rdfc plugins show pretrain.steps`.

A study begins with a preset, `preset: default` or `preset: paper`. Where a preset gives another
value than the option's own default, that is told beside it.
"""

SHORTHANDS = """
## Shorthands

| word | stands for |
| --- | --- |
"""

COMPONENTS = """# Components

What can be named in a study, by kind, with every option. `rdfc plugins list` and `rdfc plugins
show NAME` tell the same of what is installed, plugins of others included. An option of a component
is set by its path in the study (`--set views.image.margin=0.2`) or where it is named (`--encoder
timm:model=resnet18`).
"""

RESULTS = """# results.json

All numbers of a run, undefined ones as `null`. The [JSON Schema](results.schema.json) (draft
2020-12) is generated from the class that writes the file, and a real run is validated against it
by the tests. A file without a field that was added later is still read by rdfc.

```python
import json

import pandas as pd

with open("runs/mine/results.json") as file:
    rows = pd.DataFrame(json.load(file)["rows"])
rows.query("table == 'linear' and metric == 'f1_weighted'")
```
"""


def command_line() -> str:
    """The command line reference: each command with its options, and linked where it is listed."""
    command = [sys.executable, "-m", "typer", "rdfc_core.cli", "utils", "docs", "--name", "rdfc"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    # Lists of commands end their sentences in "..."; each command's own section has them whole.
    sections = dict(re.findall(r"^#+ `(rdfc[^`]*)`\n\n(.+?)\n\n", text, re.MULTILINE | re.DOTALL))
    page = []
    for line in text.splitlines():
        if heading := re.fullmatch(r"#+ `(rdfc[^`]*)`", line):
            group, listing = heading[1], False
        elif line.startswith("**"):
            listing = line == "**Commands**:"
        elif listing and (listed := re.match(r"\* `([\w-]+)`: ", line)):
            name = f"{group} {listed[1]}"
            summary = re.split(r"(?<=\.) ", " ".join(sections[name].split()))[0]
            line = f"* [`{listed[1]}`](#{name.replace(' ', '-')}): {summary}"
        page.append(line)
    found = "\n".join(page).rstrip() + "\n"
    return found.replace("# `rdfc`", f"# Command line\n\n{GENERATED}\n## `rdfc`", 1)


def study_options() -> str:
    """Every option of a study that is rdfc's own."""
    from rdfc_core.config.study import SHORTHAND

    page = [GENERATED, STUDY]
    for section in study_sections.SECTIONS:
        title = f"`{section.path}`" if section.path else "The top level"
        schema = study_sections.schema(section)
        kinds = study_sections.named_kinds(section.model)
        presets = study_sections.presets_of_section(section)
        page.append(f"\n## {title}\n\n{section.summary}.\n\n")
        page.append(option_table(options_in_words(schema, kinds), presets))
    page.append(SHORTHANDS)
    page += [f"| `{word}` | `{target}` |\n" for word, target in SHORTHAND.items()]
    page.append("| `evaluate: paper` | `evaluate: {preset: paper}`, the paper's comparisons |\n")
    return "".join(page)


def components() -> str:
    """Every component of this repository with its options."""
    page = [GENERATED, COMPONENTS]
    for kind, heading in KIND_WORDS.items():
        page.append(f"\n## {heading}\n")
        for component, source in installed().components():
            if component.kind != kind:
                continue
            config = component.load_config()
            options = list(options_in_words(config.model_json_schema(), part_fields(config)))
            distribution = str(source).split()[0]
            page.append(f"\n### `{component.name}`\n\n{component.summary}. *{distribution}*\n\n")
            presets = study_sections.presets_of_component(component.kind, component.name)
            page.append(option_table(options, presets) if options else "No options.\n")
    return "".join(page)


def results() -> str:
    """The fields of results.json."""
    page = [GENERATED, RESULTS]
    for model, title in (
        (Results, "The file"),
        (Row, "`rows`"),
        (Comparison, "`comparisons`"),
        (LabelsNeeded, "`labels_needed`"),
        (BoughtLabels, "`queries`"),
        (Importance, "`importance`"),
        (Selection, "`selections`"),
        (Ranked, "`selections[].ranking`"),
        (Headline, "`headline`"),
        (Judged, "`headline.main`"),
        (Against, "`headline.against`"),
    ):
        schema = model.model_json_schema(mode="serialization")
        about = "" if model is Results else f"{(model.__doc__ or '').splitlines()[0]}\n\n"
        page.append(f"\n## {title}\n\n{about}| field | type | meaning |\n| --- | --- | --- |\n")
        for name, field in schema["properties"].items():
            what = _cell(type_in_words(field, {}))
            page.append(f"| `{name}` | {what} | {_cell(field.get('description', ''))} |\n")
    return "".join(page)


def results_schema() -> str:
    """The JSON Schema of results.json."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Results.model_json_schema(mode="serialization"),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def option_table(options: Iterable[Option], presets: Mapping[str, Mapping[str, Any]]) -> str:
    """One row an option: two columns, which fit on a telephone, too."""
    lines = ["| option | meaning |", "| --- | --- |"]
    for option in options:
        meaning = _cell(option.description)
        values = "".join(f"<br>`{key}`: {_cell(value)}" for key, value in option.values.items())
        default = "required" if option.default is None else f"default `{_short(option.default)}`"
        facts = "; ".join([f"*{_cell(option.type)}*", _cell(default), *_presets(option, presets)])
        above = f"{meaning}{values}<br>" if meaning or values else ""
        lines.append(f"| `{option.name}` | {above}{facts} |")
    return "\n".join(lines) + "\n"


def _presets(option: Option, presets: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [
        _cell(f"preset {preset} `{as_json(values[option.name])}`")
        for preset, values in presets.items()
        if option.name in values and as_json(values[option.name]) != option.default
    ]


def _short(default: str) -> str:
    """A default that fits into a table."""
    return default if len(default) <= 80 else f"{default[:77]}…"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("``", "`").split())
