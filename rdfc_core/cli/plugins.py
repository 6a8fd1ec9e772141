"""``rdfc plugins``: what is installed, and a new plugin to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rdfc_core.cli import options
from rdfc_core.cli.command import App
from rdfc_core.cli.streams import show_json
from rdfc_core.errors import PluginError, StudyError, did_you_mean, one_line
from rdfc_core.plugin.registry import installed
from rdfc_core.scaffold.writer import HOOK, WRITTEN, write_plugin

app = App(help="What is installed, and a new plugin to start from.")


def _names(incomplete: str) -> list[tuple[str, str]]:
    from rdfc_core.cli.study_sections import SECTIONS

    named = [(component.name, component.summary) for component, _ in installed().components()]
    named += [(section.path or "study", section.summary) for section in SECTIONS]
    return [(name, summary) for name, summary in named if name.startswith(incomplete)]


def _kinds(incomplete: str) -> list[str]:
    return [kind for kind in WRITTEN if kind.startswith(incomplete)]


@app.callback(invoke_without_command=True)
def _default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_plugins()


@app.command("list")
def list_plugins(as_json: options.Json = False, debug: options.Debug = False) -> None:
    """All components, by kind, with where they come from and whether they can be used here.

    Then the plugins that listen to runs by hooks.
    """
    registry = installed()
    rows = [
        {
            "kind": component.kind,
            "name": component.name,
            "summary": component.summary,
            "distribution": str(source),
            "unavailable": component.unavailable,
        }
        for component, source in registry.components()
    ]
    hooks = [
        {"name": source.plugin, "hooks": list(events), "distribution": str(source)}
        for source, events in registry.listening
    ]
    if as_json:
        broken = [*map(str, registry.broken), *registry.twice()]
        show_json({"components": rows, "hooks": hooks, "broken": broken})
        return
    from rich.table import Table

    from rdfc_core.cli.console import out

    table = Table(box=None, pad_edge=False)
    for heading in ("kind", "name", "what it is", "from"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        reason = f" (not available: {row['unavailable']})" if row["unavailable"] else ""
        cells = row["kind"], row["name"], f"{row['summary']}{reason}", row["distribution"]
        table.add_row(*(one_line(str(cell)) for cell in cells))
    for source, events in registry.listening:
        listener = HOOK, source.plugin, f"Implements {', '.join(events)}", str(source)
        table.add_row(*map(one_line, listener))
    out.print(table)
    for problem in (*registry.broken, *registry.doubtful, *registry.twice()):
        typer.echo(one_line(str(problem)), err=True)
    for source in registry.off:
        typer.echo(f"Switched off: {source}.", err=True)


@app.command("show")
def show(
    name: Annotated[
        str,
        typer.Argument(
            autocompletion=_names,
            help="A component, a section of a study (study, split, pretrain, evaluate, …), or one "
            "option of a section, such as pretrain.steps.",
        ),
    ],
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """The options of a component or of a section of a study: types, defaults and meaning."""
    found = [(c, s) for c, s in installed().components() if c.name == name]
    if not found:
        _show_section(name, as_json)
        return

    from rdfc_core.cli.option_help import option_lines
    from rdfc_core.cli.study_sections import presets_of_component
    from rdfc_core.plugin.component import part_fields

    for component, source in found:
        config = component.load_config()
        schema = config.model_json_schema()
        presets = presets_of_component(component.kind, name)
        if as_json:
            about = {"kind": component.kind, "name": name, **schema, "presets": presets}
            show_json(about)
            continue
        typer.echo(f"{component.label}, from {source}\n{one_line(component.summary)}.")
        if component.unavailable:
            typer.echo(f"Not available here: {component.unavailable}.")
        for line in option_lines(schema, part_fields(config), presets):
            typer.echo(line)


def _show_section(name: str, as_json: bool) -> None:
    """The options of a section of a study, or one of them.

    Raises:
        PluginError: If there is neither a component nor a section or option of that name.
    """
    from rdfc_core.cli import study_sections
    from rdfc_core.cli.option_help import option_lines

    section = study_sections.section(name)
    one = None if section else study_sections.option(name)
    if section is None and one is None:
        known = ", ".join(study_sections.NAMES)
        raise PluginError(f"{installed().unknown(name)} Sections of a study: {known}.")
    section, key = one or (section, None)
    assert section is not None
    schema = study_sections.schema(section)
    if key is not None:
        schema["properties"] = {key: schema["properties"][key]}
    presets = study_sections.presets_of_section(section)
    if as_json:
        about = {"section": section.path or "study", **schema, "presets": presets}
        show_json(about)
        return
    typer.echo(f"study section {section.path!r}" if section.path else "study")
    typer.echo(f"{section.summary}.")
    for line in option_lines(schema, study_sections.named_kinds(section.model), presets):
        typer.echo(line)


@app.command("new")
def new(
    kind: Annotated[str, typer.Argument(autocompletion=_kinds, help=", ".join(WRITTEN))],
    name: Annotated[str, typer.Argument(help="Its name in a study, such as convnext.")],
    out: Annotated[Path, typer.Option("--out", help="Where the folder is made.")] = Path(),
    debug: options.Debug = False,
) -> None:
    """Write a working plugin with its test, to start from."""
    if kind not in WRITTEN:
        raise StudyError(
            f"There is no kind {kind!r}.{did_you_mean(kind, WRITTEN)} Use one of: "
            f"{', '.join(WRITTEN)}."
        )

    folder = write_plugin(kind, name, out)
    typer.echo(f"{folder}\nInstall it with: pip install -e {folder}\nTest it with: pytest {folder}")
