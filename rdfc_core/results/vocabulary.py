"""Names in `results.json`, and how people read them: tables, methods, inputs, metrics.

Everything that reads or writes results takes these names from here, so that each is spelled once.
Names that a study may use as well are `Literal` types, from which its options are made.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

# Tasks

TaskName = Literal["classification", "regression"]
CLASSIFICATION, REGRESSION = get_args(TaskName)
"""What labels are: classes to tell apart, or numbers to predict."""

# What is judged

Unit = Literal["case", "patient"]
CASE, PATIENT = get_args(Unit)

Pooling = Literal["mean", "max"]
"""What is said of a patient: the mean of its cases, or the one that is likeliest of the second of
two classes."""

# Tables

LINEAR, SUPERVISED, CONTROL = "linear", "supervised", "control"
LABEL_EFFICIENCY = "label-efficiency"


class TableHeading(NamedTuple):
    """How a table is headed: on the page, in the terminal, and what stands below it."""

    title: str
    in_terminal: str
    note: str


TABLES = {
    LINEAR: TableHeading(
        "Linear evaluation of pretext tasks (Table 1 of the paper)",
        "Linear evaluation of the learnt features",
        "Frozen features of each pretrained network, a simple classifier on top; one variant "
        "a method, named beforehand.",
    ),
    SUPERVISED: TableHeading(
        "Training with labels (Table 2 of the paper)",
        "Training with labels",
        "All labels, from the start: conventional radiomics, networks from scratch, and "
        "the network that goes on from the pretrained weights.",
    ),
    CONTROL: TableHeading(
        "Controls",
        "Controls",
        "What a method has to beat before its score says anything about the method.",
    ),
    LABEL_EFFICIENCY: TableHeading(
        "Label efficiency (Figure 2 of the paper)",
        "With a share of the labels",
        "The same methods with a share of the training labels, on the same held-back cases.",
    ),
}
"""In the order of the report."""

# Metrics

METRICS = ("f1_weighted", "accuracy", "balanced_accuracy", "auroc", "brier", "ece")
"""In the order of the results."""

F1_WEIGHTED, ACCURACY, BALANCED_ACCURACY, AUROC, BRIER, ECE = METRICS

NUMBER_METRICS = ("r2", "mae", "rmse", "spearman")
"""Of a regression, in the order of the results; errors are in the units of the label."""

R2, MAE, RMSE, SPEARMAN = NUMBER_METRICS

IN_UNITS = frozenset({MAE, RMSE})
"""Metrics in the units of the label, which may be of any size."""

METRIC_HEADINGS = {
    F1_WEIGHTED: "Weighted F1",
    AUROC: "AUROC",
    BALANCED_ACCURACY: "Balanced accuracy",
    ACCURACY: "Accuracy",
    BRIER: "Brier score",
    ECE: "Calibration error",
    R2: "R²",
    MAE: "MAE",
    RMSE: "RMSE",
    SPEARMAN: "Spearman's ρ",
}
"""In the order in which people are shown them: the first that a run has decides."""

SHORT_HEADINGS = {BALANCED_ACCURACY: "balanced acc."}
"""For the narrow columns of a terminal."""

LOWER_IS_BETTER = frozenset({BRIER, ECE, MAE, RMSE})

OF_CLASSES = (F1_WEIGHTED, ACCURACY, BALANCED_ACCURACY)
"""Metrics that need no more than the predicted classes."""

# Methods

Method = Literal[
    "radiomics",
    "radiomics-logistic",
    "radiomics-ridge",
    "image-and-radiomics",
    "columns-logistic",
    "columns-ridge",
    "features-and-columns",
    "resnet-scratch",
    "hybrid-scratch",
    "hybrid-finetune",
]
METHODS: tuple[Method, ...] = get_args(Method)
"""Methods that labels train."""

RADIOMICS, RADIOMICS_LOGISTIC, RADIOMICS_RIDGE, IMAGE_AND_RADIOMICS = METHODS[:4]
COLUMNS_LOGISTIC, COLUMNS_RIDGE, FEATURES_AND_COLUMNS = METHODS[4:7]
RESNET_SCRATCH, HYBRID_SCRATCH, HYBRID_FINETUNE = METHODS[7:]

COLUMN_METHODS = (COLUMNS_LOGISTIC, COLUMNS_RIDGE, FEATURES_AND_COLUMNS)
"""Methods that need a view of columns."""

BLOCK_METHODS = (RADIOMICS_LOGISTIC, RADIOMICS_RIDGE, IMAGE_AND_RADIOMICS, *COLUMN_METHODS)
"""Methods that are a linear model on blocks of features: logistic regression, or ridge
regression where the task is one."""

Control = Literal[
    "random-init",
    "radiomics",
    "shape-only",
    "no-shape",
    "size-only",
    "shuffled-labels",
    "shuffled-correspondence",
]
CONTROLS: tuple[Control, ...] = get_args(Control)

RANDOM_INIT, _, SHAPE_ONLY, NO_SHAPE, SIZE_ONLY, SHUFFLED_LABELS, SHUFFLED_CORRESPONDENCE = CONTROLS

Candidate = Literal[
    "probe",
    "radiomics-logistic",
    "radiomics-ridge",
    "image-and-radiomics",
    "columns-logistic",
    "columns-ridge",
    "features-and-columns",
    "radiomics",
    "hybrid-finetune",
]
"""Methods that the model for predictions may be chosen from."""

PROBE = "probe"
"""The linear probe of the study's own pretext, as a method of the label-efficiency table."""
SELECTED = "selected"
"""The model that inner folds of the training cases choose, as a method of its own."""
ENSEMBLE = "ensemble"
"""The average of calibrated candidates, as a choice of the selected model."""
OWN_PRETEXT = "rdfc"
"""The pretext ``correspondence``: it is named after the project."""
START = "start-"
"""Begins the name of networks that are judged as their published weights are."""
RANDOM_QUERIES = "random"
"""The query strategy that every other is compared with."""
FINETUNED_SUFFIX = "-finetune"
"""Ends the name of a method that goes on from what a pretext learnt."""


