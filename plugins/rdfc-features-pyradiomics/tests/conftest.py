"""Tumours of known make, and PyRadiomics called without rdfc as the oracle."""

import numpy as np
import pytest
from scipy import ndimage

from rdfc_core.case import Tumour, Volume


@pytest.fixture
def make_tumour():
    """A function: a smooth random image of the shape, 0 to 255, with an ellipsoid as the mask."""

    def make(shape, spacing_mm=None, seed=0):
        noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 1)
        image = (noise - noise.min()) / np.ptp(noise) * 255
        grid = np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij")
        return Tumour(Volume.of(image, spacing_mm), sum(g**2 for g in grid) < 0.5)

    return make


@pytest.fixture
def make_extractor():
    """A function: the extractor for parameters given as the option is."""
    from rdfc_features_pyradiomics.config import PyRadiomicsConfig
    from rdfc_features_pyradiomics.extractor import PyRadiomicsExtractor

    def make(parameters):
        return PyRadiomicsExtractor(PyRadiomicsConfig(parameters=parameters))

    return make


@pytest.fixture
def call_pyradiomics():
    """A function: what PyRadiomics itself, its schema included, makes of a parameter file."""
    import radiomics
    import SimpleITK as sitk  # noqa: N813
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    def call(tumour, parameter_file):
        extractor = RadiomicsFeatureExtractor(parameter_file)
        extractor.addProvenance(False)
        mask = Volume.of(tumour.mask.astype(np.uint8), tumour.image.spacing_mm).to_sitk()
        values = extractor.execute(tumour.image.to_sitk(), mask, label=1)
        return {name: float(value) for name, value in values.items()}

    threads = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)  # its sums depend on their number
    radiomics.setVerbosity(60)
    yield call
    radiomics.setVerbosity(30)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
