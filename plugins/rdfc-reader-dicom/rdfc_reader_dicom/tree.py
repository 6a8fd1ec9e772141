"""The series and outlines of a tree, and which of them belong together."""

from __future__ import annotations

import fnmatch
import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rdfc_core import DataError
from rdfc_core.interfaces import ONLY, Doubt, Found, FoundCase, LayoutOptions
from rdfc_reader_dicom.files import Header, header_of, quiet
from rdfc_reader_dicom.listing import dicom_files
from rdfc_reader_dicom.references import frames_of_reference, refers_to
from rdfc_reader_dicom.series import MOST_TOLD
from rdfc_reader_dicom.volume import ImageSource


@dataclass
class Series:
    """A series of images of a tree.

    Args:
        uid: SeriesInstanceUID.
        modality: As ``CT``.
        patient: What tells patients apart; goes nowhere.
        frame: FrameOfReferenceUID.
        files: Of its images, without localizers.
        image_uids: SOPInstanceUID of each.
    """

    uid: str
    modality: str
    patient: tuple[str, str]
    frame: str = ""
    files: list[Path] = field(default_factory=list)
    image_uids: set[str] = field(default_factory=set)

    @property
    def folder(self) -> Path:
        """The folder around all its files."""
        return Path(os.path.commonpath([file.parent for file in self.files]))

    @property
    def source(self) -> ImageSource:
        """What outlines may refer to."""
        return ImageSource(self.uid, frozenset(self.image_uids), self.frame)


@dataclass
class Tree:
    """What was found in a tree.

    Args:
        series: UID → series.
        outlines: Headers of SEG and RTSTRUCT.
        doubts: Files that could not be read.
        images: Folder → UIDs of the series in it, localizers included.
    """

    series: dict[str, Series] = field(default_factory=dict)
    outlines: list[Header] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    images: defaultdict[Path, set[str]] = field(default_factory=lambda: defaultdict(set))

    def path_of(self, series: Series) -> Path:
        """The shortest path that means the series alone."""
        if len(series.files) == 1:
            return series.files[0]
        inside = (
            uids for place, uids in self.images.items() if series.folder in (place, *place.parents)
        )
        alone = set().union(*inside) == {series.uid}
        return series.folder if alone else Path(f"{series.folder}#series={series.uid}")


def find_cases(root: Path, options: LayoutOptions) -> Found:
    """A case for each outline that refers to one series of the tree.

    Args:
        root: The folder.
        options: What the user says.
    """
    tree = _scanned(root)
    doubts, notes = tree.doubts, []
    masks: defaultdict[str, list[tuple[Path, str]]] = defaultdict(list)
    for outline in tree.outlines:
        own, note = _paired(tree, outline, options.by_folder)
        notes += [note] if note else []
        if len(own) != 1:
            doubts.append(_unpaired(tree, outline, own))
        elif _wanted(own[0], options):
            chosen, doubt = _parts(outline, options)
            masks[own[0].uid] += chosen
            doubts += [doubt] if doubt else []
    cases: list[tuple[Series, Path, str]] = []
    for series in tree.series.values():
        found = masks[series.uid]
        if not _wanted(series, options):
            continue
        if not found and not any(str(series.folder) in one.what for one in doubts):
            why = f"no SEG or RTSTRUCT of the tree refers to this series ({series.modality})"
            doubts.append(Doubt(str(tree.path_of(series)), why, "Add its outline."))
        elif len(found) > 1 and options.several_masks != "cases":
            why = f"it has {len(found)} outlines: {_listed([mask.name for mask, _ in found])}"
            fix = "Say which by --only-masks, or make a case of each by --several-masks cases."
            doubts.append(Doubt(str(tree.path_of(series)), why, fix))
        else:
            cases += [(series, mask, name) for mask, name in found]
    rows = _rows(root, tree, cases)
    if rows:
        notes.append("Patients are numbered: the header says whose series is whose.")
    return Found(rows, doubts, tuple(notes))


def _scanned(root: Path) -> Tree:
    tree = Tree()
    for file in dicom_files(root):
        try:
            header = header_of(file)
        except DataError as error:
            what, _, fix = str(error).partition(". ")
            why = what.removeprefix(f"{file} ")
            tree.doubts.append(Doubt(str(file), why, fix))
            continue
        if header.kind in ("seg", "rtstruct"):
            tree.outlines.append(header)
        elif header.kind == "image":
            _add_image(tree, header)
    return tree


def _add_image(tree: Tree, header: Header) -> None:
    dataset, uid = header.dataset, header.series_uid
    tree.images[header.path.parent].add(uid)
    if header.is_localizer:
        return
    if uid not in tree.series:
        patient = (str(dataset.get("PatientID", "")), str(dataset.get("IssuerOfPatientID", "")))
        frame = str(dataset.get("FrameOfReferenceUID", ""))
        tree.series[uid] = Series(uid, str(dataset.get("Modality", ""))[:16], patient, frame)
    tree.series[uid].files.append(header.path)
    tree.series[uid].image_uids.add(str(dataset.get("SOPInstanceUID", "")))


