"""``rdfc features``: radiomics of an image and its mask, or of a list, without any study."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from rdfc_core.cli import options
from rdfc_core.cli.table_file import FORMATS, check_out, known, write_csv, write_table
from rdfc_core.errors import DataError, StudyError

JSON = ".json"
LISTS = (".csv", ".tsv", ".txt")

Given = Annotated[
    Path,
    typer.Argument(metavar="IMAGE|LIST", help="An image, or a CSV of images and masks."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--setting",
        "-s",
        metavar="NAME=VALUE",
        help="A setting that goes before that of the file, such as binWidth=20; repeatable.",
    ),
]
Label = Annotated[
    int | None,
    typer.Option(
        "--label", "-l", help="The value that marks the region, where no row of a list says it."
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", help="Write a table: .csv, .parquet or .json; else CSV here."),
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", "-j", min=0, help="Processes that measure at once.")
]
Extractor = Annotated[
    str,
    typer.Option(
        "--features",
        help="What measures.",
        autocompletion=options.completer("feature_extractor"),
    ),
]
Skip = Annotated[
    bool, typer.Option("--skip-failed", help="Leave out cases that cannot be measured.")
]


def features(
    source: Given,
    mask: Annotated[Path | None, typer.Argument(metavar="MASK", help="Its mask.")] = None,
    param: Annotated[
        str,
        typer.Option(
            "--param",
            "-p",
            help="A PyRadiomics parameter file (YAML or JSON), or a bundled set: ultrasound, ct, "
            "ct-3d; auto: ultrasound for pictures, ct-3d for volumes.",
        ),
    ] = "auto",
    setting: Settings = None,
    label: Label = None,
    out: Out = None,
    jobs: Jobs = None,
    extractor: Extractor = "native",
    skip: Skip = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace --out.")] = False,
    store: options.Store = None,
    debug: options.Debug = False,
) -> None:
    """Radiomics features of an image with its mask, or of every row of a list."""
    from rdfc_core.api.feature_table import measured
    from rdfc_core.api.frames import HOW_TO_SKIP
    from rdfc_core.cli import console
    from rdfc_core.extraction.features_table import feature_rows

    console.log_to_stderr()
    as_json = out is not None and out.suffix.lower() == JSON
    check_out(out, overwrite, (source, mask), (*FORMATS, JSON))
    if mask is None and source.is_file() and source.suffix.lower() not in LISTS:
        raise StudyError(f"{source} is no list: give the mask of the image as well.")
    parameters, value = _parameters(param, setting or [])
    measure = partial(
        measured,
        str(source) if mask is None else (str(source), str(mask)),
        parameters,
        extractor=extractor,
        mask_value=value if label is None else label,
        store=store,
        executor="local" if jobs is None else f"local:workers={jobs}",
        errors="skip" if skip else "raise",
        progress=console.DrawnProgress(),
    )
    try:
        extraction = measure()
    except DataError as error:
        raise DataError(str(error).replace(HOW_TO_SKIP, "say --skip-failed")) from error
    _write(*feature_rows(extraction), out, as_json)


def _parameters(param: str, settings: list[str]) -> tuple[Any, int | None]:
    """What to measure, and the value that marks the region if a file says it.

    A set stays a word; a file becomes its content, with settings that go before it.
    """
    from rdfc_core.radiomics.parameters import bundled_sets, load_parameters
    from rdfc_core.utils.serialization import parse_yaml

    if not settings and param in ("auto", *bundled_sets()):
        return param, None
    if param == "auto":
        raise StudyError(
            "--setting needs parameters that it changes: name a file or one of "
            f"{', '.join(bundled_sets())} by --param."
        )
    content = load_parameters(param).dump()
    for text in settings:
        name, is_said, value = text.partition("=")
        if not is_said or not name:
            raise StudyError(f"--setting {text}: write NAME=VALUE, as in binWidth=20.")
        content["setting"][name] = parse_yaml(value)
    content["setting"].pop("additionalInfo", None)  # of the result, which is features alone
    return content, content["setting"].pop("label", None)


def _write(
    rows: Sequence[Mapping[str, object]], columns: Sequence[str], out: Path | None, as_json: bool
) -> None:
    from rdfc_core.cli.streams import result_stream
    from rdfc_core.utils.atomic import replacing

    if out is None:
        write_csv(result_stream(), rows, columns)
    elif as_json:
        told = [{name: known(value) for name, value in row.items()} for row in rows]
        with replacing(out) as partial:
            text = json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False)
            partial.write_text(text + "\n", encoding="utf-8")
    else:
        write_table(out, rows, columns)
