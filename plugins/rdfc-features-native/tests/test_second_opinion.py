"""Textures against mirp, an implementation of the IBSI's definitions by other people.

Source: Zwanenburg et al. 2024, J Open Source Softw 9(99), on the definitions of the IBSI reference
manual. Both are given grey levels, so that no difference of binning is in the way. PyRadiomics'
averages over directions are the IBSI's "3D, averaged"; force2D is its "2.5D, direction merged".
"""

import logging

import numpy as np
import pytest
from scipy import ndimage

from rdfc_core.case import Tumour, Volume

mirp = pytest.importorskip("mirp", reason="mirp is not installed")

IN_SPACE = {
    "glcm": ("3d_average", "cm_{}_d1_3d_avg"),
    "glrlm": ("3d_average", "rlm_{}_3d_avg"),
    "glszm": ("3d", "szm_{}_3d"),
    "ngtdm": ("3d", "ngt_{}_3d"),
    "gldm": ("3d", "ngl_{}_d1_a0.0_3d"),
}
IN_SLICES = {
    "glcm": ("2.5d_direction_merge", "cm_{}_d1_2.5d_d_mrg"),
    "glrlm": ("2.5d_direction_merge", "rlm_{}_2.5d_d_mrg"),
    "glszm": ("2.5d", "szm_{}_2.5d"),
    "ngtdm": ("2.5d", "ngt_{}_2.5d"),
    "gldm": ("2.5d", "ngl_{}_d1_a0.0_2.5d"),
}
"""Class → mirp's method of aggregation, and its names of the features then."""

SAME = {
    "glcm": {
        "Autocorrelation": "auto_corr",
        "ClusterProminence": "clust_prom",
        "ClusterShade": "clust_shade",
        "ClusterTendency": "clust_tend",
        "Contrast": "contrast",
        "Correlation": "corr",
        "DifferenceAverage": "diff_avg",
        "DifferenceEntropy": "diff_entr",
        "DifferenceVariance": "diff_var",
        "Id": "inv_diff",
        "Idm": "inv_diff_mom",
        "Idmn": "inv_diff_mom_norm",
        "Idn": "inv_diff_norm",
        "Imc1": "info_corr1",
        "Imc2": "info_corr2",
        "InverseVariance": "inv_var",
        "JointAverage": "joint_avg",
        "JointEnergy": "energy",
        "JointEntropy": "joint_entr",
        "MaximumProbability": "joint_max",
        "SumAverage": "sum_avg",
        "SumEntropy": "sum_entr",
        "SumSquares": "joint_var",
    },
    "glrlm": {
        "GrayLevelNonUniformity": "glnu",
        "GrayLevelNonUniformityNormalized": "glnu_norm",
        "GrayLevelVariance": "gl_var",
        "HighGrayLevelRunEmphasis": "hgre",
        "LongRunEmphasis": "lre",
        "LongRunHighGrayLevelEmphasis": "lrhge",
        "LongRunLowGrayLevelEmphasis": "lrlge",
        "LowGrayLevelRunEmphasis": "lgre",
        "RunEntropy": "rl_entr",
        "RunLengthNonUniformity": "rlnu",
        "RunLengthNonUniformityNormalized": "rlnu_norm",
        "RunPercentage": "r_perc",
        "RunVariance": "rl_var",
        "ShortRunEmphasis": "sre",
        "ShortRunHighGrayLevelEmphasis": "srhge",
        "ShortRunLowGrayLevelEmphasis": "srlge",
    },
    "glszm": {
        "GrayLevelNonUniformity": "glnu",
        "GrayLevelNonUniformityNormalized": "glnu_norm",
        "GrayLevelVariance": "gl_var",
        "HighGrayLevelZoneEmphasis": "hgze",
        "LargeAreaEmphasis": "lze",
        "LargeAreaHighGrayLevelEmphasis": "lzhge",
        "LargeAreaLowGrayLevelEmphasis": "lzlge",
        "LowGrayLevelZoneEmphasis": "lgze",
        "SizeZoneNonUniformity": "zsnu",
        "SizeZoneNonUniformityNormalized": "zsnu_norm",
        "SmallAreaEmphasis": "sze",
        "SmallAreaHighGrayLevelEmphasis": "szhge",
        "SmallAreaLowGrayLevelEmphasis": "szlge",
        "ZoneEntropy": "zs_entr",
        "ZonePercentage": "z_perc",
        "ZoneVariance": "zs_var",
    },
    "ngtdm": {
        "Busyness": "busyness",
        "Coarseness": "coarseness",
        "Complexity": "complexity",
        "Contrast": "contrast",
        "Strength": "strength",
    },
    "gldm": {
        "DependenceEntropy": "dc_entr",
        "DependenceNonUniformity": "dcnu",
        "DependenceNonUniformityNormalized": "dcnu_norm",
        "DependenceVariance": "dc_var",
        "GrayLevelNonUniformity": "glnu",
        "GrayLevelVariance": "gl_var",
        "HighGrayLevelEmphasis": "hgce",
        "LargeDependenceEmphasis": "hde",
        "LargeDependenceHighGrayLevelEmphasis": "hdhge",
        "LargeDependenceLowGrayLevelEmphasis": "hdlge",
        "LowGrayLevelEmphasis": "lgce",
        "SmallDependenceEmphasis": "lde",
        "SmallDependenceHighGrayLevelEmphasis": "ldhge",
        "SmallDependenceLowGrayLevelEmphasis": "ldlge",
    },
}
"""PyRadiomics' name → mirp's, without class and aggregation. All but MCC: the IBSI has none."""


