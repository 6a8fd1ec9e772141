"""rdfc-reader-dicom: DICOM series with SEG or RTSTRUCT outlines, rdfc's reader ``dicom``."""

from rdfc_core import Component, hookimpl

rdfc_interface = 1


@hookimpl
def rdfc_components() -> list[Component]:
    """The reader ``dicom``."""
    return [
        Component(
            "reader",
            "dicom",
            "DICOM series and pictures, with masks from SEG and RTSTRUCT",
            "rdfc_reader_dicom.reader:DicomReader",
            "rdfc_reader_dicom.config:DicomReaderConfig",
        )
    ]
