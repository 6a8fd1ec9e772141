"""A bundled set measures images of two slices linearly, and says for which cases it did."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

import rdfc_core as rdfc
from rdfc_core.case import Case, Tumour, Volume
from rdfc_core.data.case_check import check_case
from rdfc_core.data.findings import remark_findings, sentences
from rdfc_core.errors import DataError
from rdfc_core.extraction.extract import extract
from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
from rdfc_core.extraction.store import Store
from rdfc_core.pipeline import run as studies
from rdfc_core.pipeline.context import RunContext
from rdfc_core.plugin.registry import Registry
from rdfc_core.radiomics.parameters import load_parameters
from rdfc_core.views.preparers import FeaturePreparer
from tests.support import small_study
from tests.support.case_folder import CaseFolder

ENGINES = ["native", "pyradiomics"]
SHAPE = (2, 24, 26)
SPACING_MM = (2.5, 0.7, 0.7)


def extractor(registry: Registry, name: str, parameters: Any) -> Any:
    component = registry.get("feature_extractor", name)
    return component.load()(component.load_config()(parameters=parameters))


def ball(slices: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    image = np.random.default_rng(seed).normal(0, 60, (slices, *SHAPE[1:])).cumsum(axis=2)
    disc = np.hypot(*np.mgrid[-12:12, -13:13]) < 7
    return image, np.repeat(disc[None], slices, axis=0)


def tumour(slices: int = 2) -> Tumour:
    image, mask = ball(slices)
    return Tumour(Volume.of(image, SPACING_MM), mask)


def linear() -> dict[str, Any]:
    """The set ``ct`` as a user would have to write it for such images."""
    content = load_parameters("ct").dump()
    content["setting"]["interpolator"] = "sitkLinear"
    return content


@pytest.mark.parametrize("name", ENGINES)
def test_the_set_gives_what_linear_interpolation_gives_and_says_so(
    registry: Registry, name: str
) -> None:
    own, wanted = extractor(registry, name, "ct"), extractor(registry, name, linear())
    own.check(tumour())
    found, expected = own.extract(tumour()), wanted.extract(tumour())
    np.testing.assert_array_equal(found.values, expected.values)
    assert np.isfinite(found.values).sum() > 500
    [remark] = own.remarks(tumour())
    assert remark.startswith("the image of 26 × 24 × 2 voxels was resampled linearly")
    assert wanted.remarks(tumour()) == ()


@pytest.mark.parametrize("name", ENGINES)
def test_other_images_keep_the_spline_and_the_recipe_stays(registry: Registry, name: str) -> None:
    own = extractor(registry, name, "ct")
    assert own.remarks(tumour(4)) == ()
    assert not np.array_equal(
        own.extract(tumour(4)).values,
        extractor(registry, name, linear()).extract(tumour(4)).values,
    )
    image, mask = ball(2)  # on the grid already: nothing is interpolated
    assert own.remarks(Tumour(Volume.of(image, (2.5, 0.8, 0.8)), mask)) == ()
    assert own.recipe()["parameters"] == load_parameters("ct").dump()


@pytest.mark.parametrize("name", ENGINES)
def test_parameters_of_the_user_s_own_are_refused_as_before(registry: Registry, name: str) -> None:
    content = load_parameters("ct").dump()
    content["setting"]["binWidth"] = 21
    own = extractor(registry, name, content)
    with pytest.raises(DataError, match=r"26 × 24 × 2 voxels cannot be resampled .*sitkLinear"):
        own.extract(tumour())
    with pytest.raises(DataError, match="cannot be resampled"):
        own.check(tumour())
    assert own.remarks(tumour()) == ()


def cases(folder: Path) -> list[Case]:
    own = CaseFolder(folder)
    made = []
    for place, slices in enumerate((2, 5, 2)):
        image, mask = ball(slices, seed=place)
        made.append(own.volume(f"v{place}", image, mask.astype(np.uint8), 0.7))
        for part in ("image", "mask"):
            path = getattr(made[-1], part)
            volume = sitk.ReadImage(str(path))
            volume.SetSpacing(SPACING_MM[::-1])
            sitk.WriteImage(volume, str(path))
    return made


def test_an_extraction_counts_them_also_from_the_store(
    registry: Registry, store: Store, tmp_path: Path
) -> None:
    view = {"radiomics": FeaturePreparer(extractor(registry, "native", "ct"))}
    here = LocalExecutor(LocalExecutorConfig(workers=0))
    first = extract(cases(tmp_path), view, store, here)
    again = extract(first.cases, view, store, here)
    assert (first.made, again.made, list(again.failures)) == (3, 0, [])
    for extraction in (first, again):
        [ids] = extraction.remarks.values()
        assert ids == ["v0", "v2"]
        assert not again.prepared["radiomics"]["v0"].missing.get("")
        [sentence] = sentences(remark_findings(extraction.remarks))
        assert sentence.startswith("2 cases (v0, v2): the image of 26 × 24 × 2 voxels was resampl")


def test_a_check_tells_it_as_a_warning_and_counts_the_case_as_usable(
    registry: Registry, tmp_path: Path
) -> None:
    own = extractor(registry, "native", "ct")
    thin, thick, _ = cases(tmp_path)
    found = check_case(thin, own)
    [problem] = found.problems
    assert (problem.severity, problem.field, problem.case_id) == ("warning", "features", "v0")
    assert found.seen is not None
    assert not check_case(thick, own).problems


def test_a_table_of_features_warns_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "rdfc"):
        table = rdfc.extract_features(
            cases(tmp_path), "ct", store=tmp_path / "s.sqlite", executor="local:workers=0"
        )
    assert len(table) == 3
    [told] = [text for text in caplog.messages if "resampled linearly" in text]
    assert told.startswith("2 cases (v0, v2)")


def test_a_run_s_results_say_which_cases(run_context: RunContext, tmp_path: Path) -> None:
    rows = "".join(
        f"{case.case_id},{case.patient_id},{case.image.name},{case.mask.name},{label}\n"
        for case, label in zip(cases(tmp_path), ("benign", "malignant", "benign"), strict=True)
    )
    header = "case_id,patient_id,image,mask,label\n"
    (tmp_path / "manifest.csv").write_text(header + rows, encoding="utf-8")
    base = {**small_study.SMALL_STUDY, "features": "native:parameters=ct"}
    base["views"] = {name: one for name, one in base["views"].items() if name != "greys"}
    study = small_study.resolved(tmp_path, base=base)
    results = studies.run(study, tmp_path / "run", run_context, until="extract")
    [entry] = json.loads((tmp_path / "run" / "results.json").read_text("utf-8"))["remarks"]
    assert entry["cases"] == ["v0", "v2"]
    assert "resampled linearly" in entry["remark"]
    assert not results.failed
    assert len([text for text in results.warnings if text.startswith("2 cases (v0, v2): the")]) == 1
