"""What a case is, is the same in prediction as in training: mask value, component, columns."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from scipy import ndimage

from rdfc_core import DataError, StudyError
from rdfc_core.data.case_definition import CaseDefinition
from rdfc_core.models.loading import load
from rdfc_core.pipeline import run as studies
from rdfc_core.pipeline.open_run import OpenRun
from rdfc_core.pipeline.predict import predict
from tests.support import small_study
from tests.support.command import HERE
from tests.support.small_study import QUICK

ORGAN, TUMOUR = 1, 2


@pytest.fixture(scope="module")
def organs(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pictures with masks of a tumour (2) within an organ (1), and a spot of 2 beside both."""
    folder = Path(shutil.copytree(pictures, tmp_path_factory.mktemp("organs") / "data"))
    for path in (folder / "masks").iterdir():
        tumour = np.asarray(Image.open(path)) > 0
        mask = np.where(tumour, TUMOUR, ndimage.binary_dilation(tumour, iterations=4) * ORGAN)
        mask[1:3, 1:3] = TUMOUR
        Image.fromarray(mask.astype(np.uint8)).save(path)
    return folder


def trained(folder: Path, run: Path, context, *overrides: str) -> dict[str, list[float]]:
    """Train on the folder; what the run's main classifier says of each held-back case."""
    study = small_study.resolved(folder, *QUICK, "pretrain.epochs=1", *overrides)
    studies.run(study, run, context)
    return {
        row["case_id"]: row["probabilities"]
        for row in pq.read_table(run / "predictions.parquet").to_pylist()
        if (row["method"], row["input"], row["layer"], row["classifier"])
        == ("rdfc", "all", "features", "logistic")
    }


@pytest.mark.parametrize(
    "option",
    ["dataset.mask_value=2", "dataset.component=largest", "dataset.component=all"],
)
def test_a_list_is_read_as_the_run_read_its_own(organs, run_context, registry, tmp_path, option):
    scored = trained(organs, tmp_path / "run", run_context, option)
    cases = OpenRun(tmp_path / "run", registry).listed_cases(organs)
    said = predict(tmp_path / "run", [c for c in cases if c.case_id in scored], run_context)
    np.testing.assert_allclose(said.probabilities, list(scored.values()), rtol=1e-5)


def test_one_image_and_mask_get_the_mask_value_of_the_run(
    organs, run_context, registry, tmp_path, rdfc_here
):
    run = tmp_path / "run"
    scored = trained(organs, run, run_context, "dataset.mask_value=2")
    case_id = min(scored)
    image, mask = organs / "images" / f"{case_id}.png", organs / "masks" / f"{case_id}.png"
    one = OpenRun(run, registry).single_case(image, mask)
    [said] = predict(run, [one], run_context).probabilities
    np.testing.assert_allclose(said, scored[case_id], rtol=1e-5)
    args = ("predict", run, "--image", image, "--mask", mask, *HERE)
    [row] = csv.DictReader(rdfc_here(*args).out.splitlines())
    assert float(row["p_malignant"]) == pytest.approx(scored[case_id][1], abs=1e-5)
    rdfc_here(*args, "--mask-value", 1).refused("Mask value 1", "trained on", "marked by 2")
    rdfc_here("predict", run, "--manifest", organs, "--mask-value", 2).refused("column mask_value")


def test_a_list_that_contradicts_the_run_is_refused_before_any_file_is_opened(
    organs, run_context, registry, tmp_path
):
    trained(organs, tmp_path / "run", run_context, "dataset.mask_value=2")
    stored = run_context.store.count()
    lines = (organs / "manifest.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "other.csv").write_text(
        "\n".join([f"{lines[0]},mask_value", *(f"{line},1" for line in lines[1:])]),
        encoding="utf-8",
    )
    cases = OpenRun(tmp_path / "run", registry).listed_cases(tmp_path / "other.csv")
    with pytest.raises(StudyError, match=r"Mask value 1 .* case-000, .* and 33 more, .* by 2\."):
        predict(tmp_path / "run", cases, run_context)
    assert run_context.store.count() == stored


def test_what_differed_among_the_runs_own_cases_has_to_be_said(cases):
    several = CaseDefinition.of([replace(cases[0], mask_value=v) for v in (3, 1)])
    assert several.mask_values == (1, 3)
    assert several.applied_to([replace(cases[0], mask_value=7)])[0].mask_value == 7
    with pytest.raises(StudyError, match=r"No mask value is given for case-000.*\(1, 3\)"):
        several.applied_to(cases[:1])
    plain = CaseDefinition.of(cases)
    assert plain.applied_to(cases) == cases
    with pytest.raises(StudyError, match="every value but 0"):
        plain.applied_to([replace(cases[0], mask_value=1)])
    with pytest.raises(StudyError, match="Only the largest component"):
        plain.applied_to([replace(cases[0], component="largest")])
    lesions = CaseDefinition.of([replace(cases[0], component=n) for n in (1, 2)])
    assert lesions.components == ("one",)
    assert lesions.applied_to([replace(cases[0], component=5)])[0].component == 5
    with pytest.raises(StudyError, match=r"All of the mask .* single lesions .*--lesions each"):
        lesions.applied_to(cases[:1])
    with pytest.raises(StudyError, match="One component of the mask by its number"):
        plain.applied_to([replace(cases[0], component=1)])


