"""Trees of DICOM files as scanners and planning systems write them, with known content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from rdfc_core import Volume

IDENTITIES = {
    "PatientName": "Dallow^Clarissa",
    "PatientID": "HOSP-778899",
    "PatientBirthDate": "19250514",
    "AccessionNumber": "ACC4711",
    "ReferringPhysicianName": "Bradshaw^William",
    "InstitutionName": "Harley Street Clinic",
    "OtherPatientNames": "Parry^Clarissa",
    "StudyDescription": "for Mrs Dallow",
    "SeriesDescription": "Dallow axial",
    "StudyID": "STUDY31415",
    "DeviceSerialNumber": "SN-271828",
}
"""What no output may hold."""

SOP_CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "PT": "1.2.840.10008.5.1.4.1.1.128",
    "US": "1.2.840.10008.5.1.4.1.1.6.1",
    "US-multi": "1.2.840.10008.5.1.4.1.1.3.1",
    "OT": "1.2.840.10008.5.1.4.1.1.7",
    "CR": "1.2.840.10008.5.1.4.1.1.1",
    "RTSTRUCT": "1.2.840.10008.5.1.4.1.1.481.3",
    "SR": "1.2.840.10008.5.1.4.1.1.88.11",
}

AXIAL = np.array([[0.0, 0, 1], [0, 1, 0], [1, 0, 0]])
"""Direction of axial slices from the feet to the head."""


def oblique() -> NDArray[np.float64]:
    """Direction of slices that are turned about two axes."""
    a, b = np.deg2rad(20), np.deg2rad(-35)
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    return np.asarray((about_x @ about_z)[:, ::-1])


def scan(shape: tuple[int, int, int] = (8, 30, 36), direction: Any = None) -> Volume:
    """A CT-like volume with texture, (Z, Y, X) int16 in Hounsfield units."""
    random = np.random.default_rng(7)
    array = random.integers(-160, 240, shape).astype(np.int16)
    return Volume(
        array, (3.0, 0.7, 0.9), (-31.0, 12.5, -140.0), AXIAL if direction is None else direction
    )


def ball(volume: Volume, radius: float = 9.0) -> NDArray[np.bool_]:
    """A ball in the middle of a volume, radius in mm, with a hole beside its centre."""
    middle = [n // 2 for n in volume.array.shape]
    places = np.indices(volume.array.shape)
    mm = [(p - m) * s for p, m, s in zip(places, middle, volume.spacing_mm, strict=True)]
    inside = sum(d**2 for d in mm) < radius**2
    hole = (mm[1] - 2) ** 2 + (mm[2] + 2) ** 2 < 4
    return np.asarray(inside & ~hole)


def blank(modality: str, **elements: Any) -> Dataset:
    """A data set with the identities of a patient and nothing else."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = SOP_CLASSES[modality]
    dataset.SOPInstanceUID = generate_uid()
    dataset.Modality = modality.partition("-")[0]
    dataset.StudyInstanceUID = dataset.SeriesInstanceUID = generate_uid()
    dataset.StudyDate = dataset.StudyTime = dataset.PatientSex = ""
    for key, value in {**IDENTITIES, **elements}.items():
        setattr(dataset, key, value)
    return dataset


def with_pixels(dataset: Dataset, stored: NDArray[Any], photometric: str = "") -> Dataset:
    """The data set with samples, (H, W), (F, H, W) or (…, H, W, 3) where photometric has three."""
    colour = photometric in ("RGB", "YBR_FULL")
    rows, columns = stored.shape[-3:-1] if colour else stored.shape[-2:]
    dataset.SamplesPerPixel = 3 if colour else 1
    dataset.PhotometricInterpretation = photometric or "MONOCHROME2"
    if colour:
        dataset.PlanarConfiguration = 0
    dataset.Rows, dataset.Columns = rows, columns
    dataset.BitsAllocated = dataset.BitsStored = 8 * stored.dtype.itemsize
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(stored.dtype.kind == "i")
    if stored.ndim > (3 if colour else 2):
        dataset.NumberOfFrames = stored.shape[0]
    dataset.PixelData = stored.tobytes()
    return dataset


def save(dataset: Dataset, path: Path) -> Path:
    """Write it as a file of DICOM."""
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


