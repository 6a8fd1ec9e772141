"""How images were prepared and features measured, as the saved models record it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from rdfc_core.report.checklist.answer import (
    ItemAnswer,
    Proof,
    authors,
    joined,
    met,
    not_applicable,
    not_met,
    partly,
)
from rdfc_core.report.checklist.evidence import Evidence
from rdfc_core.report.checklist.measured_views import MeasuredView, measured, views_of
from rdfc_core.report.text import listed
from rdfc_core.results import files

STANDARD = ("native", "pyradiomics")
"""Extractors of PyRadiomics' features: its definitions are those of the IBSI, with the differences
that its documentation lists."""

IBSI = "ibsi"
"""The extractor whose definitions are those of the IBSI to the letter."""

MEASURES = "feature extractor"
"""How `made_by.versions` begins to call an extractor of handcrafted features."""


def _of_each(run: Evidence, asked: str) -> Iterator[MeasuredView] | ItemAnswer:
    """The measured views, or why there is nothing to say of them."""
    if not views_of(run):
        return not_applicable("The study measures no handcrafted features: it has no such view.")
    found = measured(run)
    if not found:
        return not_met(
            f"The run does not record {asked}: no saved model holds the recipe of its features.",
            *(Proof(m.description, "made_by.recipes", "missing") for m in run.models.values()),
        )
    return iter(found)


def _setting(
    run: Evidence, asked: str, keys: tuple[str, ...], needed: tuple[str, ...]
) -> ItemAnswer:
    views = _of_each(run, asked)
    if isinstance(views, ItemAnswer):
        return views
    answers = []
    for view in views:
        settings = view.settings
        lacking = not set(needed) & set(settings)
        if lacking and view.extractor not in STANDARD:
            answers.append(
                authors(
                    f"The extractor {view.extractor!r} records no such setting.",
                    Proof(view.model.description, view.at, _short(view.recipe)),
                )
            )
            continue
        proofs = [
            Proof(view.model.description, f"{view.settings_at}.{key}", _short(value))
            for key, value in settings.items()
            if key in keys
        ]
        if lacking:
            answers.append(not_met(f"The view {view.view!r} does not record {asked}.", *proofs))
        else:
            answers.append(met(f"The view {view.view!r} records {asked}.", *proofs))
    return joined(answers)


def resampling(run: Evidence) -> ItemAnswer:
    """To which spacing images were resampled, and how; and the size of the networks' pictures."""
    needed = ("resampledPixelSpacing", "spacing_mm")
    keys = (*needed, "interpolator", "interpolation", "padDistance", "preCrop")
    found = _setting(run, "how images were resampled", keys, needed)
    views = run.setting("views") or {}
    sizes = [
        Proof(files.STUDY, f"views.{name}.{key}", _short(view[key]))
        for name, view in views.items()
        if isinstance(view, Mapping)
        for key in ("size", "spacing_mm", "aspect")
        if key in view
    ]
    if found.status != "met":
        return ItemAnswer(found.status, found.text, (*found.proofs, *sizes))
    own = [p for p in found.proofs if p.key.endswith(needed)]
    kept = any(proof.figure == "null" for proof in own)
    told = " Features are measured at each image's own spacing (null)." if kept else ""
    pictures = " Pictures for networks are brought to one size." if sizes else ""
    return met(f"{found.text}{told}{pictures}", *found.proofs, *sizes)


def discretisation(run: Evidence) -> ItemAnswer:
    """The bins of grey values."""
    keys = ("binWidth", "binCount", "bin_width", "bin_count")
    return _setting(run, "how grey values were put into bins", keys, ("binWidth", "bin_width"))


def all_parameters(run: Evidence) -> ItemAnswer:
    """All parameters of the extraction, those that nobody set included."""
    views = _of_each(run, "the parameters of the extraction")
    if isinstance(views, ItemAnswer):
        return views
    answers = []
    for view in views:
        count_of = len(view.settings)
        proof = Proof(view.model.description, view.settings_at, f"{count_of} values")
        if view.extractor in STANDARD and not count_of:
            answers.append(not_met(f"The view {view.view!r} records no settings.", proof))
        elif not count_of:
            whole = Proof(view.model.description, view.at, _short(view.recipe))
            answers.append(met(f"The recipe of the view {view.view!r} is recorded whole.", whole))
        else:
            answers.append(
                met(f"The view {view.view!r} records every setting, defaults included.", proof)
            )
    return joined(answers)


def image_types(run: Evidence) -> ItemAnswer:
    """The filters of the images that features were measured on."""
    return _listed(run, "imageType", "on which filtered images features were measured")


def feature_classes(run: Evidence) -> ItemAnswer:
    """The classes of features, with the number of each."""
    found = _listed(run, "featureClass", "which classes of features were measured")
    names = [name for view in measured(run) for name in view.names]
    if found.status != "met" or not names:
        return found
    classes = Counter(name.split("_")[1] for name in names if name.count("_") >= 2)
    told = ", ".join(f"{name} {number}" for name, number in classes.items())
    more = Proof(measured(run)[0].model.description, "made_by.features by class", told)
    return met(found.text, *found.proofs, more) if told else found


