"""The digital phantom of the Image Biomarker Standardisation Initiative, and its published values.

Source: Zwanenburg et al. 2020, Radiology 295(2), and the IBSI reference manual: 5 × 4 × 4 voxels
of 2 mm, 74 of them inside; textures in three dimensions, averaged over the directions. Values are
published with three digits. Left out is what PyRadiomics defines otherwise: percentiles (another
interpolation, which matters with so few voxels), kurtosis (in excess of 3 there) and the lengths
of the axes (variances over N − 1 there).
"""

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

PUBLISHED = {
    "firstorder": {
        "Mean": 2.15,
        "Variance": 3.05,
        "Skewness": 1.08,
        "Median": 1,
        "Minimum": 1,
        "Maximum": 6,
        "Range": 5,
        "MeanAbsoluteDeviation": 1.55,
        "Energy": 567,
        "RootMeanSquared": 2.77,
        "Entropy": 1.27,
        "Uniformity": 0.512,
    },
    "glcm": {
        "MaximumProbability": 0.503,
        "JointAverage": 2.14,
        "SumSquares": 3.1,
        "JointEntropy": 2.4,
        "DifferenceAverage": 1.43,
        "DifferenceVariance": 3.06,
        "DifferenceEntropy": 1.56,
        "SumAverage": 4.29,
        "ClusterTendency": 7.07,
        "SumEntropy": 1.92,
        "JointEnergy": 0.303,
        "Contrast": 5.32,
        "Id": 0.677,
        "Idn": 0.851,
        "Idm": 0.618,
        "Idmn": 0.898,
        "InverseVariance": 0.0604,
        "Correlation": 0.157,
        "Autocorrelation": 5.06,
        "ClusterShade": 16.6,
        "ClusterProminence": 145,
        "Imc1": -0.157,
        "Imc2": 0.52,
    },
    "glrlm": {
        "ShortRunEmphasis": 0.705,
        "LongRunEmphasis": 3.06,
        "LowGrayLevelRunEmphasis": 0.603,
        "HighGrayLevelRunEmphasis": 9.7,
        "ShortRunLowGrayLevelEmphasis": 0.352,
        "ShortRunHighGrayLevelEmphasis": 8.54,
        "LongRunLowGrayLevelEmphasis": 2.39,
        "LongRunHighGrayLevelEmphasis": 17.6,
        "GrayLevelNonUniformity": 21.8,
        "GrayLevelNonUniformityNormalized": 0.43,
        "RunLengthNonUniformity": 26.9,
        "RunLengthNonUniformityNormalized": 0.513,
        "RunPercentage": 0.68,
        "GrayLevelVariance": 3.46,
        "RunVariance": 0.574,
        "RunEntropy": 2.43,
    },
    "glszm": {
        "SmallAreaEmphasis": 0.255,
        "LargeAreaEmphasis": 550,
        "LowGrayLevelZoneEmphasis": 0.253,
        "HighGrayLevelZoneEmphasis": 15.6,
        "SmallAreaLowGrayLevelEmphasis": 0.0256,
        "SmallAreaHighGrayLevelEmphasis": 2.76,
        "LargeAreaLowGrayLevelEmphasis": 503,
        "LargeAreaHighGrayLevelEmphasis": 1490,
        "GrayLevelNonUniformity": 1.4,
        "GrayLevelNonUniformityNormalized": 0.28,
        "SizeZoneNonUniformity": 1,
        "SizeZoneNonUniformityNormalized": 0.2,
        "ZonePercentage": 0.0676,
        "GrayLevelVariance": 2.64,
        "ZoneVariance": 331,
        "ZoneEntropy": 2.32,
    },
    "gldm": {
        "SmallDependenceEmphasis": 0.045,
        "LargeDependenceEmphasis": 109,
        "LowGrayLevelEmphasis": 0.693,
        "HighGrayLevelEmphasis": 7.66,
        "SmallDependenceLowGrayLevelEmphasis": 0.00963,
        "SmallDependenceHighGrayLevelEmphasis": 0.736,
        "LargeDependenceLowGrayLevelEmphasis": 102,
        "LargeDependenceHighGrayLevelEmphasis": 235,
        "GrayLevelNonUniformity": 37.9,
        "DependenceNonUniformity": 4.86,
        "DependenceNonUniformityNormalized": 0.0657,
        "GrayLevelVariance": 3.05,
        "DependenceEntropy": 4.4,
    },
    "ngtdm": {
        "Coarseness": 0.0296,
        "Contrast": 0.584,
        "Busyness": 6.54,
        "Complexity": 13.5,
        "Strength": 0.763,
    },
    "shape": {
        "MeshVolume": 556,
        "VoxelVolume": 592,
        "SurfaceArea": 388,
        "SurfaceVolumeRatio": 0.698,
        "Sphericity": 0.843,
        "SphericalDisproportion": 1.19,
        "Maximum3DDiameter": 13.1,
        "Elongation": 0.816,
        "Flatness": 0.749,
    },
}


@pytest.fixture(scope="module")
def phantom():
    return Tumour(Volume.of(PHANTOM, (2.0, 2.0, 2.0)), PHANTOM != OUTSIDE)


def test_the_phantom_is_the_published_one(phantom):
    levels, voxels = np.unique(PHANTOM[phantom.mask], return_counts=True)
    assert dict(zip(levels.tolist(), voxels.tolist(), strict=True)) == {1: 50, 3: 1, 4: 16, 6: 7}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_phantom_has_its_published_values(name, phantom, measure):
    content = {"featureClass": {name: list(PUBLISHED[name])}, "setting": {"binWidth": 1}}
    found = measure(content, phantom)
    for feature, published in PUBLISHED[name].items():
        ours = found[f"original_{name}_{feature}"]
        digits = 2 - int(np.floor(np.log10(abs(published))))  # of a value with three
        assert ours == pytest.approx(published, abs=0.51 * 10.0**-digits), feature
