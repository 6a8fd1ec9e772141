"""Names of what lies in a run folder, each spelled once."""

from __future__ import annotations

STUDY = "study.yaml"
"""The resolved study, with versions."""
CASES = "cases.csv"
"""Every case: its part in each split, and the fingerprint of its content."""
FEATURES = "features.parquet"
"""Handcrafted features of every case."""
METRICS = "metrics.jsonl"
"""One line an epoch of pretraining, of all splits."""
RESULTS = "results.json"
"""The results, once the run is complete."""
PREDICTIONS = "predictions.parquet"
"""What each method said of each held-back case."""
EMBEDDINGS = "embeddings.parquet"
"""Where each case lies for the first split's network."""
STABILITY = "stability.parquet"
"""How stable each handcrafted feature is, where views keep stable ones alone."""
PICTURES = "pictures.parquet"
"""A thumbnail of each case."""
ATTENTION = "attention.parquet"
"""Where the image encoder looks, in a few cases."""
SECTIONS = "sections.json"
"""What plugins add to the report."""
EVALUATIONS = "evaluations.jsonl"
"""A line each time the test part was evaluated here."""
CHECKLIST, CHECKLIST_PAGE = "checklist.md", "checklist.html"
"""Reporting checklists, filled."""
REPORT = "report.html"
"""The report."""

FILES = (
    STUDY,
    CASES,
    FEATURES,
    METRICS,
    RESULTS,
    PREDICTIONS,
    EMBEDDINGS,
    STABILITY,
    PICTURES,
    ATTENTION,
    SECTIONS,
    EVALUATIONS,
    CHECKLIST,
    CHECKLIST_PAGE,
    REPORT,
)
"""The files that a run writes into its folder itself."""

AFTER_PRETRAINING = (
    *(RESULTS, PREDICTIONS, EMBEDDINGS, STABILITY, ATTENTION, SECTIONS),
    *(CHECKLIST, CHECKLIST_PAGE, REPORT),
)
"""Those that tell of the pretrained networks."""

CHECKPOINTS = "checkpoints"
"""A folder: states of pretraining, for a run to go on from."""
TENSORBOARD = "tensorboard"
"""A folder: the metrics of pretraining for TensorBoard, a folder a split."""
LOGGERS = "loggers"
"""A folder: what other loggers keep, a folder each."""
MODELS = "model"
"""A folder: the trained model of each split, `MODEL_WEIGHTS` and `MODEL_ABOUT`."""
TRIALS = "trials"
"""A folder: what each method that labels train said, as it is done."""

MODEL_WEIGHTS, MODEL_ABOUT = "weights.safetensors", "model.json"
MODEL_CARD, DATASET_CARD = "model-card.md", "dataset-card.md"
"""In the folder of the models: what they are, and what they were made of."""
TRAINING_CASES = "training_cases.safetensors"
"""Beside a model: where its training cases lie, for distances and neighbours."""
