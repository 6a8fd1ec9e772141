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
Param = Annotated[
    str,
    typer.Option(
        "--param",
        "-p",
        help="A PyRadiomics parameter file (YAML or JSON), or a bundled set: ultrasound, ct, "
        "ct-3d; auto: ultrasound for pictures, ct-3d for volumes.",
    ),
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
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        min=0,
        help="Processes that measure at once; for maps threads, 1 by default.",
    ),
]
VoxelBased = Annotated[
    bool,
    typer.Option(
        "--voxel-based",
        help="Write maps of features in place of a table: of the window around every voxel, as "
        "voxelSetting of the parameters says.",
    ),
]
Ending = Annotated[str, typer.Option("--format", help="Of maps: .nrrd, .nii.gz, .nii or .mha.")]
OutDir = Annotated[
    Path | None,
    typer.Option("--out-dir", help="The folder of maps, with one of its own a case of a list."),
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
    param: Param = "auto",
    setting: Settings = None,
    label: Label = None,
    out: Out = None,
    jobs: Jobs = None,
    extractor: Extractor = "native",
    skip: Skip = False,
    voxel_based: VoxelBased = False,
    out_dir: OutDir = None,
    ending: Ending = ".nrrd",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace --out, or maps in --out-dir.")
    ] = False,
    store: options.Store = None,
    debug: options.Debug = False,
) -> None:
    """Radiomics features of an image with its mask, or of every row of a list."""
    from rdfc_core.api.feature_table import measured
    from rdfc_core.api.frames import HOW_TO_SKIP
    from rdfc_core.cli import console
    from rdfc_core.extraction.features_table import feature_rows

    console.log_to_stderr()
    _refuse_unfit(voxel_based, out, out_dir)
    as_json = out is not None and out.suffix.lower() == JSON
    check_out(out, overwrite, (source, mask), (*FORMATS, JSON))
    if mask is None and source.is_file() and source.suffix.lower() not in LISTS:
        raise StudyError(f"{source} is no list: give the mask of the image as well.")
    parameters, value = parameters_of(param, setting or [])
    cases = str(source) if mask is None else (str(source), str(mask))
    how: dict[str, Any] = {
        "extractor": extractor,
        "mask_value": value if label is None else label,
        "errors": "skip" if skip else "raise",
        "progress": console.DrawnProgress(),
    }
    if out_dir is not None:
        maps = {"ending": ending, "threads": max(1, jobs or 1), "overwrite": overwrite}
        _write_maps(cases, out_dir, parameters, {**how, **maps})
        return
    executor = "local" if jobs is None else f"local:workers={jobs}"
    measure = partial(measured, cases, parameters, store=store, executor=executor, **how)
    try:
        extraction = measure()
    except DataError as error:
        raise DataError(str(error).replace(HOW_TO_SKIP, "say --skip-failed")) from error
    _write(*feature_rows(extraction), out, as_json)


def _refuse_unfit(voxel_based: bool, out: Path | None, out_dir: Path | None) -> None:
    """Maps are images in a folder, and a table is a file.

    Raises:
        StudyError: If the options name both, or not where maps go.
    """
    if voxel_based and out_dir is None:
        raise StudyError("--voxel-based writes many images. Name their folder with --out-dir.")
    if out_dir is not None and not voxel_based:
        raise StudyError("--out-dir is for maps of features. Say --voxel-based as well, or --out.")
    if voxel_based and out is not None:
        raise StudyError("Maps of features are no table: leave --out out.")


def _write_maps(cases: Any, out_dir: Path, parameters: Any, how: dict[str, Any]) -> None:
    from rdfc_core.api.feature_maps import write_feature_maps
    from rdfc_core.api.frames import HOW_TO_SKIP
    from rdfc_core.cli import console

    try:
        files = write_feature_maps(cases, out_dir, parameters, **how)
    except DataError as error:
        raise DataError(str(error).replace(HOW_TO_SKIP, "say --skip-failed")) from error
    console.out.print(f"{len(files)} maps in {out_dir}.", markup=False, highlight=False)


def parameters_of(param: str, settings: list[str]) -> tuple[Any, int | None]:
    """What to measure, and the value that marks the region if a file says it.

    A set stays a word; a file becomes its content, with settings that go before it.
    """
    from rdfc_core.radiomics.parameters import bundled_sets, load_parameters
    from rdfc_core.radiomics.voxel_settings import VOXEL_SETTINGS
    from rdfc_core.utils.serialization import parse_yaml

    if not settings and param in ("auto", *bundled_sets()):
        return param, None
    if param == "auto":
        raise StudyError(
            "--setting needs parameters that it changes: name a file or one of "
            f"{', '.join(bundled_sets())} by --param."
        )
    content = load_parameters(param).dump_all()
    for text in settings:
        name, is_said, value = text.partition("=")
        if not is_said or not name:
            raise StudyError(f"--setting {text}: write NAME=VALUE, as in binWidth=20.")
        part = "voxelSetting" if name in VOXEL_SETTINGS else "setting"
        content.setdefault(part, {})[name] = parse_yaml(value)
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