class Opponent(NamedTuple):
    """A method that the learnt one is compared with: what it is, and what not beating it means."""

    what: str
    unbeaten: str


_FROM_SCRATCH = Opponent(
    "trained with labels from the start", "no gain over training from scratch is shown"
)
OPPONENTS: dict[str, Opponent] = {
    RANDOM_INIT: Opponent("the same network before training", "no gain from pretraining is shown"),
    RADIOMICS: Opponent(
        "the handcrafted features themselves", "no gain over plain radiomics is shown"
    ),
    SHAPE_ONLY: Opponent(
        "shape features of the mask alone", "the outlines alone may carry the label"
    ),
    SIZE_ONLY: Opponent("the tumour's size alone", "size alone may tell the classes apart"),
    NO_SHAPE: Opponent("radiomics without shape features", "texture and intensity may suffice"),
    SHUFFLED_LABELS: Opponent("training on labels drawn at random", "the score may be chance"),
    SHUFFLED_CORRESPONDENCE: Opponent(
        "the same pretraining on features and pictures of different tumours",
        "no gain from correspondence itself is shown",
    ),
    RESNET_SCRATCH: _FROM_SCRATCH,
    HYBRID_SCRATCH: _FROM_SCRATCH,
    RADIOMICS_LOGISTIC: Opponent(
        "logistic regression on handcrafted features", "no gain over plain radiomics is shown"
    ),
    COLUMNS_LOGISTIC: Opponent(
        "logistic regression on the columns alone", "no gain over the columns alone is shown"
    ),
    RADIOMICS_RIDGE: Opponent(
        "ridge regression on handcrafted features", "no gain over plain radiomics is shown"
    ),
    COLUMNS_RIDGE: Opponent(
        "ridge regression on the columns alone", "no gain over the columns alone is shown"
    ),
}
"""Everything the learnt method is compared with; a row of the table ``control`` is one whatever
its name."""

# Inputs, layers and classifiers

BOTH_VIEWS, ALL_VIEWS = "both", "all"
"""How tables call all views joined, of two and of more."""

INPUT_HEADINGS = {BOTH_VIEWS: "both views", ALL_VIEWS: "all views"}
"""Inputs of more than one view; others are called as the view is."""

Layer = Literal["features", "embedding"]
LAYERS: tuple[Layer, ...] = get_args(Layer)
FEATURES, EMBEDDING = LAYERS
RAW = "raw"
"""The layer of handcrafted features, which come from no network."""

Classifier = Literal["logistic", "ridge", "sgd", "knn"]
CLASSIFIERS: tuple[Classifier, ...] = get_args(Classifier)
LOGISTIC, RIDGE, SGD, KNN = CLASSIFIERS
SVM, SVR, HEAD = "svm", "svr", "head"

RIDGE_TWINS = {
    LOGISTIC: RIDGE,
    RADIOMICS_LOGISTIC: RADIOMICS_RIDGE,
    COLUMNS_LOGISTIC: COLUMNS_RIDGE,
}
"""Names that tell classes apart → those that predict numbers in their place; every other name of a
classifier or method does either."""

CALIBRATED = "+temperature"
"""Ends the classifier's name where a temperature calibrates its probabilities."""

CLASSIFIER_HEADINGS = {
    LOGISTIC: "logistic regression",
    RIDGE: "ridge regression",
    SGD: "linear layer (SGD)",
    KNN: "nearest neighbours",
    SVM: "linear SVM",
    SVR: "linear SVR",
    HEAD: "linear head",
}


def fits(name: str, task: str) -> bool:
    """Whether a classifier or a method of this name does what a task asks for."""
    return name not in (RIDGE_TWINS if task == REGRESSION else RIDGE_TWINS.values())


def metric_heading(metric: str) -> str:
    """``f1_weighted`` → ``Weighted F1``; unknown metrics keep their name."""
    return METRIC_HEADINGS.get(metric, metric.replace("_", " "))


def in_sentence(metric: str) -> str:
    """``f1_weighted`` → ``weighted F1``: the heading as it stands inside a sentence."""
    name = metric_heading(metric)
    return name if name[:2].isupper() or metric in NUMBER_METRICS else name[:1].lower() + name[1:]


def short_heading(metric: str) -> str:
    """The heading of a narrow column: ``balanced acc.``."""
    return SHORT_HEADINGS.get(metric) or in_sentence(metric)


def table_heading(table: str) -> str:
    """The table's title on the page; unknown tables keep their name."""
    return TABLES[table].title if table in TABLES else table


def short_table_heading(table: str) -> str:
    """The table's title without what the paper calls it."""
    return table_heading(table).partition(" (")[0]
