"""The features of the IBSI's first chapter: rdfc's name, the IBSI's identifier, and its short tag.

Names are PyRadiomics' where the definition is the same; where it is not, or PyRadiomics lacks the
feature, the IBSI's own words. Tags are those of the initiative's files of reference values.

Source: Zwanenburg et al. 2020, Radiology 295(2), and the reference manual, arXiv:1612.07003.
"""

from __future__ import annotations

from typing import NamedTuple


class IbsiFeature(NamedTuple):
    """One feature of a family.

    Args:
        name: As in ``<image>_<family>_<name>``.
        identifier: Four letters, the IBSI's permanent identifier.
        tag: In files of reference values, without the aggregation.
    """

    name: str
    identifier: str
    tag: str


def _statistics(codes: str) -> str:
    return _STATISTICS.format(*codes.split())


def _table(prefix: str, rows: str) -> tuple[IbsiFeature, ...]:
    cells = (row.split() for row in rows.splitlines() if row.strip())
    return tuple(IbsiFeature(name, code, f"{prefix}_{tag}") for name, code, tag in cells)


_SIZES = """
    {small}Emphasis {0} {s}e
    {large}Emphasis {1} {l}e
    LowGrayLevel{what}Emphasis {2} lg{w}e
    HighGrayLevel{what}Emphasis {3} hg{w}e
    {small}LowGrayLevelEmphasis {4} {s}lge
    {small}HighGrayLevelEmphasis {5} {s}hge
    {large}LowGrayLevelEmphasis {6} {l}lge
    {large}HighGrayLevelEmphasis {7} {l}hge
    GrayLevelNonUniformity {8} glnu
    GrayLevelNonUniformityNormalized {9} glnu_norm
    {size}NonUniformity {10} {z}nu
    {size}NonUniformityNormalized {11} {z}nu_norm
    {percentage}Percentage {12} {p}_perc
    GrayLevelVariance {13} gl_var
    {variance}Variance {14} {z}_var
    {entropy}Entropy {15} {z}_entr
"""


def _sizes(prefix: str, codes: str, words: dict[str, str]) -> tuple[IbsiFeature, ...]:
    return _table(prefix, _SIZES.format(*codes.split(), **words))


_STATISTICS = """
    Mean {0} mean
    Variance {1} var
    Skewness {2} skew
    ExcessKurtosis {3} kurt
    Median {4} median
    Minimum {5} min
    10Percentile {6} p10
    90Percentile {7} p90
    Maximum {8} max
    InterquartileRange {9} iqr
    Range {10} range
    MeanAbsoluteDeviation {11} mad
    RobustMeanAbsoluteDeviation {12} rmad
    MedianAbsoluteDeviation {13} medad
    CoefficientOfVariation {14} cov
    QuartileCoefficientOfDispersion {15} qcod
"""

