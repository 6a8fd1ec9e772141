"""Networks beside a study's own: other starts, other pretexts, shuffled correspondence."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rdfc_core import StudyError
from rdfc_core.pipeline import per_split
from rdfc_core.pipeline import run as studies
from rdfc_core.pipeline.compared_networks import built, compared_networks
from rdfc_core.report import write_report
from rdfc_core.results.schema import Results
from rdfc_core.training.convergence import Convergence
from rdfc_core.training.false_pairs import false_pairs
from tests.support import small_study
from tests.support.small_study import QUICK

STARTED = "views.image.encoder=started-cnn"
PUBLISHED = "evaluate.starts={published: {start: 0.05}}"
BESIDE = (
    *QUICK,
    "pretrain.epochs=2",
    STARTED,
    PUBLISHED,
    "evaluate.controls=all",
    "evaluate.classifiers=[logistic]",
    "evaluate.compare={plain: {name: simclr, width: 4}}",
    "evaluate.compared=finetune",
    "evaluate.methods=[hybrid-scratch,hybrid-finetune]",
    "evaluate.supervised.epochs=1",
    "evaluate.supervised.sweep=[all]",
    "evaluate.label_fractions=[0.5]",
    "evaluate.label_seeds=1",
    "evaluate.selection={enabled: true, folds: 2}",
)
ARMS = ["plain", "start-published", "rdfc-from-published", "shuffled-correspondence"]


@pytest.fixture(scope="module")
def run(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any]]:
    """A finished run with all of it, and the tasks that were trained."""
    folder, tasks = tmp_path_factory.mktemp("compared"), []
    with pytest.MonkeyPatch.context() as patch:
        train = per_split.pretrain.fit

        def watched(task: Any, place: Any, *rest: Any) -> Any:
            tasks.append((place.split, task))
            return train(task, place, *rest)

        patch.setattr(per_split.pretrain, "fit", watched)
        small_study.run_study(pictures, folder / "run", folder / "store.sqlite", BESIDE)
    return folder / "run", tasks


@pytest.fixture(scope="module")
def results(run: Any) -> Results:
    return Results.read(run[0] / "results.json")


def methods(results: Results, table: str) -> set[str]:
    return {row.method for row in results.rows if row.table == table}


def test_every_network_has_its_rows(results):
    assert methods(results, "linear") == {"rdfc", *ARMS[:3]}
    assert methods(results, "control") == {
        *("random-init", "radiomics", "shape-only", "no-shape", "size-only", "shuffled-labels"),
        "shuffled-correspondence",
    }
    finetuned = {f"{name}-finetune" for name in ARMS}
    own = {"hybrid-scratch", "hybrid-finetune", "selected", "radiomics-logistic"}
    own |= {"image-and-radiomics"} | finetuned
    assert methods(results, "supervised") == own
    assert methods(results, "label-efficiency") == own | {"rdfc", *ARMS}
    tuned = {(row.method, row.input) for row in results.rows if row.table == "supervised"}
    assert ("plain-finetune", "paper") in tuned
    assert ("plain-finetune", "all") not in tuned  # the sweep is the study's own network's


def test_the_control_s_probe_is_that_of_the_other_controls(results):
    rows = [row for row in results.rows if row.method == "shuffled-correspondence"]
    probes = {(r.input, r.layer, r.classifier) for r in rows if r.table == "control"}
    assert probes == {(v, "features", "logistic") for v in ("radiomics", "image", "greys", "all")}


def test_controls_stand_in_no_paired_test(results):
    names = {one.method_a for one in results.comparisons}
    names |= {one.method_b for one in results.comparisons}
    assert not any(name.startswith("shuffled-correspondence") for name in names)
    assert {"start-published", "rdfc-from-published", "start-published-finetune"} <= names


def test_what_is_trained_has_a_checkpoint_of_its_own(run):
    names = {path.name for path in (run[0] / "checkpoints").glob("holdout*")}
    trained = ("", ".plain", ".rdfc-from-published", ".shuffled-correspondence")
    assert names == {f"holdout{part}.safetensors" for part in trained}
    lines = (run[0] / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    epochs = Counter(json.loads(line)["split"] for line in lines)
    assert epochs == {f"holdout{part}": 2 for part in trained}


def test_the_model_for_the_user_is_chosen_among_the_study_s_own(run, results):
    ranked = {one.candidate for chosen in results.selections for one in chosen.ranking}
    assert ranked <= {"probe", "ensemble", "radiomics-logistic", "image-and-radiomics"} | {
        "hybrid-finetune"
    }
    kept = {p.parent.name for p in (run[0] / "trials").rglob("*.safetensors")}
    assert kept == {"holdout"}


def test_shuffled_correspondence_is_trained_on_the_same_cases_in_false_pairs(run):
    tasks = dict(run[1])
    own, false = tasks["holdout"], tasks["holdout.shuffled-correspondence"]
    shown = {name: rows.flatten(1) for name, rows in own.prepared.items()}
    seen = {}
    for name, rows in shown.items():
        other = false.prepared[name].flatten(1)
        same = (other[:, None] == rows[None]).all(-1)
        assert (same.sum(0) == 1).all()  # each case once: none of the test part among them
        seen[name] = same.int().argmax(1)
    places = torch.stack([seen[name] for name in shown])
    assert torch.equal(places[0], torch.arange(len(places[0])))
    for a in range(len(places)):
        for b in range(a):
            assert (places[a] != places[b]).all()


def test_shuffled_pairs_are_not_said_to_be_unconverged(results):
    assert set(results.run["convergence"]) == {
        *("holdout", "holdout.plain", "holdout.rdfc-from-published")
    }
    assert not any("shuffled" in warning for warning in results.warnings)


@pytest.mark.filterwarnings("error::UserWarning")  # of figures that names leave no room
def test_the_report_says_what_the_rows_are(run):
    page = write_report(run[0]).read_text(encoding="utf-8")
    for word in (*ARMS, "rdfc-from-published-finetune"):
        assert word in page


def test_a_start_is_judged_with_its_weights_and_the_study_s_scales(pictures, registry):
    study = small_study.resolved(pictures, *QUICK, STARTED, PUBLISHED)
    cases = study.dataset.build(registry).cases()
    from rdfc_core.data.readers.auto import AutoReader

    tumours = [case.load() for case in AutoReader.installed(registry).given_to(cases)[:6]]
    views = {name: part.build(registry) for name, part in study.views.items()}
    for view in views.values():
        view.fit([view.prepare(one) for one in tumours])
    made = built(study, views, 6, registry)
    assert list(made) == ["start-published", "rdfc-from-published"]
    for model in made.values():
        towers = model.pretext.encoders()
        weights = dict(towers["image"].named_parameters())["network.0.weight"]
        assert torch.equal(weights, torch.full_like(weights, 0.05))
        assert model.views["radiomics"] is views["radiomics"]
        for key, value in views["image"].state().items():
            np.testing.assert_array_equal(model.views["image"].state()[key], value)
    own = views["image"].tower()
    assert own.network[0].weight.std() > 0


def test_what_is_called_scratch_or_random_does_not_depend_on_the_start(pictures, tmp_path):
    quick = (
        *QUICK,
        "pretrain.epochs=1",
        "evaluate.controls=[random-init]",
        "evaluate.classifiers=[logistic]",
        "evaluate.methods=[resnet-scratch,hybrid-scratch,hybrid-finetune]",
        "evaluate.supervised.epochs=1",
    )
    rows = []
    for place, start in enumerate((None, 0.05)):
        begun = f"views.image.encoder={{name: started-cnn, start: {json.dumps(start)}}}"
        out = tmp_path / str(place)
        found = small_study.run_study(pictures, out, tmp_path / "store", (*quick, begun))
        rows.append({(r.method, r.input, r.layer, r.metric): r.mean for r in found.rows})
    for method in ("random-init", "resnet-scratch", "hybrid-scratch"):
        one, other = ({k: v for k, v in kept.items() if k[0] == method} for kept in rows)
        assert one == other
        assert one
    for method in ("rdfc", "hybrid-finetune"):
        assert any(rows[0][key] != rows[1][key] for key in rows[0] if key[0] == method)


def test_a_study_that_begins_at_the_start_is_not_pretrained_twice(pictures):
    begun = "views.image.encoder={name: started-cnn, start: 0.05}"
    study = small_study.resolved(pictures, begun, PUBLISHED)
    assert [(one.name, one.trained) for one in compared_networks(study)] == [
        ("start-published", False)
    ]
    random = "evaluate.starts={random: {start: null}}"
    found = compared_networks(small_study.resolved(pictures, begun, random))
    assert [one.name for one in found] == ["start-random", "rdfc-from-random"]


def test_a_resolved_study_with_starts_resolves_to_itself(pictures, registry):
    from rdfc_core.config.load import load_study
    from rdfc_core.config.resolve import resolve

    study = small_study.resolved(pictures, STARTED, PUBLISHED, "evaluate.controls=all")
    assert resolve(load_study(study.dump()), registry).dump() == study.dump()
    assert study.dump()["evaluate"]["starts"] == {"published": {"start": 0.05}}
    assert "shuffled-correspondence" in study.dump()["evaluate"]["controls"]


def test_shuffled_pairs_get_the_steps_that_the_own_pretext_took(pictures):
    study = small_study.resolved(
        pictures,
        "evaluate.controls=[shuffled-correspondence]",
        "pretrain.schedule=warmup-stable-decay",
        "pretrain.epochs=50",
        "pretrain.patience=2",
        "pretrain.check_steps=1",
    )
    own = Convergence(study.pretrain, epoch_steps=3)
    for epoch, loss in enumerate((5.0, 4.0, 3.0, 3.0, 3.0), start=1):
        own.look(epoch, loss)
        if own.turn(epoch):
            break
    assert own.decay_from == 5
    [network] = compared_networks(study)
    given = Convergence(network.settings(own), epoch_steps=3)
    assert given.epochs == own.epochs
    for epoch in range(1, given.epochs + 1):
        given.look(epoch, 9.0)  # nothing is learnt
        given.turn(epoch)
    assert (given.decay_from, given.epochs) == (own.decay_from, own.epochs)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["pretext=simclr", "evaluate.controls=all"], "simclr trains one view"),
        (["evaluate.starts={x: {wdth: 3}}"], r"evaluate\.starts\.x\.wdth: there is no such option"),
        (["evaluate.starts={'a b': {start: 1}}"], "call a start by letters"),
        (["evaluate.compared=finetune"], "what hybrid-finetune does, which is not among"),
        (["evaluate.compare={start-x: simclr}"], "'start-x' is taken"),
        (["evaluate.compare={shuffled-correspondence: simclr}"], "is taken"),
        (
            [
                "evaluate.compare=[autoencoder]",
                "evaluate.compared=finetune",
                "evaluate.methods=[hybrid-finetune]",
                "evaluate.supervised.head=embedding",
            ],
            "this pretext has no embeddings",
        ),
    ],
)
def test_what_cannot_be_judged_is_refused_before_training(
    pictures, run_context, tmp_path, overrides, message
):
    def run() -> None:
        study = small_study.resolved(pictures, *QUICK, *overrides)
        studies.run(study, tmp_path / "run", run_context)

    with pytest.raises(StudyError, match=message):
        run()
    assert not (tmp_path / "run").exists()


def test_a_start_without_an_image_encoder_is_refused(pictures, registry):
    from rdfc_core.config.load import load_study
    from rdfc_core.config.resolve import resolve

    study = {
        "dataset": f"manifest:root={pictures}",
        "views": {"radiomics": {"extractor": "outline"}, "greys": "greys"},
        "evaluate": {"starts": {"x": {"start": 1}}},
    }
    with pytest.raises(StudyError, match="no view of the study has an image encoder"):
        resolve(load_study(study), registry)


@pytest.mark.parametrize(
    ("sizes", "views"), [([1] * 9, 2), ([1] * 9, 3), ([4, 1, 3, 2, 2], 2), ([3, 3, 3, 1, 2], 3)]
)
def test_false_pairs_join_other_patients_where_there_is_room(sizes, views):
    case_ids = [f"c{i}" for i in range(sum(sizes))]
    owners = [f"p{k}" for k, size in enumerate(sizes) for _ in range(size)]
    patients = dict(zip(case_ids, owners, strict=True))
    names = [f"v{i}" for i in range(views)]
    found = false_pairs(case_ids, patients, names, seed=3)
    assert found["v0"] == tuple(case_ids)
    for name in names:
        assert sorted(found[name]) == sorted(case_ids)
    for a in range(views):
        for b in range(a):
            for one, other in zip(found[f"v{a}"], found[f"v{b}"], strict=True):
                assert patients[one] != patients[other]
    assert found == false_pairs(case_ids, patients, names, seed=3)
    assert found != false_pairs(case_ids, patients, names, seed=4)


def test_where_one_patient_has_most_cases_no_case_meets_itself_all_the_same():
    case_ids = [f"c{i}" for i in range(7)]
    patients = dict.fromkeys(case_ids, "p") | {"c6": "q"}
    found = false_pairs(case_ids, patients, ["a", "b", "c"], seed=0)
    for one, other in (("a", "b"), ("a", "c"), ("b", "c")):
        assert all(x != y for x, y in zip(found[one], found[other], strict=True))


def test_an_arm_is_the_study_but_for_one_thing(pictures):
    study = small_study.resolved(pictures, *BESIDE)
    for network in compared_networks(study):
        same = replace(network.study, pretext=study.pretext, views=study.views)
        assert same == study
