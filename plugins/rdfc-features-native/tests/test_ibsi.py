"""The digital phantom of the Image Biomarker Standardisation Initiative, and its published values.

Source of phantom and values: Zwanenburg et al. 2020, Radiology 295(2), and the IBSI reference
manual (arXiv:1612.07003): 5 × 4 × 4 voxels of 2 mm, 74 of them inside. Values have three digits.
They were compared one by one with the table in mirp's tests (github.com/oncoray/mirp,
test/data/ibsi_1_reference_values/ibsi_1_dig_phantom.csv) and, but for GLCM and GLRLM, with that of
Pictologics (github.com/martonkolossvary/pictologics, docs/ibsi1_compliance.md).

"in space" are the manual's values in three dimensions, averaged over the directions; "in slices"
those in 2.5 dimensions, whose matrices are merged over the slices and averaged over the directions:
force2D. Left out is what PyRadiomics defines otherwise: percentiles (another interpolation, which
matters with so few voxels), kurtosis (in excess of 3 there) and the lengths of the axes (variances
over N − 1 there).
"""

import json
from pathlib import Path

import numpy as np
import pytest

from rdfc_core.case import Tumour, Volume

OUTSIDE = 0
PHANTOM = np.array(
    [
        [[1, 4, 4, 1, 1], [1, 4, 6, 1, 1], [4, 1, 6, 4, 1], [4, 4, 6, 4, 1]],
        [[1, 4, 4, 1, 1], [1, 1, 6, 1, 1], [0, 1, 3, 1, 1], [4, 4, 6, 1, 1]],
        [[1, 4, 4, 0, 0], [1, 1, 1, 1, 1], [1, 1, 0, 1, 1], [1, 1, 6, 1, 1]],
        [[1, 4, 4, 0, 0], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 6, 1, 1]],
    ]
)


@pytest.fixture(scope="module")
def phantom():
    return Tumour(Volume.of(PHANTOM, (2.0, 2.0, 2.0)), PHANTOM != OUTSIDE)


def test_the_phantom_is_the_published_one(phantom):
    levels, voxels = np.unique(PHANTOM[phantom.mask], return_counts=True)
    assert dict(zip(levels.tolist(), voxels.tolist(), strict=True)) == {1: 50, 3: 1, 4: 16, 6: 7}


PUBLISHED = json.loads(Path(__file__).with_name("ibsi_phantom.json").read_text("utf-8"))
EACH = [(where, name) for where, classes in PUBLISHED.items() for name in classes]


@pytest.mark.parametrize(("where", "name"), EACH)
def test_the_phantom_has_its_published_values(where, name, phantom, measure):
    values = PUBLISHED[where][name]
    setting = {"binWidth": 1, "force2D": where == "in slices", "force2Ddimension": 0}
    found = measure({"featureClass": {name: list(values)}, "setting": setting}, phantom)
    for feature, published in values.items():
        ours = found[f"original_{name}_{feature}"]
        digits = 2 - int(np.floor(np.log10(abs(published))))  # of a value with three
        assert ours == pytest.approx(published, abs=0.51 * 10.0**-digits), feature
