"""What results and run folders call things is spelled in one place each."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import rdfc_core
from rdfc_core.results import files, vocabulary

CORE = Path(rdfc_core.__file__).parent
HOME = {CORE / "results" / "vocabulary.py", CORE / "results" / "files.py"}

WORDS = {
    "control",  # a colour of the report, too
    "radiomics",  # how studies like to call a view
    "linear",
    "supervised",  # a section of a study
    "probe",  # where a head may begin
    "accuracy",
}
"""Names that are also words of other things."""

NAMES = {
    *vocabulary.TABLES,
    *vocabulary.METRICS,
    *vocabulary.METHODS,
    *vocabulary.CONTROLS,
    *vocabulary.CLASSIFIERS[1:],
    vocabulary.SELECTED,
    vocabulary.ENSEMBLE,
    vocabulary.BOTH_VIEWS,
    vocabulary.SVM,
    vocabulary.CALIBRATED,
    vocabulary.FINETUNED_SUFFIX,
    vocabulary.START,
    *files.FILES,
    files.CHECKPOINTS,
    files.TENSORBOARD,
    files.TRIALS,
    files.MODEL_ABOUT,
    files.MODEL_WEIGHTS,
} - WORDS

ELSEWHERE = {
    # scikit-learn's own name of a score, which happens to be ours.
    ("evaluation/conventional_radiomics.py", vocabulary.F1_WEIGHTED),
    # The name of an optimizer.
    ("config/training_settings.py", vocabulary.SGD),
    ("plugin/builtin.py", vocabulary.SGD),
    # Beside an exported ONNX model, in a folder that is no run.
    ("export/exporting.py", files.MODEL_ABOUT),
    # A plugin as its author writes it.
    ("scaffold/templates/report_section/config.py", vocabulary.AUROC),
    # A study as a user writes it.
    *(
        ("cli/demo.py", name)
        for name in (
            vocabulary.RADIOMICS_LOGISTIC,
            vocabulary.HYBRID_SCRATCH,
            vocabulary.HYBRID_FINETUNE,
        )
    ),
}


def literals(file: Path) -> set[str]:
    """Every string in a file's code; docstrings are whole sentences and never a name."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


@pytest.mark.parametrize("package", sorted(p.name for p in CORE.iterdir() if p.is_dir()))
def test_a_name_is_spelled_in_the_vocabulary_alone(package):
    spelled = {
        (file.relative_to(CORE).as_posix(), name)
        for file in (CORE / package).rglob("*.py")
        if file not in HOME
        for name in literals(file) & NAMES
    }
    assert spelled <= ELSEWHERE, sorted(spelled - ELSEWHERE)


def test_exceptions_are_still_needed():
    assert all(name in literals(CORE / file) for file, name in ELSEWHERE)


def test_every_name_has_a_heading():
    both = {*vocabulary.METRICS, *vocabulary.NUMBER_METRICS}
    assert set(vocabulary.METRIC_HEADINGS) == both
    assert set(vocabulary.CONTROLS) <= set(vocabulary.OPPONENTS)
    assert set(vocabulary.CLASSIFIERS) < set(vocabulary.CLASSIFIER_HEADINGS)


NUMBERS = ("R2", "MAE", "RMSE", "SPEARMAN")


def test_constants_say_what_they_are_called():
    for name in ("F1_WEIGHTED", "ACCURACY", "BALANCED_ACCURACY", "AUROC", "BRIER", "ECE", *NUMBERS):
        assert getattr(vocabulary, name) == name.lower()
    for name in (
        *("RADIOMICS", "RADIOMICS_LOGISTIC", "IMAGE_AND_RADIOMICS"),
        *("COLUMNS_LOGISTIC", "FEATURES_AND_COLUMNS"),
        *("RESNET_SCRATCH", "HYBRID_SCRATCH", "HYBRID_FINETUNE"),
        *("RANDOM_INIT", "SHAPE_ONLY", "NO_SHAPE", "SIZE_ONLY"),
        *("SHUFFLED_LABELS", "SHUFFLED_CORRESPONDENCE", "LABEL_EFFICIENCY"),
        *("FEATURES", "EMBEDDING", "LOGISTIC", "SGD", "KNN"),
    ):
        assert getattr(vocabulary, name) == name.lower().replace("_", "-")


@pytest.mark.parametrize(
    ("metric", "heading", "in_sentence", "short"),
    [
        ("f1_weighted", "Weighted F1", "weighted F1", "weighted F1"),
        ("auroc", "AUROC", "AUROC", "AUROC"),
        ("balanced_accuracy", "Balanced accuracy", "balanced accuracy", "balanced acc."),
        ("my_own", "my own", "my own", "my own"),
    ],
)
def test_a_metric_is_headed_for_each_place(metric, heading, in_sentence, short):
    assert vocabulary.metric_heading(metric) == heading
    assert vocabulary.in_sentence(metric) == in_sentence
    assert vocabulary.short_heading(metric) == short