def _listed(run: Evidence, key: str, asked: str) -> ItemAnswer:
    views = _of_each(run, asked)
    if isinstance(views, ItemAnswer):
        return views
    answers = []
    for view in views:
        there = view.parameters.get(key)
        if not there and view.extractor not in STANDARD:
            answers.append(authors(f"The extractor {view.extractor!r} records no {key}."))
        elif not isinstance(there, Mapping) or not there:
            answers.append(not_met(f"The view {view.view!r} does not record {asked}."))
        else:
            at = f"{view.parameters_at}.{key}"
            proof = Proof(view.model.description, at, ", ".join(map(str, there)))
            answers.append(met(f"The view {view.view!r} records {asked}.", proof))
    return joined(answers)


def number_of_features(run: Evidence) -> ItemAnswer:
    """How many features were measured, by the model and by the table of features alike."""
    from rdfc_core.report.parquet import read_table

    views = _of_each(run, "how many features were measured")
    if isinstance(views, ItemAnswer):
        return views
    path = run.folder / files.FEATURES
    table = read_table(path, ["case_id"]) if path.is_file() else None
    import pyarrow.parquet as pq

    columns = pq.read_schema(path).names if table is not None else []
    answers = []
    for view in views:
        stored = sum(name.startswith(f"{view.view}.") for name in columns)
        proofs = (
            Proof(view.model.description, f"made_by.features.{view.view}", str(len(view.names))),
            Proof(files.FEATURES, f"columns of {view.view}", str(stored)),
        )
        if not view.names or stored != len(view.names):
            told = f"{len(view.names)} by the model, {stored} in {files.FEATURES}"
            answers.append(
                not_met(f"The features of {view.view!r} are not all there: {told}.", *proofs)
            )
        else:
            answers.append(met(f"{len(view.names)} features of the view {view.view!r}.", *proofs))
    return joined(answers)


def software(run: Evidence) -> ItemAnswer:
    """What measured the features, with its version, and the versions of all else."""
    versions = run.run.versions
    if not versions:
        return not_met(
            "The run records no versions of the software.",
            Proof(files.STUDY, "versions", "missing"),
        )
    told = listed([f"{name} {value}" for name, value in versions.items()])
    proofs = [Proof(files.STUDY, "versions", told)]
    named = [
        (label, value)
        for model in list(run.models.values())[:1]
        for label, value in (model.made_by.get("versions") or {}).items()
    ]
    proofs += [
        Proof(next(iter(run.models.values())).description, f"made_by.versions.{label}", str(value))
        for label, value in named
    ]
    if views_of(run) and not any(label.startswith(MEASURES) for label, _ in named):
        return not_met("The run does not record what measured the features.", *proofs)
    return met("Software is recorded with its versions.", *proofs)


def standardised(run: Evidence) -> ItemAnswer:
    """Whether features follow the definitions of the IBSI."""
    views = _of_each(run, "what measured its features")
    if isinstance(views, ItemAnswer):
        return views
    answers = []
    for view in views:
        versions = view.model.made_by.get("versions") or {}
        source = next((v for k, v in versions.items() if k == f"{MEASURES} {view.extractor!r}"), "")
        proof = Proof(
            view.model.description, f"{view.at}.extractor", f"{view.extractor} ({source})"
        )
        if view.extractor == IBSI and source:
            answers.append(
                met(
                    "Features by the Image Biomarker Standardisation Initiative's definitions.",
                    proof,
                )
            )
        elif view.extractor not in STANDARD:
            answers.append(
                authors(
                    f"Whether {view.extractor!r} follows the IBSI is for the authors to say.", proof
                )
            )
        elif not source:
            answers.append(
                not_met(f"The run does not record the version of {view.extractor!r}.", proof)
            )
        else:
            answers.append(
                met(
                    "PyRadiomics' features, whose definitions are those of the Image Biomarker "
                    "Standardisation Initiative with the differences that its documentation lists.",
                    proof,
                )
            )
    return joined(answers)


def preprocessing(run: Evidence) -> ItemAnswer:
    """What was done to images before anything was measured or learnt, view by view."""
    views = list((run.setting("views") or {}).items())
    models = list(run.models.values())[:1]
    recipes = models[0].made_by.get("recipes") or {} if models else {}
    missing = [name for name, _ in views if not recipes.get(name)]
    if not views or missing:
        what = f" of the view {missing[0]!r}" if missing else ""
        return not_met(f"The run does not record the image processing{what}.")
    proofs = [
        Proof(files.STUDY, f"views.{name}", _short(_options(view), 600)) for name, view in views
    ]
    proofs += [
        Proof(models[0].description, f"made_by.recipes.{name}", _short(_options(recipe), 600))
        for name, recipe in recipes.items()
    ]
    return met("How each view prepares an image is recorded with every option.", *proofs)


def appropriate_preprocessing(run: Evidence) -> ItemAnswer:
    """As `preprocessing`: recorded, and whether it is appropriate is no figure."""
    found = preprocessing(run)
    if found.status != "met":
        return found
    return partly(
        f"{found.text} Whether it is appropriate for these images is for the authors to argue.",
        *found.proofs,
    )


def _options(part: Any) -> Any:
    """A view's own options, without those of what it is made of, which other items show."""
    if not isinstance(part, Mapping):
        return part
    return {key: value for key, value in part.items() if key not in ("extractor", "encoder")}


def _short(value: Any, most: int = 300) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= most else f"{text[: most - 1]}…"