def test_columns_mean_what_they_meant_to_the_run(organs, run_context, registry, tmp_path):
    """In a batch file of PyRadiomics, Label is the mask's value unless label_column names it."""
    with (organs / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["label"]]
    listing = organs / "batch.csv"
    with listing.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Image", "Mask", "Label", "Grade"])
        writer.writerows([r["image"], r["mask"], TUMOUR, f"grade {r['label']}"] for r in rows)
    study = (f"dataset.root={listing}", "dataset.label_column=Grade")
    scored = trained(organs, tmp_path / "run", run_context, *study)
    assert load_cases(tmp_path / "run", registry).mask_values == (TUMOUR,)
    unlabelled = tmp_path / "unlabelled.csv"
    unlabelled.write_text(
        "\n".join(["Image,Mask", *(f"{organs / r['image']},{organs / r['mask']}" for r in rows)]),
        encoding="utf-8",
    )
    for path in (listing, unlabelled):
        cases = [
            case
            for case in OpenRun(tmp_path / "run", registry).listed_cases(path)
            if case.case_id in scored
        ]
        said = predict(tmp_path / "run", cases, run_context)
        np.testing.assert_allclose(said.probabilities, list(scored.values()), rtol=1e-5)


def load_cases(run: Path, registry) -> CaseDefinition:
    from rdfc_core.config.load import load_study
    from rdfc_core.config.resolve import resolve
    from rdfc_core.pipeline.run_folder import RunFolder

    study = resolve(load_study(RunFolder(run).read_study()), registry)
    found = load(run / "model" / "holdout", study, registry).cases
    assert found is not None
    return found


def test_a_model_that_does_not_say_what_its_cases_were_is_refused(
    finished, cases, run_context, tmp_path
):
    run = Path(shutil.copytree(finished, tmp_path / "old"))
    path = run / "model" / "holdout" / "model.json"
    about = json.loads(path.read_text(encoding="utf-8"))
    del about["cases"]
    path.write_text(json.dumps(about), encoding="utf-8")
    with pytest.raises(DataError, match="does not say which value of a mask marked"):
        predict(run, cases[:1], run_context)


SPELLINGS = {
    "Benign": "benign",
    "BENIGN ": "benign",
    "be-nign": "benign",
    "malignant\N{ZERO WIDTH SPACE}": "malignant",
    "\N{FULLWIDTH LATIN SMALL LETTER M}alignant": "malignant",
    "cyst": "cyst",
}


def test_labels_of_a_list_are_those_of_the_run_however_they_are_spelled(
    pictures, finished, tmp_path, rdfc_here
):
    with (pictures / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[: len(SPELLINGS)]
    for row, spelling in zip(rows, SPELLINGS, strict=True):
        row["label"] = spelling
        row["image"], row["mask"] = (str(pictures / row[name]) for name in ("image", "mask"))
    listing = tmp_path / "list.csv"
    with listing.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    for command in ("predict", "embed"):
        out = tmp_path / f"{command}.csv"
        done = rdfc_here(command, finished, "--manifest", listing, "--out", out, *HERE)
        said = " ".join(done.err.split())
        assert done.code == 0, said
        assert "1 case has the label 'Benign', which is taken for the run's class 'benign'" in said
        assert "1 case has the label 'cyst', which is none of the run's classes (benign, " in said
        # The full-width one; a space of no width is no part of a cell's text.
        assert said.count("taken for the run's class 'malignant'") == 1
    with (tmp_path / "embed.csv").open(encoding="utf-8") as file:
        labels = {row["case_id"]: row["label"] for row in csv.DictReader(file)}
    assert list(labels.values()) == list(SPELLINGS.values())


def test_words_that_were_classes_of_the_run_are_classes_of_a_list(
    pictures, run_context, registry, tmp_path
):
    """`none` stands for no value elsewhere; a run that lists it among its classes means it."""
    folder = Path(shutil.copytree(pictures, tmp_path / "own"))
    listing = folder / "manifest.csv"
    listing.write_text(
        listing.read_text(encoding="utf-8").replace("benign", "none"), encoding="utf-8"
    )
    study = ("dataset.classes=[none,malignant]", "pretrain.epochs=1", "evaluate.controls=[]")
    studies.run(small_study.resolved(folder, *QUICK, *study), tmp_path / "run", run_context)
    said = {case.label for case in OpenRun(tmp_path / "run", registry).listed_cases(folder)}
    assert said == {"none", "malignant", None}
