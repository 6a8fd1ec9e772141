"""The grid that a volume's header claims: size, spacing, place and direction."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rdfc_core.data.readers.nifti_header import NiftiHeader
from rdfc_core.errors import DataError

if TYPE_CHECKING:
    import SimpleITK as sitk  # noqa: N813

RIGHT_ANGLE_TOLERANCE = 1e-3
"""Of the scalar products of two axes: headers hold rounded numbers."""

FORM_TOLERANCE = 0.01
"""How far the axes of a header's two geometries may be apart, as a share of the spacing."""


@dataclass(frozen=True)
class Grid:
    """What a header claims, axes in SimpleITK's order: the fastest first.

    Args:
        size: Samples along each axis.
        spacing_mm: Distance between them.
        origin_mm: Position of the first.
        direction: (d, d), column i is the unit vector of axis i.
    """

    size: tuple[int, ...]
    spacing_mm: tuple[float, ...]
    origin_mm: tuple[float, ...]
    direction: NDArray[np.float64]

    @classmethod
    def of_sitk(cls, reader: sitk.ImageFileReader) -> Grid:
        """As SimpleITK has read the header."""
        size = reader.GetSize()
        direction = np.reshape(reader.GetDirection(), (len(size), len(size)))
        return cls(size, reader.GetSpacing(), reader.GetOrigin(), direction)

    @classmethod
    def of_nifti(cls, path: Path, header: NiftiHeader) -> Grid:
        """As NIfTI defines it, of headers that SimpleITK does not read.

        Raises:
            DataError: If the header claims no size, or a channel or point in time beside space.
        """
        axes = min(len(header.size), 3)
        if axes < 2 or min(header.size) < 1 or any(n != 1 for n in header.size[3:]):
            raise DataError(
                f"{path} has {len(header.size)} axes ({by(header.size)}), and two or three are "
                "needed. Save the time point or channel that is meant as a volume of its own."
            )
        lengths = np.linalg.norm(header.axes_mm, axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            direction = (header.axes_mm / lengths)[:axes, :axes]
        spacing_mm = tuple(float(length) for length in lengths[:axes])
        return cls(header.size[:axes], spacing_mm, header.origin_mm[:axes], direction)

    def check(self, path: Path) -> None:
        """Spacing, origin and direction must be those of a rectangular grid somewhere in space.

        Raises:
            DataError: If they are not.
        """
        spacing = np.asarray(self.spacing_mm)
        if not (np.isfinite(spacing).all() and (spacing > 0).all()):
            raise DataError(
                f"{path} has the spacing {tuple(map(float, spacing))} mm, and it must be positive. "
                "Correct the header."
            )
        if not np.isfinite(self.origin_mm).all():
            raise DataError(
                f"{path} has the origin {self.origin_mm} mm, which is no place. Correct the header."
            )
        if not np.isfinite(self.direction).all():
            raise DataError(f"{path} has axes whose direction is no number. Correct the header.")
        skew = np.abs(self.direction.T @ self.direction - np.eye(len(spacing))).max()
        if skew > RIGHT_ANGLE_TOLERANCE:
            raise DataError(
                f"{path} has axes that are not at right angles (off by {skew:.3g}, for example a "
                "tilted gantry or an affine registration). Resample it onto a rectangular grid."
            )

    def note_on(self, header: NiftiHeader) -> str:
        """A sentence where the two geometries of a NIfTI header contradict each other, or "".

        SimpleITK, and with it PyRadiomics, chooses between them by their codes and leaves a sheared
        sform aside; nibabel takes the sform.

        Args:
            header: Of the file whose grid this is.
        """
        count = min(len(self.size), 3)
        if header.other_axes_mm is None:
            return ""
        forms = {
            "sform": header.axes_mm[:count, :count],
            "qform": header.other_axes_mm[:count, :count],
        }
        lengths = {name: np.linalg.norm(axes, axis=0) for name, axes in forms.items()}
        apart = np.abs(forms["sform"] - forms["qform"]) / np.maximum(lengths["qform"], 1e-9)
        if apart.max() <= FORM_TOLERANCE:
            return ""
        own = self.direction * self.spacing_mm
        used = min(forms, key=lambda name: float(np.abs(forms[name] - own).max()))
        told = ", ".join(
            f"{name} {' x '.join(f'{length:.4g}' for length in lengths[name][::-1])} mm"
            for name in forms
        )
        return (
            f"sform and qform of its NIfTI header contradict each other (spacing by {told}), and "
            f"the {used} is used, as in SimpleITK and PyRadiomics; nibabel uses the sform. "
            "Look at the case in a viewer, and save it with the right one of them."
        )


def by(size: tuple[int, ...]) -> str:
    """``512 x 512 x 30``."""
    return " x ".join(map(str, size))