def levels(seed, smooth):
    """Grey levels from 1 to about 20 in 8 × 20 × 22 voxels, and a mask with holes."""
    rng = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(rng.normal(size=(8, 20, 22)), smooth)
    image = 1 + np.round((noise - noise.min()) / np.ptp(noise) * 19)
    grid = np.meshgrid(*[np.linspace(-1, 1, n) for n in image.shape], indexing="ij")
    mask = (sum(g**2 for g in grid) < 0.6) & (rng.random(image.shape) < 0.95)
    image[mask & (image == image[mask].min())] = 1  # so that both count levels from 1
    return Tumour(Volume.of(image), mask)


def by_mirp(tumour, methods):
    logging.disable(logging.INFO)
    try:
        (table,) = mirp.extract_features(
            image=tumour.image.array,
            mask=tumour.mask.astype(int),
            base_discretisation_method="none",
            by_slice=False,
            base_feature_families=["cm", "rlm", "szm", "ngtdm", "ngldm"],
            glcm_spatial_method=methods["glcm"][0],
            glrlm_spatial_method=methods["glrlm"][0],
            glszm_spatial_method=methods["glszm"][0],
            ngtdm_spatial_method=methods["ngtdm"][0],
            ngldm_spatial_method=methods["gldm"][0],
        )
    finally:
        logging.disable(logging.NOTSET)
    return {name: table[name].iloc[0] for name in table.columns}


@pytest.mark.parametrize("methods", [IN_SPACE, IN_SLICES], ids=["in space", "in slices"])
@pytest.mark.parametrize(("seed", "smooth"), [(0, 1.0), (1, 0.3), (2, 2.0)])
def test_textures_are_mirp_s(seed, smooth, methods, measure):
    tumour = levels(seed, smooth)
    setting = {"binWidth": 1, "force2D": methods is IN_SLICES, "force2Ddimension": 0}
    content = {"featureClass": {name: list(SAME[name]) for name in SAME}, "setting": setting}
    ours, theirs = measure(content, tumour), by_mirp(tumour, methods)
    for name, features in SAME.items():
        for feature, known_as in features.items():
            other = theirs[methods[name][1].format(known_as)]
            assert ours[f"original_{name}_{feature}"] == pytest.approx(other, rel=1e-9), feature
