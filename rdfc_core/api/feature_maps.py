"""Maps of features, written as images: no study, and no store."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdfc_core.api.case_source import Cases
from rdfc_core.api.feature_table import chosen_cases, extractor_part
from rdfc_core.api.frames import HOW_TO_SKIP
from rdfc_core.errors import DataError, StudyError
from rdfc_core.plugin.registry import installed
from rdfc_core.utils.atomic import replacing
from rdfc_core.utils.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rdfc_core.api.frames import OnFailure
    from rdfc_core.case import Case, Volume
    from rdfc_core.interfaces import FeatureExtractor

ENDINGS = (".nrrd", ".nii.gz", ".nii", ".mha")

log = logging.getLogger("rdfc")


def write_feature_maps(
    cases: Cases,
    out_dir: str | Path,
    parameters: str | Path | Mapping[str, Any] = "auto",
    *,
    extractor: str | Mapping[str, Any] = "native",
    mask_value: int | None = None,
    reader: str | Mapping[str, Any] | None = None,
    ending: str = ".nrrd",
    threads: int = 1,
    errors: OnFailure = "raise",
    overwrite: bool = False,
    progress: Progress | None = None,
) -> list[Path]:
    """Radiomics features of the window around every voxel of each mask, an image a feature.

    The maps of one case lie in the folder, those of several in a folder a case, named by their
    features. They are in double precision, cover the mask's box and what windows reach beyond it,
    and lie where the image does. How wide windows are, and what they see, is said by the
    parameters (``voxelSetting``).

    Args:
        cases: As of `extract_features`.
        out_dir: The folder.
        parameters: As of `extract_features`.
        extractor: What measures: one that makes maps.
        mask_value: The value that marks the tumour, where a case names none; None: all but 0.
        reader: What reads the files, where several readers claim them.
        ending: Of the files: ``.nrrd``, ``.nii.gz``, ``.nii`` or ``.mha``.
        threads: That measure at once.
        errors: ``raise`` if a case cannot be measured, or ``skip``: warn, and leave it out.
        overwrite: Replace maps that are there.
        progress: Is told how far the work is.

    Returns:
        The files, in order.

    Raises:
        StudyError: If the parameters or another option do not fit, the extractor makes no maps, or
            maps are there already.
        DataError: If a case cannot be measured.
        PluginError: If there is no such extractor.
    """
    if ending not in ENDINGS:
        raise StudyError(f"Maps cannot be written as {ending}. Choose one of {', '.join(ENDINGS)}.")
    if errors not in ("raise", "skip"):
        raise StudyError(f"errors is {errors!r}. Give 'raise' or 'skip'.")
    measuring: FeatureExtractor = extractor_part(extractor, parameters).build(installed())
    chosen = chosen_cases(cases, reader, mask_value)
    folders = _folders(chosen, Path(out_dir))
    if not overwrite:
        _refuse_written(folders.values(), ending)
    written: list[Path] = []
    with (progress or Progress()).task("Making maps of features", len(chosen)) as advance:
        for case in chosen:
            try:
                written += _written(case, measuring, folders[case.case_id], ending, threads)
            except DataError as error:
                told = str(error)
                if not told.startswith("Case "):
                    told = f"Case {case.case_id}: {told}"
                if errors == "raise":
                    raise DataError(f"{told} To go on without it, {HOW_TO_SKIP}.") from error
                log.warning("%s", told)
            advance()
    return written


def _folders(cases: list[Case], out_dir: Path) -> dict[str, Path]:
    """Case id → where its maps go."""
    if len(cases) == 1:
        return {cases[0].case_id: out_dir}
    names = {case.case_id: case.case_id.replace("/", "_").replace("\\", "_") for case in cases}
    if len({name.casefold() for name in names.values()}) < len(names):
        raise StudyError(
            "Two cases have ids that are one folder's name. Give them ids without slashes that "
            "differ in more than capitals."
        )
    return {case_id: out_dir / name for case_id, name in names.items()}


def _refuse_written(folders: Any, ending: str) -> None:
    for folder in folders:
        found = next(folder.glob(f"*{ending}"), None) if folder.is_dir() else None
        if found is not None:
            raise StudyError(
                f"{folder} holds {found.name} already. Choose another folder, or replace what is "
                "there with --overwrite."
            )


def _written(
    case: Case, extractor: FeatureExtractor, folder: Path, ending: str, threads: int
) -> Iterator[Path]:
    """Make the maps of a case, and write each before the next image is filtered."""
    if extractor.mask_grid is not None:
        case = replace(case, mask_grid=extractor.mask_grid)
    tumour = case.load(extractor.needs)
    for name, made in extractor.maps(tumour, threads):
        path = folder / f"{name}{ending}"
        _write(made, path)
        yield path


def _write(made: Volume, path: Path) -> None:
    import SimpleITK as sitk  # noqa: N813  (heavy: loaded when a map is written)

    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with replacing(path) as partial:
            sitk.WriteImage(made.to_sitk(), str(partial), useCompression=True)
    except (OSError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[-1]
        raise StudyError(f"{path} cannot be written: {reason}.") from error
