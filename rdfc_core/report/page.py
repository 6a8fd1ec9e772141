"""A `RunData` → the page: every section, one style sheet, one script, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from rdfc_core.report.palette import DARK, LIGHT, SHAPES, variables
from rdfc_core.report.run_data import RunData
from rdfc_core.report.sections.attention import attention
from rdfc_core.report.sections.by_plugins import by_plugins
from rdfc_core.report.sections.case_by_case import case_by_case
from rdfc_core.report.sections.data import data
from rdfc_core.report.sections.embedding_map import embedding_map
from rdfc_core.report.sections.importance import importance
from rdfc_core.report.sections.map_margin import HEIGHT, SIDE, WIDTH
from rdfc_core.report.sections.numbers_by_case import numbers_by_case
from rdfc_core.report.sections.provenance import provenance
from rdfc_core.report.sections.query_curves import queries
from rdfc_core.report.sections.results import results
from rdfc_core.report.sections.safeguards import safeguards
from rdfc_core.report.sections.summary import summary
from rdfc_core.report.sections.training import training
from rdfc_core.report.verdict import judge
from rdfc_core.results.vocabulary import REGRESSION


def render(run: RunData) -> str:
    """The whole page as HTML. The same run gives the same text."""
    verdict = judge(run)
    script = _text("page.js")
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            style=style(),
            script=Markup(script),
            script_hash=_hash(script),
            shapes=SHAPES,
            width=WIDTH,
            height=HEIGHT,
            side=SIDE,
            summary=summary(run, verdict),
            data=data(run),
            training=training(run),
            results=results(run, verdict),
            numbers_by_case=numbers_by_case(run, verdict),
            case_by_case=None if run.task == REGRESSION else case_by_case(run, verdict),
            safeguards=safeguards(run),
            importance=importance(run),
            queries=queries(run),
            attention=attention(run),
            embedding_map=embedding_map(run),
            by_plugins=by_plugins(run),
            provenance=provenance(run),
        )
    )


def environment() -> Environment:
    """The templates of the pages."""
    # autoescape: names and ids are other people's; `tojson` keeps them inside the script's data.
    return Environment(
        loader=PackageLoader("rdfc_core.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def style() -> Markup:
    """The style sheet of the pages, by day and by night."""
    night = f"@media screen and (prefers-color-scheme: dark) {{ :root {{{variables(DARK)}}} }}"
    return Markup(
        f":root {{ color-scheme: light dark; {variables(LIGHT)} }}\n{night}\n{_text('style.css')}"
    )


def _hash(script: str) -> str:
    """What the page's own policy lets run: this script, to the letter, and no other."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")


def _text(name: str) -> str:
    return files("rdfc_core.report").joinpath(name).read_text(encoding="utf-8")
