"""Tumours of known make, the extractor, and PyRadiomics behind rdfc's guards as the oracle."""

import numpy as np
import pytest
from scipy import ndimage

from rdfc_core.case import Tumour, Volume


@pytest.fixture
def make_tumour():
    """A function: a smooth random image of the shape, 0 to 255, with an ellipsoid as the mask."""

    def make(shape, spacing_mm=None, seed=0, mask=None):
        noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 1)
        image = (noise - noise.min()) / np.ptp(noise) * 255
        grid = np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij")
        inside = sum(g**2 for g in grid) < 0.5 if mask is None else mask
        return Tumour(Volume.of(image, spacing_mm), inside)

    return make


@pytest.fixture
def make_extractor():
    """A function: the extractor for parameters given as the option is."""
    from rdfc_features_native.config import NativeConfig
    from rdfc_features_native.extractor import NativeExtractor

    def make(parameters):
        return NativeExtractor(NativeConfig(parameters=parameters))

    return make


@pytest.fixture
def measure(make_extractor):
    """A function: the features of a tumour by name."""

    def call(parameters, tumour):
        extractor = make_extractor(parameters)
        names = extractor.names(tumour.ndim)
        return dict(zip(names, extractor.extract(tumour).values, strict=True))

    return call


@pytest.fixture
def call_pyradiomics():
    """A function: names and values as PyRadiomics 3.0.1 gives them for an image of floats."""
    radiomics = pytest.importorskip("radiomics", reason="PyRadiomics has no build for this Python")
    import SimpleITK as sitk  # noqa: N813
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    def call(tumour, parameter_file):
        extractor = RadiomicsFeatureExtractor(parameter_file)
        extractor.addProvenance(False)
        spacing_mm = tumour.image.spacing_mm
        image = Volume.of(tumour.image.array.astype(np.float64), spacing_mm).to_sitk()
        mask = Volume.of(tumour.mask.astype(np.uint8), spacing_mm).to_sitk()
        with np.errstate(all="ignore"):
            values = extractor.execute(image, mask, label=1)
        return {name: float(value) for name, value in values.items()}

    threads = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)  # its sums depend on their number
    radiomics.setVerbosity(60)
    yield call
    radiomics.setVerbosity(30)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
