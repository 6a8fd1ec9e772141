"""Every warning that a run gives stands in its results, whoever gave it."""

from __future__ import annotations

import json
import logging
import shutil

import pytest

from rdfc_core.evaluation.sample_size import LEAST
from rdfc_core.pipeline import run as studies
from rdfc_core.utils.warning_capture import captured_warnings
from tests.support import small_study
from tests.support.command import HERE
from tests.support.small_study import QUICK

SHORT = (*QUICK, "evaluate.controls=[]", "evaluate.classifiers=[logistic]")


def sets(*overrides: str) -> tuple[str, ...]:
    return tuple(part for one in overrides for part in ("--set", one))


def test_results_hold_what_is_warned_of_before_during_and_after_training(
    pictures, run_context, tmp_path, caplog
):
    study = small_study.resolved(pictures, *SHORT)
    results = studies.run(study, tmp_path / "run", run_context, told=["A plugin is broken."])
    logged = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert list(results.warnings) == ["A plugin is broken.", *dict.fromkeys(logged)]
    assert "Too few cases are held back" in " ".join(results.warnings)


def test_a_plugins_own_warning_stands_there_too(pictures, run_context, tmp_path, monkeypatch):
    """That of a training under way, which no list of the core's would hold."""
    logger = logging.getLogger("rdfc")
    told = "View image: all embeddings are alike."
    learn = studies._Run._learn

    def warned(self, *arguments):
        logger.warning("%s", told)
        learn(self, *arguments)

    monkeypatch.setattr(studies._Run, "_learn", warned)
    results = studies.run(
        small_study.resolved(pictures, *SHORT), tmp_path / "run", run_context, until="pretrain"
    )
    assert results.warnings.count(told) == 1


def test_json_holds_the_sentence_on_too_few_cases_and_so_does_a_second_call(study_file, rdfc_here):
    command = ("run", study_file, *sets(*SHORT), "--out", "run", "--json", *HERE)
    for repetition in ("first", "second"):
        done = rdfc_here(*command)
        assert done.code == 0, (repetition, done.err)
        warnings = json.loads(done.out)["warnings"]
        assert [one for one in warnings if one.startswith("Too few cases are held back")]
        said = " ".join(done.err.split())
        assert all(" ".join(one.split()) in said for one in warnings)
        assert f"at least {LEAST} cases" in said


def test_each_is_kept_once_and_only_while_listening():
    logger = logging.getLogger("rdfc")
    with captured_warnings() as heard:
        for _ in range(2):
            logger.warning("%d of %d", 1, 2)
        logger.info("not this")
        logging.getLogger("rdfc.plugin").error("this")
    logger.warning("nor this")
    assert heard == ["1 of 2", "this"]


@pytest.mark.parametrize("until", ["extract", "pretrain"])
def test_failed_cases_are_warned_of_in_the_terminal_and_the_results(
    pictures, run_context, tmp_path, caplog, until
):
    folder = shutil.copytree(pictures, tmp_path / "own")
    (folder / "masks" / "case-001.png").unlink()
    study = small_study.resolved(folder, *SHORT)
    results = studies.run(study, tmp_path / "run", run_context, until=until)
    assert "1 case could not be used and was left out." in results.warnings
    assert "1 case could not be used and was left out." in caplog.messages
