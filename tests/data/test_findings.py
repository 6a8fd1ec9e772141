"""What deserves a look is told by every command, once with its count, and stands in the report."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rdfc_core import DataError, StudyError
from rdfc_core.data import findings
from rdfc_core.data.dataset_check import check_dataset
from rdfc_core.data.readers.auto import AutoReader
from rdfc_core.interfaces import Problem
from rdfc_core.pipeline import run as studies
from rdfc_core.pipeline.context import RunContext
from rdfc_core.pipeline.extraction import extract_shard
from rdfc_core.pipeline.predict import predict
from rdfc_core.report import write_report
from tests.support import small_study
from tests.support.command import HERE
from tests.support.small_study import QUICK

Rows = list[dict[str, str]]
FAST = (*QUICK, "pretrain.epochs=0", "evaluate.controls=[]", "evaluate.classifiers=[logistic]")


@pytest.fixture
def own(pictures: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pictures, tmp_path / "own"))


def listed(folder: Path) -> Rows:
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write(folder: Path, rows: Rows) -> None:
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def redraw(folder: Path, row: dict[str, str], change: Callable[[np.ndarray], np.ndarray]) -> None:
    path = folder / row["mask"]
    Image.fromarray(change(np.array(Image.open(path))).astype(np.uint8)).save(path)


@pytest.fixture
def doubtful(own: Path) -> tuple[Path, list[str]]:
    """A data set with every doubt there is about masks, patients, labels and copies."""
    rows = listed(own)
    for place in (0, 2, 4):
        redraw(own, rows[place], lambda mask: mask * 0 + 255)
    redraw(own, rows[6], lambda mask: 255 - mask)
    redraw(own, rows[8], lambda mask: np.where(np.arange(40)[:, None] < 25, 255, 0) + 0 * mask)
    redraw(own, rows[10], lambda mask: np.where(np.arange(mask.shape[1]) < 20, mask // 255, mask))
    rows[13]["mask"] = rows[12]["mask"]
    shutil.copy(own / rows[14]["mask"], own / rows[15]["mask"])
    shutil.copy(own / rows[16]["image"], own / rows[17]["image"])
    rows[17]["patient_id"] = rows[16]["patient_id"]
    rows[19]["image"] = rows[18]["image"]
    rows[18]["label"] = rows[19]["label"] = ""
    rows[19]["patient_id"] = f"{rows[18]['patient_id']}x"
    jpeg = Path(rows[20]["mask"]).with_suffix(".jpg")
    Image.open(own / rows[20]["mask"]).save(own / jpeg, quality=75)
    rows[20]["mask"] = jpeg.as_posix()
    rows[22]["patient_id"] = "anna 1"
    rows[23]["patient_id"] = "Anna-1"
    rows[24]["label"], rows[25]["label"] = "Benign", "Benign"
    rows[26]["label"], rows[27]["label"] = "nan", "nan"
    rows[28]["label"] = "rare"
    rows[29]["patient_id"] = "unknown"
    write(own, rows)
    return own, [
        "3 cases (case-000, case-002, case-004): the mask covers the whole image.",
        "Case case-006: the mask covers the border of the image and not its middle, as an inverted",
        "Case case-008: the mask covers 62% of the image, more than it leaves out.",
        "Case case-010: the mask holds 2 values besides 0 (1, 255), and all count as tumour.",
        "Case case-013: its mask file is that of case-012, which has another image.",
        "Case case-015: its outline is exactly that of case-014, on another image.",
        "Case case-017: its image is that of case-016 under another name.",
        "Case case-019: its image is that of case-018, who is listed as another patient",
        "Case case-020: the mask ",
        "1 patient is written in several ways ('anna 1' and 'Anna-1'), and counted as several.",
        "The classes 'Benign' (2 cases) and 'benign' (",
        "Label says 'nan' in 2 rows (lines 28, 29), which stands for no value: unlabelled.",
        "Class 'rare' has a single case, which cannot both train and test: used as unlabelled.",
        "Patient_id says 'unknown' in 1 row (line 31), which stands for no value",
    ]


def the_warnings(told: Sequence[str], expected: Sequence[str]) -> None:
    for beginning in expected:
        assert len([one for one in told if one.startswith(beginning)]) == 1, (beginning, told)


@pytest.mark.parametrize("until", ["extract", "pretrain", "evaluate"])
def test_every_warning_of_the_check_is_raised_by_each_step(
    doubtful, until, run_context: RunContext, registry, reader, tmp_path, caplog
):
    folder, expected = doubtful
    study = small_study.resolved(folder, *FAST, "split.test_fraction=0.3")
    dataset = study.dataset.build(registry)
    found = check_dataset(dataset, reader.given_to(dataset.cases()))
    of_the_check = findings.sentences(p for p in found.problems if p.field != "split")
    the_warnings(of_the_check, expected)
    results = studies.run(study, tmp_path / "run", run_context, until=until)
    logged = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    for warning in of_the_check:  # evaluating has warnings of its own
        assert logged.count(warning) == results.warnings.count(warning) == 1
    # From the store, where no file is read again, the same is told.
    again = studies.run(study, tmp_path / "again", run_context, until=until)
    assert again.warnings == results.warnings


def test_they_stand_in_the_report(doubtful, run_context: RunContext, tmp_path):
    folder, _ = doubtful
    study = small_study.resolved(folder, *FAST)
    results = studies.run(study, tmp_path / "run", run_context, until="extract")
    page = write_report(tmp_path / "run").read_text(encoding="utf-8")
    for warning in results.warnings:
        assert warning.replace("'", "&#39;") in page or warning in page
    assert "What each listed case was used for" in page


def test_predictions_and_shards_tell_them_too(
    doubtful, finished, run_context: RunContext, reader: AutoReader, caplog
):
    folder, expected = doubtful
    of_files = [one for one in expected if one.startswith(("Case", "3 cases"))]
    study = small_study.resolved(folder)
    extract_shard(study, (1, 1), run_context)
    the_warnings([one.getMessage() for one in caplog.records], expected)
    caplog.clear()
    cases = reader.given_to(study.dataset.build(run_context.registry).cases())
    predict(finished, cases, run_context)
    by_files = [one for one in of_files if "mask file" not in one]  # the list is read elsewhere
    the_warnings([one.getMessage() for one in caplog.records], by_files)


def test_a_list_to_predict_is_doubted_before_it_is_used(doubtful, finished, rdfc_here):
    folder, expected = doubtful
    done = rdfc_here("predict", finished, "--manifest", folder / "manifest.csv", "--out", "p.csv")
    assert done.code == 0
    said = " ".join(done.err.split())
    for beginning in expected:
        if not beginning.startswith(("The classes", "Class")):  # which predictions do not use
            assert beginning in said


def test_problems_of_one_kind_are_one_sentence_with_their_count():
    def problem(case_id: str, message: str, field: str = "mask", fix: str = "Look.") -> Problem:
        return Problem(case_id, field, message, fix, "warning")

    assert findings.sentences(
        [
            problem("a", "it is odd"),
            problem("b", "it is of 3 mm"),
            problem("", "all are odd"),
            problem("c", "it is odd"),
            problem("", "none is sound"),
            problem("d", "it is of 3 mm", "image"),
            *(problem(name, "the same", fix="Mend it.") for name in "efgh"),
        ]
    ) == [
        "3 cases (a, b, c), for example a: it is odd. Look.",
        "All are odd. Look.",
        "None is sound. Look.",
        "Case d: it is of 3 mm. Look.",
        "4 cases (e, f, g, …): the same. Mend it.",
    ]
    assert findings.sentences([]) == []


def test_a_run_that_is_finished_already_tells_its_warnings_again(doubtful, study_file, rdfc_here):
    folder, expected = doubtful
    command = ("extract", study_file, "--set", f"dataset.root={folder}", "--out", "run", *HERE)
    for repetition in ("first", "second"):
        done = rdfc_here(*command)
        assert done.code == 0
        assert ("finished already" in done.err) == (repetition == "second")
        said = " ".join(done.err.split())
        assert [one for one in expected if one not in said] == []


# Leaks


def test_an_image_of_two_patients_on_both_sides_is_refused_before_anything_is_extracted(
    own, run_context: RunContext, tmp_path
):
    rows = listed(own)
    labelled = [row for row in rows if row["label"]]
    for place, row in enumerate(labelled):
        row["split"] = "test" if place >= 20 else "train"
        row["patient_id"] = f"p{place}"
    for row in rows:
        row.setdefault("split", "pretext")
    labelled[-1]["image"] = labelled[0]["image"]
    write(own, rows)
    study = small_study.resolved(own, *FAST, "dataset.split_column=split")
    with pytest.raises(DataError, match="are outlines of one image"):
        studies.run(study, tmp_path / "run", run_context)
    assert run_context.store.count() == 0
    assert not (tmp_path / "run").exists()
    copied = f"{labelled[-1]['case_id']}-copy.bmp"  # other bytes, the same samples
    Image.open(own / labelled[0]["image"]).save(own / copied)
    labelled[-1]["image"] = copied
    write(own, rows)
    with pytest.raises(DataError, match="are outlines of one image"):
        studies.run(study, tmp_path / "run", run_context)
    assert not (tmp_path / "run" / "checkpoints").exists()


# Labels


def test_a_class_with_one_case_is_used_as_unlabelled_and_never_ends_the_run(
    own, run_context: RunContext, tmp_path
):
    rows = listed(own)
    labelled = [row for row in rows if row["label"]]
    labelled[0]["label"] = "rare"
    write(own, rows)
    results = studies.run(small_study.resolved(own, *FAST), tmp_path / "run", run_context)
    assert results.dataset["classes"] == ["benign", "malignant"]
    assert results.dataset["unlabelled"] == 7
    assert all(row.mean is not None for row in results.rows if row.metric == "auroc")
    uses = {use["what"]: use for use in results.dataset["uses"]}
    assert uses["pretraining alone (the label 'rare' is not used)"]["cases"] == 1
    assert sum(use["cases"] for use in uses.values()) == 36


def test_classes_that_are_listed_leave_others_out_and_absent_ones_spoil_nothing(
    own, run_context: RunContext, tmp_path
):
    rows = listed(own)
    for row in [row for row in rows if row["label"]][:6]:
        row["label"] = "cyst"
    write(own, rows)
    study = small_study.resolved(own, *FAST, "dataset.classes=[absent,malignant,benign]")
    results = studies.run(study, tmp_path / "run", run_context)
    assert results.dataset["classes"] == ["malignant", "benign"]
    assert any("6 cases have the label 'cyst', which is none" in one for one in results.warnings)
    assert any("Class 'absent' has no labelled case" in one for one in results.warnings)
    assert all(row.mean is not None for row in results.rows if row.metric == "auroc")
    page = write_report(tmp_path / "run").read_text(encoding="utf-8")
    assert "absent" in page  # among the warnings
    model = (tmp_path / "run" / "model" / "holdout" / "model.json").read_text("utf-8")
    assert "absent" not in model


@pytest.mark.parametrize("kept", ["", "benign"])
@pytest.mark.parametrize("split", ["holdout", "folds", "column"])
def test_pretraining_needs_no_labels(own, run_context: RunContext, tmp_path, kept, split):
    rows = listed(own)
    for place, row in enumerate(rows):
        row["label"] = kept
        row["split"] = "test" if place < 6 else ("pretext", "train", "")[place % 3]
    write(own, rows)
    more = ("dataset.split_column=split",) if split == "column" else ()
    study = small_study.resolved(own, *FAST, f"split.kind={split}", *more)
    results = studies.run(study, tmp_path / "run", run_context, until="pretrain")
    assert [part["name"] for part in results.dataset["splits"]] == ["all"]
    tested = {row["patient_id"] for row in rows[:6]} if split == "column" else set()
    left = sum(row["patient_id"] not in tested for row in rows)
    assert results.dataset["splits"][0]["pretext"] == left
    with pytest.raises(DataError, match="or only pretrain"):
        studies.run(study, tmp_path / "run", run_context, until="evaluate")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("split.kind=folds split.folds=14", "14 folds cannot each test it"),
        ("split.test_cases=500", "some patients have several cases"),
        ("split.kind=column split.column=none", "no column 'none'"),
        ("split.kind=column split.column=age", "which is none of train, test and pretext"),
        ("dataset.classes=[benign]", "All 15 labelled cases are 'benign'"),
    ],
)
def test_a_split_that_is_impossible_is_refused_before_anything_is_extracted(
    own, run_context: RunContext, tmp_path, override, message
):
    write(own, [{**row, "age": str(20 + place)} for place, row in enumerate(listed(own))])
    study = small_study.resolved(own, *override.split())
    with pytest.raises((DataError, StudyError), match=message):
        studies.run(study, tmp_path / "run", run_context)
    assert run_context.store.count() == 0
    assert not (tmp_path / "run").exists()


def test_a_map_of_probabilities_is_called_one(own, run_context: RunContext, tmp_path):
    rows = listed(own)
    for place, odd in enumerate(((0.25, 0.5, 1.0), (0.5, 0.5, 0.5), (1.0, 2.0, 3.0))):
        mask = np.array(Image.open(own / rows[place]["mask"])) > 0
        values = np.resize(np.array(odd, np.float32), mask.shape) * mask
        path = Path(rows[place]["mask"]).with_suffix(".tif")
        Image.fromarray(values.astype(np.float32)).save(own / path)
        rows[place]["mask"] = path.as_posix()
    write(own, rows)
    results = studies.run(
        small_study.resolved(own, *FAST), tmp_path / "run", run_context, until="extract"
    )
    told = [one for one in results.warnings if "values besides 0" in one]
    assert len(told) == 2
    assert "Case case-000" in told[0]
    assert "near 0. Save it as 0 and 1, cut at 0.5." in told[0]
    assert "Case case-002" in told[1]
    assert "Set mask_value" in told[1]
