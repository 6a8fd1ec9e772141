"""``rdfc plugins``: what is installed, and a new plugin to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rdfc_core.cli import options
from rdfc_core.cli.command import App
from rdfc_core.component import KINDS
from rdfc_core.errors import PluginError, StudyError, did_you_mean
from rdfc_core.plugins import installed

app = App(help="What is installed, and a new plugin to start from.")


def _names(incomplete: str) -> list[tuple[str, str]]:
    return [
        (component.name, component.summary)
        for component, _ in installed().components()
        if component.name.startswith(incomplete)
    ]


def _kinds(incomplete: str) -> list[str]:
    return [kind for kind in KINDS if kind.startswith(incomplete)]


@app.callback(invoke_without_command=True)
def _default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_plugins()


@app.command("list")
def list_plugins(as_json: options.Json = False, debug: options.Debug = False) -> None:
    """All components, by kind, with where they come from and whether they can be used here."""
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
    if as_json:
        import json

        broken = [*map(str, registry.broken), *registry.twice()]
        typer.echo(json.dumps({"components": rows, "broken": broken}, indent=2))
        return
    from rich.table import Table

    from rdfc_core.cli.console import out

    table = Table(box=None, pad_edge=False)
    for heading in ("kind", "name", "what it is", "from"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        reason = f" (not available: {row['unavailable']})" if row["unavailable"] else ""
        table.add_row(row["kind"], row["name"], f"{row['summary']}{reason}", row["distribution"])
    out.print(table)
    for problem in (*registry.broken, *registry.doubtful, *registry.twice()):
        typer.echo(str(problem), err=True)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(autocompletion=_names)],
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """The options of a component: names, types, defaults and what they mean."""
    found = [(c, s) for c, s in installed().components() if c.name == name]
    if not found:
        raise PluginError(installed().unknown(name))
    import json

    from rdfc_core.cli.schema import option_lines
    from rdfc_core.resolve import part_fields

    for component, source in found:
        config = component.load_config()
        schema = config.model_json_schema()
        if as_json:
            typer.echo(json.dumps({"kind": component.kind, "name": name, **schema}, indent=2))
            continue
        typer.echo(f"{component.label}, from {source}\n{component.summary}.")
        if component.unavailable:
            typer.echo(f"Not available here: {component.unavailable}.")
        for line in option_lines(schema, part_fields(config)):
            typer.echo(line)


@app.command("new")
def new(
    kind: Annotated[str, typer.Argument(autocompletion=_kinds, help=", ".join(KINDS))],
    name: Annotated[str, typer.Argument(help="Its name in a study, such as convnext.")],
    out: Annotated[Path, typer.Option("--out", help="Where the folder is made.")] = Path(),
    debug: options.Debug = False,
) -> None:
    """Write a working plugin with its test, to start from."""
    if kind not in KINDS:
        raise StudyError(
            f"There is no kind {kind!r}.{did_you_mean(kind, KINDS)} Use one of: {', '.join(KINDS)}."
        )
    from rdfc_core.scaffold import write_plugin

    folder = write_plugin(kind, name, out)
    typer.echo(f"{folder}\nInstall it with: pip install -e {folder}\nTest it with: pytest {folder}")
