"""Evaluators that break their contract: blamed by name on the first cases, before training."""

from __future__ import annotations

import pytest
import yaml

HERE = "--executor=local:workers=0"

HEAD = """
class Said:
    def __init__(self, classes): self.classes = classes

    def predict(self, cases): return np.full((len(cases), self.classes), 1 / self.classes)


class Plainly(Plain, Evaluator):
    inputs = ("features",)

    def fit(self, cases, labels, seed): return Said(labels.classes)


class Animal(Plainly):
"""


def saying(expression: str) -> str:
    """A fit whose predictor gives what the expression says."""
    return (
        "    def fit(self, cases, labels, seed):\n"
        "        C = labels.classes\n"
        "        said = Said(C)\n"
        f"        said.predict = lambda cases: {expression}\n"
        "        return said"
    )


EVALUATORS = {
    "failing": (
        "    def fit(self, cases, labels, seed): raise ValueError('at most 10 features')",
        "Animal.fit() raised ValueError: at most 10 features",
    ),
    "failing-to-predict": (saying("1 / 0"), "Animal's predict() raised ZeroDivisionError"),
    "learning-nothing": (
        "    def fit(self, cases, labels, seed): pass",
        "Animal.fit() gave NoneType; give an object with a method predict(cases)",
    ),
    "of-labels": (
        saying("np.zeros(len(cases), int)"),
        "gave int64 (24,) for 24 cases; give probabilities of all classes, (24, 2)",
    ),
    "of-scores": (saying("np.full((len(cases), C), 3.0)"), "have to be at least 0 and sum to 1"),
    "of-log-odds": (
        saying("np.tile([2.0, -1.0], (len(cases), 1))"),
        "have to be at least 0 and sum to 1",
    ),
    "of-nan": (saying("np.full((len(cases), C), np.nan)"), "gave NaN or infinite probabilities"),
    "in-batches": (
        saying("np.eye(C)[(np.arange(len(cases)) > 3).astype(int)]"),
        "says something else of a case when others are asked beside it",
    ),
    "gambling-evaluator": (
        "    def fit(self, cases, labels, seed):\n"
        "        said = Said(labels.classes)\n"
        "        share = np.random.default_rng().random()\n"
        "        said.predict = lambda cases: np.tile([share, 1 - share], (len(cases), 1))\n"
        "        return said",
        "said something else of the same cases for the same seed",
    ),
    "relabelling": (
        "    def fit(self, cases, labels, seed):\n"
        "        labels.truth[:] = 0\n        return Said(labels.classes)",
        "changed the cases or labels that it was given",
    ),
    "looking-nowhere": ("    inputs = 'features'", "Animal.inputs is 'features'; give a tuple"),
    "looking-at-labels": ("    inputs = ('labels',)", "give a tuple of features, embeddings,"),
    "of-another-role": ("    role = 'probe'", "role is 'probe'; use one of method, control"),
    "of-ranks": ("    tasks = ('ranking',)", "give a tuple of classification, regression"),
    "without-a-seed": (
        "    def fit(self, cases, labels): return Said(labels.classes)",
        "fit cannot be called as fit(cases, labels, seed)",
    ),
    "moving-house": (
        "    def fit(self, cases, labels, seed):\n"
        "        os.chdir('/')\n        return Said(labels.classes)",
        "Animal.fit() changed the working directory",
    ),
}


@pytest.mark.parametrize("name", EVALUATORS)
def test_an_evaluator_that_breaks_its_contract_is_told_before_training(
    animal, rdfc_here, blame, study_file, name, tmp_path
):
    body, reason = EVALUATORS[name]
    animal(name, kind="evaluator", parts=f"{HEAD}{body}")
    run = tmp_path / "run"
    done = rdfc_here("run", study_file, f"--set=evaluate.evaluators=[{name}]", "--out", run, HERE)
    blame(done, name, f"evaluator {name!r} of", "breaks its contract", reason)
    assert not (run / "checkpoints").exists()


def test_a_sound_one_of_others_is_judged_and_its_version_kept(
    animal, rdfc_here, study_file, tmp_path
):
    animal("plainly", kind="evaluator", parts=f"{HEAD}    role = 'control'")
    study = yaml.safe_load(study_file.read_text("utf-8"))
    study["evaluate"] |= {"evaluators": {"even": "plainly"}, "controls": []}
    study_file.write_text(yaml.safe_dump(study), "utf-8")
    run = tmp_path / "run"
    done = rdfc_here("run", study_file, "--out", run, HERE)
    assert done.code == 0, done.err
    assert "even" in done.out
    written = yaml.safe_load((run / "study.yaml").read_text("utf-8"))
    assert written["versions"]["zoo-plainly"] == "1.7"


def test_one_of_predicted_numbers_is_refused_where_classes_are_told_apart(
    animal, rdfc_here, study_file
):
    animal("measuring-on", kind="evaluator", parts=f"{HEAD}    tasks = ('regression',)")
    done = rdfc_here("run", study_file, "--set=evaluate.evaluators=[measuring-on]", HERE)
    done.refused("measuring-on learns regression, and the study is of classification. Leave it out")
