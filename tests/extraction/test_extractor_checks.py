"""What `rdfc datasets check` asks of an extractor is what the extractor does in a study."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rdfc_core.case import Tumour, Volume
from rdfc_core.errors import DataError
from rdfc_core.plugin.registry import Registry

NOISE = np.random.default_rng(0).normal(100, 40, (20, 24))
DISC = np.hypot(*np.mgrid[-10:10, -12:12]) < 8
LINE = np.zeros_like(DISC)
LINE[5, 3:12] = True
SPARSE: dict[str, Any] = {"resegmentRange": [1e6, 1e7]}

REFUSED = {
    "one grey level": (NOISE / 1000, DISC, {}),
    "constant": (np.full_like(NOISE, 7), DISC, {}),
    "a line": (NOISE, LINE, {}),
    "too many bins": (NOISE * 1e9, DISC, {}),
    "infinite": (np.where(DISC, np.inf, NOISE), DISC, {}),
    "nothing within the range": (NOISE, DISC, SPARSE),
}


@pytest.mark.parametrize("name", ["native", "pyradiomics"])
@pytest.mark.parametrize("kind", REFUSED)
def test_a_check_refuses_by_the_sentence_of_the_extraction(
    registry: Registry, name: str, kind: str
) -> None:
    image, mask, setting = REFUSED[kind]
    component = registry.get("feature_extractor", name)
    content = {"setting": setting, "featureClass": {"firstorder": ["Mean"]}}
    extractor = component.load()(component.load_config()(parameters=content))
    tumour = Tumour(Volume.of(image), mask)
    with pytest.raises(DataError) as measured:
        extractor.extract(tumour)
    with pytest.raises(DataError) as checked:
        extractor.check(tumour)
    assert str(checked.value) == str(measured.value)


@pytest.mark.parametrize("name", ["native", "pyradiomics"])
def test_a_check_has_nothing_against_what_is_measured(registry: Registry, name: str) -> None:
    component = registry.get("feature_extractor", name)
    extractor = component.load()(component.load_config()())
    tumour = Tumour(Volume.of(NOISE), DISC)
    extractor.check(tumour)
    assert np.isfinite(extractor.extract(tumour).values).any()