def slices(volume: Volume, modality: str = "CT", **elements: Any) -> list[Dataset]:
    """A volume as single-frame images; a CT's values are stored with an intercept of -1024."""
    series, study, frame = generate_uid(), generate_uid(), generate_uid()
    made = []
    for at, plane in enumerate(volume.array):
        intercept = -1024 if modality == "CT" else 0
        common = {
            "SeriesInstanceUID": series,
            "StudyInstanceUID": study,
            "FrameOfReferenceUID": frame,
            "InstanceNumber": at + 1,
            "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
            "RescaleSlope": 1,
            "RescaleIntercept": intercept,
        }
        dataset = blank(modality, **{**common, **elements})
        place = np.array(volume.origin_mm) + volume.direction[:, 0] * at * volume.spacing_mm[0]
        dataset.ImagePositionPatient = [f"{x:.9g}" for x in place]
        right_down = [*volume.direction[:, 2], *volume.direction[:, 1]]
        dataset.ImageOrientationPatient = [f"{x:.10f}" for x in right_down]
        dataset.PixelSpacing = list(volume.spacing_mm[1:])
        dataset.SliceThickness = volume.spacing_mm[0]
        stored = plane.astype(np.int32) - intercept
        made.append(with_pixels(dataset, stored.astype(np.uint16)))
    return made


def write_series(folder: Path, datasets: Sequence[Dataset]) -> Path:
    """Each image as a file, named so that their order by name is not that in the patient."""
    for at, dataset in enumerate(datasets):
        save(dataset, folder / f"IM{(at * 7) % 100:03d}.dcm")
    return folder


def points(volume: Volume, plane: float, polygon: NDArray[np.float64]) -> list[float]:
    """(x, y, z) of vertices, (n, 2) as (row, column) in samples, in a plane of a volume."""
    places = np.column_stack([np.full(len(polygon), plane), polygon])
    mm = places * volume.spacing_mm @ volume.direction.T + volume.origin_mm
    return [round(float(x), 6) for x in mm.ravel()]


def structures(
    images: Sequence[Dataset], regions: Mapping[str, Sequence[Sequence[float]]], **elements: Any
) -> Dataset:
    """An RTSTRUCT with the closed contours of regions, drawn on images."""
    made = blank("RTSTRUCT", **{"StructureSetLabel": "Dallow plan", **elements})
    first = images[0]
    series = Dataset()
    series.SeriesInstanceUID = first.SeriesInstanceUID
    series.ContourImageSequence = []
    study = Dataset()
    study.ReferencedSOPClassUID, study.ReferencedSOPInstanceUID = (
        "1.2.840.10008.3.1.2.3.1",
        first.StudyInstanceUID,
    )
    study.RTReferencedSeriesSequence = [series]
    frame = Dataset()
    frame.FrameOfReferenceUID = first.FrameOfReferenceUID
    frame.RTReferencedStudySequence = [study]
    made.ReferencedFrameOfReferenceSequence = [frame]
    for image in images:
        named = Dataset()
        named.ReferencedSOPClassUID = image.SOPClassUID
        named.ReferencedSOPInstanceUID = image.SOPInstanceUID
        series.ContourImageSequence.append(named)
    made.StructureSetROISequence, made.ROIContourSequence = [], []
    for number, (name, contours) in enumerate(regions.items(), start=1):
        region = Dataset()
        region.ROINumber, region.ROIName = number, name
        region.ReferencedFrameOfReferenceUID = first.FrameOfReferenceUID
        made.StructureSetROISequence.append(region)
        drawn = Dataset()
        drawn.ReferencedROINumber, drawn.ContourSequence = number, []
        for data in contours:
            contour = Dataset()
            contour.ContourGeometricType = "CLOSED_PLANAR"
            contour.NumberOfContourPoints = len(data) // 3
            contour.ContourData = [f"{x:.6f}"[:16] for x in data]
            drawn.ContourSequence.append(contour)
        made.ROIContourSequence.append(drawn)
    return made


def segmentation(
    images: Sequence[Dataset],
    masks: Mapping[str, NDArray[Any]],
    kind: str = "BINARY",
    **options: Any,
) -> Dataset:
    """A SEG of segments by label, by highdicom, which leaves empty frames out."""
    import highdicom
    from pydicom.sr.codedict import codes

    described = [
        highdicom.seg.SegmentDescription(
            segment_number=number,
            segment_label=label,
            segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
            segmented_property_type=codes.SCT.Neoplasm,
            algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.MANUAL,
        )
        for number, label in enumerate(masks, start=1)
    ]
    if kind == "FRACTIONAL":
        array = np.stack(list(masks.values()), axis=-1).astype(np.float32)
    else:
        array = np.stack([mask != 0 for mask in masks.values()], axis=-1).astype(np.uint8)
    return highdicom.seg.Segmentation(
        source_images=list(images),
        pixel_array=array,
        segmentation_type=kind,
        segment_descriptions=described,
        series_instance_uid=generate_uid(),
        series_number=9,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="none",
        manufacturer_model_name="none",
        software_versions="0",
        device_serial_number="0",
        **options,
    )
