"""`rdfc datasets build` of a tree of DICOM: series paired with the outlines that refer to them.

Loads pydicom when a tree is looked through.
"""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

from rdfc_core import DataError
from rdfc_core.interfaces import Found, LayoutOptions
from rdfc_reader_dicom.listing import is_dicom

LOOKED_AT = 200
"""Files by which a folder is recognised."""


class DicomTree:
    """DICOM files in folders of any kind; what belongs together is said by their headers."""

    name = "dicom"
    title = "series of DICOM with SEG or RTSTRUCT"

    def recognises(self, root: Path) -> bool:
        """Whether one of the first files is DICOM."""
        files = (Path(place, name) for place, _, names in os.walk(root) for name in sorted(names))
        for file in islice(files, LOOKED_AT):
            try:
                if is_dicom(file):
                    return True
            except OSError:
                continue  # a file that cannot be opened recognises nothing; finding cases says so
        return False

    def find(self, root: Path, options: LayoutOptions) -> Found:
        """A case for each outline that refers to a series of the tree.

        ``only_images`` is a pattern of modalities (``CT``), ``only_masks`` of the names of segments
        and regions (``GTV*``).

        Raises:
            DataError: If folders of images or masks are named, which the headers say.
        """
        if options.image_dir is not None or options.mask_dir is not None:
            raise DataError(
                f"{root} is a tree of DICOM, whose headers say what belongs together. Leave out "
                "--image-dir and --mask-dir."
            )
        from rdfc_reader_dicom.tree import find_cases

        return find_cases(root, options)
