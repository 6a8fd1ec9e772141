"""What is tried on a split: every method at every share of the labels, and where it is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rdfc_core.config.evaluate_settings import EvaluateSettings
from rdfc_core.results.vocabulary import (
    BLOCK_METHODS,
    CONTROL,
    FEATURES_AND_COLUMNS,
    HYBRID_FINETUNE,
    IMAGE_AND_RADIOMICS,
    LABEL_EFFICIENCY,
    LOGISTIC,
    METHODS,
    PROBE,
    REGRESSION,
    RIDGE,
    SELECTED,
    SUPERVISED,
)


@dataclass(frozen=True)
class Trial:
    """One training, and what it says of the test part.

    Args:
        method: One of `METHODS`, `PROBE` or `SELECTED` of `rdfc_core.results.vocabulary`.
        tuning: Name of the setting of fine-tuning, or of the penalty of a method on blocks
            (`EvaluateSettings.penalties`); "" for methods without.
        label_fraction: Share of the training labels.
        seed: Number of the repetition: it draws the labels and the weights.
    """

    method: str
    tuning: str = ""
    label_fraction: float = 1.0
    seed: int = 0

    @property
    def name(self) -> str:
        """For a file and for people: ``hybrid-finetune.paper.labels-0.05.seed-2``."""
        setting = [self.tuning] if self.tuning else []
        share = f"labels-{self.label_fraction:g}"
        return ".".join([self.method, *setting, share, f"seed-{self.seed}"])


def judged(trial: Trial, settings: EvaluateSettings) -> bool:
    """Whether it is the variant of its method that was named beforehand."""
    if trial.method in BLOCK_METHODS:
        return trial.tuning == next(iter(settings.penalties))
    return trial.tuning in ("", settings.supervised.finetune.name)


def depends_on_pretext(name: str) -> bool:
    """Whether a trial of this name stands on what the pretext learnt; an evaluator's may."""
    method = name.partition(".")[0]
    of_pretext = (HYBRID_FINETUNE, IMAGE_AND_RADIOMICS, FEATURES_AND_COLUMNS, PROBE)
    return method in of_pretext or method not in (*METHODS, SELECTED)


def planned(
    settings: EvaluateSettings,
    candidates: Sequence[str] = (),
    evaluators: Sequence[str] = (),
    controls: Sequence[str] = (),
) -> list[Trial]:
    """Every trial of a split, once, in the order of the tables.

    Args:
        settings: Name the methods and the shares of the labels.
        candidates: Methods that the user's model is chosen from, which stand in the tables, too.
        evaluators: Methods of plugins, which are tried like those of `settings`.
        controls: Controls of plugins, which get all labels.
    """
    own = [*settings.methods, *(c for c in candidates if c != PROBE)]
    methods = list(dict.fromkeys([*own, *evaluators]))
    repeats = settings.supervised.seeds
    found = [
        Trial(method, tuning, 1.0, seed)
        for method in methods
        for tuning in _tunings(method, settings, sweep=True)
        for seed in range(repeats if method in own else max(1, repeats))
    ]
    found += [Trial(name, "", 1.0, seed) for name in controls for seed in range(max(1, repeats))]
    found += [
        Trial(method, tuning, fraction, seed)
        for fraction in sorted(settings.label_fractions)
        for method in (*methods, PROBE)
        for tuning in _tunings(method, settings, sweep=False)
        for seed in range(settings.label_seeds)
    ]
    return list(dict.fromkeys(found))


def beside(settings: EvaluateSettings) -> list[Trial]:
    """Of a pretext that is compared: what begins from it, by the setting that is judged."""
    own = planned(settings)
    return [t for t in own if t.method in (HYBRID_FINETUNE, PROBE) and judged(t, settings)]


def selections(settings: EvaluateSettings) -> list[Trial]:
    """Every choice of a model: of all labels, whose first one is saved, and of each share."""
    if not settings.selection.enabled:
        return []
    found = [Trial(SELECTED, "", 1.0, seed) for seed in range(max(1, settings.supervised.seeds))]
    found += [
        Trial(SELECTED, "", fraction, seed)
        for fraction in sorted(settings.label_fractions)
        for seed in range(settings.label_seeds)
    ]
    return list(dict.fromkeys(found))


def candidate_trials(method: str, settings: EvaluateSettings, choice: Trial) -> list[Trial]:
    """The trials by which a candidate enters a choice: a penalty each, otherwise one."""
    return [
        Trial(method, tuning, choice.label_fraction, choice.seed)
        for tuning in _tunings(method, settings, sweep=False)
    ]


def tables(
    trial: Trial,
    settings: EvaluateSettings,
    evaluators: Sequence[str] = (),
    controls: Sequence[str] = (),
) -> Iterator[str]:
    """The tables in which a trial is told.

    Args:
        trial: One of `planned`.
        settings: As for `planned`.
        evaluators: As for `planned`.
        controls: As for `planned`.
    """
    every = trial.label_fraction == 1
    if trial.method in controls:
        yield CONTROL
        return
    # A study without repetitions keeps a model for its user all the same, and tells how good it is.
    repeats = max(settings.supervised.seeds, trial.method in (SELECTED, *evaluators))
    if trial.method != PROBE and every and trial.seed < repeats:
        yield SUPERVISED
    told = trial.method in BLOCK_METHODS or judged(trial, settings)
    drawn = trial.label_fraction in settings.label_fractions and trial.seed < settings.label_seeds
    if told and drawn:
        yield LABEL_EFFICIENCY


def on_blocks_name(tuning: str, settings: EvaluateSettings) -> str:
    """How tables call the classifier of a method on blocks: ``logistic-C0.01``."""
    return f"{RIDGE if settings.task == REGRESSION else LOGISTIC}-{tuning}"


def named_beforehand(settings: EvaluateSettings) -> str:
    """The classifier of a method on blocks that is judged: with the first penalty."""
    return on_blocks_name(next(iter(settings.penalties)), settings)


def _tunings(method: str, settings: EvaluateSettings, sweep: bool) -> list[str]:
    if method in BLOCK_METHODS:
        return list(settings.penalties)
    if method != HYBRID_FINETUNE:
        return [""]
    chosen = settings.supervised
    names = [chosen.finetune.name, *(one.name for one in chosen.sweep if sweep)]
    return list(dict.fromkeys(names))
