"""``rdfc datasets build``: its options. What it does is in `rdfc_core.cli.manifest`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rdfc_core.cli import options

Given = Annotated[
    Path, typer.Argument(help="A folder of images and masks, or a table that lists them.")
]
Out = Annotated[
    Path, typer.Option("--out", help="The list to write; paths below its folder are relative.")
]
Layout = Annotated[
    str | None,
    typer.Option(
        "--layout",
        help="How the folder is laid out: nnunet, bids, folders (images beside "
        "masks), classes or cases (a folder for each), or one of a reader such as dicom; by "
        "default what it looks like.",
    ),
]
ImageDir = Annotated[Path | None, typer.Option("--image-dir", help="The folder of the images.")]
MaskDir = Annotated[Path | None, typer.Option("--mask-dir", help="The folder of the masks.")]
OnlyImages = Annotated[
    str | None, typer.Option("--only-images", help="Image names to take, such as '*_T1w*'.")
]
OnlyMasks = Annotated[
    str | None, typer.Option("--only-masks", help="Mask names to take, such as '*lesion*'.")
]
SeveralMasks = Annotated[
    str,
    typer.Option(
        "--several-masks",
        help="An image with several masks is left-out and told, or makes cases, one of each.",
    ),
]
ByFolder = Annotated[
    bool,
    typer.Option(
        "--by-folder",
        help="Of DICOM: where headers leave an RTSTRUCT several series, take the one in the "
        "nearest folder, and say so.",
    ),
]
WhichLesions = Annotated[
    str | None,
    typer.Option(
        "--lesions",
        help="What of a mask is a case: all, largest, each (connected component) or values "
        "(each value of a label map); masks are read for it, and sizes noted.",
    ),
]
MaskValue = Annotated[
    int | None,
    typer.Option("--mask-value", help="The value that marks the tumour in the masks."),
]
SmallestMm = Annotated[
    float,
    typer.Option(
        "--smallest-mm", min=0, help="Leave out lesions of a smaller diameter, and say so."
    ),
]
Patient = Annotated[
    str | None,
    typer.Option("--patient", help="The patient within a case's id, in brackets: '(P[0-9]+)_.*'."),
]
Labels = Annotated[
    Path | None,
    typer.Option("--labels", help="A table of labels: CSV, TSV or Excel, joined by --id."),
]
IdColumn = Annotated[str, typer.Option("--id", help="Its column of the cases' or patients' ids.")]
LabelColumn = Annotated[
    str | None, typer.Option("--label", help="Its column of labels; label if it has one.")
]
Keep = Annotated[
    list[str] | None,
    typer.Option("--keep", help="A further column of it to keep, such as age; repeatable."),
]
RoleColumns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="ROLE=NAME",
        help="What a column of the source is: image, mask, case_id, patient_id or label.",
    ),
]
Sheet = Annotated[str | None, typer.Option("--sheet", help="Which sheet of a workbook is read.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the list that is there.")]


def build(
    source: Given,
    out: Out = Path("manifest.csv"),
    layout: Layout = None,
    image_dir: ImageDir = None,
    mask_dir: MaskDir = None,
    only_images: OnlyImages = None,
    only_masks: OnlyMasks = None,
    several_masks: SeveralMasks = "leave-out",
    by_folder: ByFolder = False,
    lesions: WhichLesions = None,
    mask_value: MaskValue = None,
    smallest_mm: SmallestMm = 0.0,
    patient: Patient = None,
    labels: Labels = None,
    id_column: IdColumn = "case_id",
    label_column: LabelColumn = None,
    keep: Keep = None,
    column: RoleColumns = None,
    sheet: Sheet = None,
    overwrite: Overwrite = False,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Write the list of cases for what you have; what is doubtful is left out and told."""
    from rdfc_core.cli.manifest import BuildRequest, build_manifest

    build_manifest(
        BuildRequest(
            source,
            out,
            layout,
            (image_dir, mask_dir),
            (only_images, only_masks),
            several_masks,
            by_folder,
            lesions,
            mask_value,
            smallest_mm,
            patient,
            labels,
            id_column,
            label_column,
            tuple(keep or ()),
            tuple(column or ()),
            sheet,
            overwrite,
        ),
        as_json,
    )