def _wanted(series: Series, options: LayoutOptions) -> bool:
    return options.only_images is None or fnmatch.fnmatchcase(series.modality, options.only_images)


def _paired(tree: Tree, outline: Header, by_folder: bool) -> tuple[list[Series], str]:
    """The series that an outline refers to; of an RTSTRUCT else those in its coordinates.

    Args:
        tree: Has the series.
        outline: A SEG or RTSTRUCT.
        by_folder: Of several in its coordinates, take the one that lies nearest.
    """
    with quiet():
        own = [one for one in tree.series.values() if refers_to(outline, one.source)]
        if own or outline.kind != "rtstruct":
            return own, ""
        frames = set(frames_of_reference(outline.dataset))
    own = [one for one in tree.series.values() if one.frame and one.frame in frames]
    which = "the only one in its frame of reference"
    if len(own) > 1 and by_folder:
        own = _nearest(outline.path, own)
        which = "the one in its frame of reference that lies nearest"
    if len(own) != 1:
        return own, ""
    return own, (
        f"{outline.path} refers to a series that is not there, and is taken for {which}, "
        f"{tree.path_of(own[0])}."
    )


def _nearest(path: Path, series: Sequence[Series]) -> list[Series]:
    """Those whose folder has most of its path in common with a file's."""

    def shared(one: Series) -> int:
        return len(Path(os.path.commonpath([path.parent, one.folder])).parts)

    most = max(map(shared, series))
    return [one for one in series if shared(one) == most]


def _unpaired(tree: Tree, outline: Header, own: Sequence[Series]) -> Doubt:
    if own:
        paths = _listed([str(tree.path_of(one)) for one in own])
        why = f"it belongs to {len(own)} series of the tree as well: {paths}"
        fix = (
            "List the case by hand, with the series it is of; or say --by-folder, if each outline "
            "lies beside its series."
        )
        return Doubt(str(outline.path), why, fix)
    why = "it refers to no series of the tree"
    fix = "Add the series; or list the case by hand, and see readers.dicom.references."
    return Doubt(str(outline.path), why, fix)


def _parts(outline: Header, options: LayoutOptions) -> tuple[list[tuple[Path, str]], Doubt | None]:
    """Path and name of each segment or region that is wanted, or why none is."""
    names, key = _names(outline), "segment" if outline.kind == "seg" else "roi"
    pattern = options.only_masks
    wanted = [one for one in names if pattern is None or fnmatch.fnmatchcase(one, pattern)]
    path = outline.path
    if not wanted:
        why = f"none of its outlines ({_listed(names) or 'it has none'}) is meant"
        return [], Doubt(str(path), why, "Change --only-masks.")
    if len(set(wanted)) < len(wanted) or "" in wanted:
        why = f"its outlines cannot be told apart by name ({_listed(names)})"
        return [], Doubt(str(path), why, "List the case by hand.")
    if len(wanted) > 1 and options.several_masks != "cases":
        why = f"it holds {len(wanted)} outlines: {_listed(wanted)}"
        fix = "Say which by --only-masks, or make a case of each by --several-masks cases."
        return [], Doubt(str(path), why, fix)
    if len(names) == 1:
        return [(path, wanted[0])], None
    return [(Path(f"{path}#{key}={name}"), name) for name in wanted], None


def _names(outline: Header) -> list[str]:
    if outline.kind == "seg":
        segments = outline.dataset.get("SegmentSequence") or ()
        return [str(one.get("SegmentLabel", "")).strip() for one in segments]
    regions = outline.dataset.get("StructureSetROISequence") or ()
    return [str(one.get("ROIName", "")).strip() for one in regions]


def _rows(root: Path, tree: Tree, cases: Sequence[tuple[Series, Path, str]]) -> list[FoundCase]:
    """The cases by id: the folder, and modality and outline as far as they are needed."""
    places = ["_".join(one.folder.relative_to(root).parts) or root.name for one, _, _ in cases]
    ids = places
    further = (
        [series.modality for series, _, _ in cases],
        ["".join(c if c.isalnum() else "-" for c in name) for _, _, name in cases],
        [str(number) for number in range(1, len(cases) + 1)],
    )
    for more in further:
        counts = Counter(ids)
        if max(counts.values(), default=1) == 1:
            break
        ids = [
            f"{one}_{extra}" if counts[one] > 1 else one
            for one, extra in zip(ids, more, strict=True)
        ]
    numbers: dict[tuple[str, str], int] = {}
    rows = []
    for case_id, (series, mask, _) in sorted(zip(ids, cases, strict=True), key=lambda one: one[0]):
        # a series without a PatientID may be of anybody
        patient = series.patient if series.patient[0] else (series.uid, "")
        number = numbers.setdefault(patient, len(numbers) + 1)
        rows.append(
            FoundCase(case_id, {ONLY: tree.path_of(series)}, {ONLY: mask}, f"patient-{number:03d}")
        )
    return rows


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_TOLD
    return ", ".join(names[:MOST_TOLD]) + (f" and {more} more" if more > 0 else "")
