"""Which items a run answers, and by what; what is left to the authors, and what helps them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rdfc_core.report.checklist import (
    dimensions,
    elsewhere,
    extraction,
    modelling,
    performance,
    reporting,
)
from rdfc_core.report.checklist.answer import ItemAnswer, authors
from rdfc_core.report.checklist.evidence import Evidence
from rdfc_core.report.checklist.items import CLEAR, METRICS_LIST, TRIPOD, ListName

Question = Callable[[Evidence], ItemAnswer]

UNKNOWN = "A run cannot know this."


def for_authors(hint: str = UNKNOWN) -> Question:
    """An item that no run can answer.

    Args:
        hint: What helps to answer it.
    """
    return lambda run: authors(hint)


TEXT = for_authors("It is about the text of the paper.")
ADHERENCE = for_authors(
    "This page is the filled list, once the authors have answered what is left to them. Submit it "
    "with the paper."
)
OUTLINES = for_authors(
    "Outlines come with the data: how they were drawn, and by whom, is not known to a run."
)
SHARE_FEATURES = for_authors("features.parquet has every feature of every case. Say where it is.")
SHARE_SETTINGS = for_authors("study.yaml repeats the whole study. Say where it is.")
SHARE_CODE = for_authors(
    "rdfc is free software (Apache-2.0), its version is in study.yaml. Say where your own code is."
)
SHARE_MODEL = for_authors("The folder model has the final models, with a card. Say where they are.")

CLEAR_ITEMS: Mapping[str, Question] = {
    **dict.fromkeys(("1", "2", "3", "4", "5", "6"), TEXT),
    "7": ADHERENCE,
    "8": for_authors(),
    "9": reporting.sample_size,
    "10": for_authors(),
    "11": for_authors("Cases that rdfc could not use are in results.json, failed, with reasons."),
    "12": for_authors("report.html and study.yaml name every step of the pipeline. Draw it."),
    "13": reporting.data_source,
    "14": for_authors(
        "It asks for overlap with earlier publications, which no run knows. Whether training and "
        "test part overlap is under item 15."
    ),
    "15": reporting.split_method,
    "16": for_authors("How images were acquired is not known to a run; processing is in item 21."),
    "17": modelling.other_predictors,
    "18": for_authors("The classes are in results.json, dataset.classes. Say who gave them, how."),
    "19": OUTLINES,
    "20": OUTLINES,
    "21": extraction.preprocessing,
    "22": extraction.resampling,
    "23": extraction.discretisation,
    "24": extraction.image_types,
    "25": extraction.software,
    "26": extraction.feature_classes,
    "27": extraction.number_of_features,
    "28": extraction.all_parameters,
    "29": modelling.missing_data,
    "30": modelling.class_imbalance,
    "31": for_authors(
        "It needs several outlines of one tumour; rdfc_core.reliability tells from those how "
        "reliable features are."
    ),
    "32": modelling.scaling,
    "33": dimensions.reduction,
    "34": modelling.algorithm,
    "35": modelling.training,
    "36": performance.confounders,
    "37": reporting.selection,
    "38": reporting.testing,
    "39": performance.metrics_and_rationale,
    "40": performance.intervals,
    "41": performance.compared,
    "42": performance.non_radiomic,
    "43": performance.explained,
    "44": for_authors("Counts of patients and classes are in results.json, dataset."),
    "45": for_authors("What became of every listed case is in results.json, dataset.uses."),
    "46": modelling.feature_statistics,
    "47": performance.scores,
    "48": performance.non_radiomic,
    **dict.fromkeys(("49", "50", "51", "52"), TEXT),
    "53": for_authors(),
    "54": SHARE_FEATURES,
    "55": SHARE_SETTINGS,
    "56": SHARE_CODE,
    "57": SHARE_MODEL,
    "58": for_authors("rdfc predict uses the run folder as it is. Say where it is."),
}

METRICS_ITEMS: Mapping[str, Question] = {
    "1": ADHERENCE,
    "2": for_authors(),
    "3": for_authors("The classes are in results.json, dataset.classes."),
    "4": for_authors("A run does not know which centre a case is from."),
    "5": for_authors(),
    "6": for_authors("How images were acquired is not known to a run."),
    "7": for_authors(),
    "8": OUTLINES,
    "9": for_authors("Not applicable unless outlines are drawn automatically."),
    "10": OUTLINES,
    "11": extraction.appropriate_preprocessing,
    "12": extraction.standardised,
    "13": extraction.all_parameters,
    "14": dimensions.robustness,
    "15": dimensions.redundancy,
    "16": dimensions.dimensionality,
    "17": modelling.end_to_end,
    "18": reporting.partition,
    "19": performance.confounders,
    "20": performance.metrics,
    "21": performance.intervals,
    "22": performance.calibration,
    "23": modelling.one_image,
    "24": performance.added_value,
    "25": performance.simple_models,
    "26": performance.internal,
    "27": elsewhere.external,
    "28": for_authors("features.parquet could be shared; images are not in the run folder."),
    "29": SHARE_CODE,
    "30": SHARE_MODEL,
}

TRIPOD_ITEMS: Mapping[str, Question] = {
    **dict.fromkeys(("1", "2", "3a", "3b", "3c", "4"), TEXT),
    "5a": reporting.data_source,
    **dict.fromkeys(("5b", "6a", "6c"), for_authors()),
    "6b": for_authors("Cases that rdfc could not use are in results.json, failed, with reasons."),
    "7": reporting.quality,
    "8a": for_authors("The classes are in results.json, dataset.classes."),
    "8b": for_authors(),
    "8c": for_authors(),
    "9a": reporting.initial_predictors,
    "9b": reporting.defined_predictors,
    "9c": OUTLINES,
    "10": reporting.sample_size,
    "11": modelling.missing_data,
    "12a": reporting.data_use,
    "12b": modelling.scaling,
    "12c": modelling.building,
    "12d": elsewhere.clusters,
    "12e": reporting.measures,
    "12f": elsewhere.updating,
    "12g": elsewhere.how_predicted,
    "13": modelling.imbalance_methods,
    "14": for_authors("rdfc validate --by tells scores of subgroups."),
    "15": reporting.output,
    "16": elsewhere.differences,
    **dict.fromkeys(("17", "18a", "18b", "18c", "18d", "18e", "19"), for_authors()),
    "18f": SHARE_CODE,
    "20a": reporting.flow,
    "20b": reporting.characteristics,
    "20c": elsewhere.predictors_there,
    "21": modelling.parts_counted,
    "22": reporting.specification,
    "23a": reporting.performance,
    "23b": elsewhere.clusters,
    "24": elsewhere.updated_results,
    **dict.fromkeys(("25", "26"), TEXT),
    "27a": for_authors(
        "rdfc refuses files that it cannot read, and warns of grey values on another scale. Say "
        "what users should do."
    ),
    "27b": for_authors("rdfc needs an outline of each tumour. Say who draws it."),
    "27c": TEXT,
}

QUESTIONS: Mapping[ListName, Mapping[str, Question]] = {
    CLEAR: CLEAR_ITEMS,
    METRICS_LIST: METRICS_ITEMS,
    TRIPOD: TRIPOD_ITEMS,
}
"""List → number of an item → what answers it."""