FAMILIES: dict[str, tuple[IbsiFeature, ...]] = {
    "shape": _table(
        "morph",
        """
        MeshVolume RNU0 volume
        VoxelVolume YEKZ vol_approx
        SurfaceArea C0JK area_mesh
        SurfaceVolumeRatio 2PR5 av
        Compactness1 SKGS comp_1
        Compactness2 BQWJ comp_2
        SphericalDisproportion KRCK sph_dispr
        Sphericity QCFX sphericity
        Asphericity 25C7 asphericity
        CentreOfMassShift KLMA com
        Maximum3DDiameter L0JK diam
        MajorAxisLength TDIC pca_maj_axis
        MinorAxisLength P9VJ pca_min_axis
        LeastAxisLength 7J51 pca_least_axis
        Elongation Q3CK pca_elongation
        Flatness N17B pca_flatness
        VolumeDensityAABB PBX1 vol_dens_aabb
        AreaDensityAABB R59B area_dens_aabb
        VolumeDensityOMBB ZH1A vol_dens_ombb
        AreaDensityOMBB IQYR area_dens_ombb
        VolumeDensityAEE 6BDE vol_dens_aee
        AreaDensityAEE RDD2 area_dens_aee
        VolumeDensityMVEE SWZ1 vol_dens_mvee
        AreaDensityMVEE BRI8 area_dens_mvee
        VolumeDensityConvexHull R3ER vol_dens_conv_hull
        AreaDensityConvexHull 7T7F area_dens_conv_hull
        IntegratedIntensity 99N0 integ_int
        MoransI N365 moran_i
        GearysC NPT7 geary_c
        """,
    ),
    "local": _table(
        "loc",
        """
        LocalPeak VJGA peak_loc
        GlobalPeak 0F91 peak_glob
        """,
    ),
    "firstorder": _table(
        "stat",
        _statistics(
            "Q4LE ECT3 KE2A IPH6 Y12H 1GSF QG58 8DWT 84IY SALO 2OJQ 4FUA 1128 N72L 7TET 9S40"
        )
        + """
        Energy N8CA energy
        RootMeanSquared 5ZWQ rms
        """,
    ),
    "histogram": _table(
        "ih",
        _statistics(
            "X6K6 CH89 88K1 C3I7 WIFQ 1PR8 GPMT OZ0C 3NCY WR0O 5Z3W D2ZX WRZB 4RNL CWYJ SLWD"
        )
        + """
        Mode AMMC mode
        Entropy TLU2 entropy
        Uniformity BJ5W uniformity
        MaximumGradient 12CE max_grad
        MaximumGradientLevel 8E6O max_grad_g
        MinimumGradient VQB3 min_grad
        MinimumGradientLevel RHQZ min_grad_g
        """,
    ),
    "ivh": _table(
        "ivh",
        """
        VolumeFractionAt10Intensity NK6P v10
        VolumeFractionAt90Intensity 4279 v90
        IntensityAt10Volume PWN1 i10
        IntensityAt90Volume BOHI i90
        VolumeFractionDifference10To90 WITY diff_v10_v90
        IntensityDifference10To90 JXJA diff_i10_i90
        """,
    ),
    "glcm": _table(
        "cm",
        """
        MaximumProbability GYBY joint_max
        JointAverage 60VM joint_avg
        SumSquares UR99 joint_var
        JointEntropy TU9B joint_entr
        DifferenceAverage TF7R diff_avg
        DifferenceVariance D3YU diff_var
        DifferenceEntropy NTRS diff_entr
        SumAverage ZGXS sum_avg
        SumVariance OEEB sum_var
        SumEntropy P6QZ sum_entr
        JointEnergy 8ZQL energy
        Contrast ACUI contrast
        Dissimilarity 8S9J dissimilarity
        Id IB1Z inv_diff
        Idn NDRX inv_diff_norm
        Idm WF0Z inv_diff_mom
        Idmn 1QCO inv_diff_mom_norm
        InverseVariance E8JP inv_var
        Correlation NI2N corr
        Autocorrelation QWB0 auto_corr
        ClusterTendency DG8W clust_tend
        ClusterShade 7NFM clust_shade
        ClusterProminence AE86 clust_prom
        Imc1 R8DG info_corr1
        Imc2 JN9H info_corr2
        """,
    ),
    "glrlm": _sizes(
        "rlm",
        "22OV W4KF V3SW G3QZ HTZT GD3A IVPO 3KUM R5YN OVBL W92Y IC23 9ZK5 8CE5 SXLW HJ9O",
        {
            **{"small": "ShortRun", "large": "LongRun", "what": "Run", "size": "RunLength"},
            **{"percentage": "Run", "variance": "Run", "entropy": "Run"},
            **{"s": "sr", "l": "lr", "w": "r", "z": "rl", "p": "r"},
        },
    ),
    "glszm": _sizes(
        "szm",
        "5QRC 48P8 XMSY 5GN9 5RAI HW1V YH51 J17V JNSA Y1RO 4JP3 VB3A P30P BYLV 3NSA GU8N",
        {
            **{"small": "SmallArea", "large": "LargeArea", "what": "Zone", "size": "SizeZone"},
            **{"percentage": "Zone", "variance": "Zone", "entropy": "Zone"},
            **{"s": "sz", "l": "lz", "w": "z", "z": "zs", "p": "z"},
        },
    ),
    "gldzm": _sizes(
        "dzm",
        "0GBI MB4I S1RA K26C RUVG DKNJ A7WM KLTH VFT7 7HP3 V294 IATH VIWW QK93 7WT1 GBDU",
        {
            **{"small": "SmallDistance", "large": "LargeDistance", "what": "Zone"},
            **{"size": "ZoneDistance", "percentage": "Zone", "variance": "ZoneDistance"},
            **{"entropy": "ZoneDistance", "s": "sd", "l": "ld", "w": "z", "z": "zd", "p": "z"},
        },
    ),
    "ngtdm": _table(
        "ngt",
        """
        Coarseness QCDE coarseness
        Contrast 65HE contrast
        Busyness NQ30 busyness
        Complexity HDEZ complexity
        Strength 1X9X strength
        """,
    ),
    "ngldm": (
        *_sizes(
            "ngl",
            "SODN IMOQ TL9H OAE7 EQ3F JA6D NBZI 9QMG FP8K 5SPA Z87G OKJI 6XV8 1PFV DNX2 FCBV",
            {
                **{"small": "LowDependence", "large": "HighDependence", "what": "Count"},
                **{"size": "DependenceCount", "percentage": "DependenceCount"},
                **{"variance": "DependenceCount", "entropy": "DependenceCount"},
                **{"s": "ld", "l": "hd", "w": "c", "z": "dc", "p": "dc"},
            },
        ),
        IbsiFeature("DependenceCountEnergy", "CAS9", "ngl_dc_energy"),
    ),
}
"""Family → its features, in the order of the manual."""

WHOLE = ("shape", "local")
"""Families of the tumour itself, which pictures and filtered images do not have."""
TEXTURES = ("glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm")
DISCRETISED = ("histogram", *TEXTURES)
"""Families that need grey levels."""


def names_of(family: str) -> tuple[str, ...]:
    """The names of a family's features."""
    return tuple(feature.name for feature in FAMILIES[family])
