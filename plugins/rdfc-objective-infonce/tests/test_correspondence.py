import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from rdfc_core.errors import ShapeError, StudyError
from rdfc_core.interfaces import Memory
from rdfc_objective_infonce.config import CorrespondenceConfig, InfoNCEConfig
from rdfc_objective_infonce.infonce import InfoNCE

IN_BATCH = {"variant": "in-batch"}
INDICES = torch.tensor([5, 2, 11, 7, 0])


@pytest.fixture
def two(problem):
    return problem(20, ["radiomics", "image"])


@pytest.fixture
def three(problem):
    return problem(20, ["radiomics", "image", "report"])


def in_batch_loss(a: torch.Tensor, b: torch.Tensor, temperature: float = 0.07) -> float:
    logits = a.double().numpy() @ b.double().numpy().T / temperature
    rows = [
        math.log(sum(math.exp(x) for x in row)) - row[i]
        for matrix in (logits, logits.T)
        for i, row in enumerate(matrix)
    ]
    return 2 * sum(rows) / len(rows)


def test_embeddings_are_projected_towers_of_unit_length(two, pretext_of) -> None:
    pretext = pretext_of(two, IN_BATCH)
    output = pretext(two.batch(INDICES))
    generator = torch.Generator().manual_seed(1)
    for name in ("radiomics", "image"):
        drawn = two.views[name].augment(two.data[name][INDICES], generator)
        features = pretext.encoders()[name](drawn)
        expected = features @ pretext.projections[name].weight.T + pretext.projections[name].bias
        expected = expected / expected.norm(dim=1, keepdim=True)
        torch.testing.assert_close(output.embeddings[name], expected)
        torch.testing.assert_close(pretext.embed({name: features})[name], expected)
        assert not output.embeddings[name].requires_grad


def test_by_default_every_pair_of_views_is_a_term(three, pretext_of) -> None:
    pretext = pretext_of(three, IN_BATCH)
    found = pretext(three.batch(INDICES))
    x = found.embeddings
    terms = [("radiomics", "image"), ("radiomics", "report"), ("image", "report")]
    losses = {f"{a}-{b}.loss": in_batch_loss(x[a], x[b]) for a, b in terms}
    assert {k: v.item() for k, v in found.logs.items() if "loss" in k} == pytest.approx(
        losses, rel=1e-5
    )
    assert found.loss.item() == pytest.approx(sum(losses.values()), rel=1e-5)


def test_a_view_in_several_terms_is_encoded_once(three, pretext_of) -> None:
    pretext = pretext_of(three, IN_BATCH)
    pretext(three.batch(INDICES))
    assert {name: tower.calls for name, tower in pretext.encoders().items()} == {
        "radiomics": 1,
        "image": 1,
        "report": 1,
    }


def test_terms_are_weighted(three, pretext_of) -> None:
    terms = [["radiomics", "image"], ["report", "image"]]
    pretext = pretext_of(three, IN_BATCH, terms=terms, weights=[2.0, 0.5])
    output = pretext(three.batch(INDICES))
    x = output.embeddings
    expected = 2 * in_batch_loss(x["radiomics"], x["image"])
    expected += 0.5 * in_batch_loss(x["report"], x["image"])
    assert output.loss.item() == pytest.approx(expected, rel=1e-5)


def test_an_image_image_term_draws_the_image_a_second_time(two, pretext_of) -> None:
    terms = [["radiomics", "image"], ["image", "image"]]
    pretext = pretext_of(two, IN_BATCH, terms=terms)
    output = pretext(two.batch(INDICES))
    assert {name: tower.calls for name, tower in pretext.encoders().items()} == {
        "radiomics": 1,
        "image": 2,
    }
    generator = torch.Generator().manual_seed(1)
    draws = {}
    for name in ("radiomics", "image", "image again"):
        view = name.split()[0]
        drawn = two.views[view].augment(two.data[view][INDICES], generator)
        draws[name] = pretext.embed({view: pretext.encoders()[view](drawn)})[view].detach()
    assert not torch.equal(draws["image"], draws["image again"])
    torch.testing.assert_close(output.embeddings["image"], draws["image"])  # the first draw
    expected = in_batch_loss(draws["radiomics"], draws["image"])
    expected += in_batch_loss(draws["image"], draws["image again"])
    assert output.loss.item() == pytest.approx(expected, rel=1e-5)


def test_terms_share_one_memory_a_view(three, pretext_of) -> None:
    pretext = pretext_of(three, {"negatives": 6})
    output = pretext(three.batch(INDICES))
    generator = torch.Generator().manual_seed(1)
    for name in three.views:  # the draws come first
        three.views[name].augment(three.data[name][INDICES], generator)
    objective = InfoNCE(InfoNCEConfig(negatives=6))
    x, banks = output.embeddings, pretext.memories
    expected = 0.0
    for a, b in (("radiomics", "image"), ("radiomics", "report"), ("image", "report")):
        loss, _ = objective(x[a], x[b], Memory(INDICES, banks[a], banks[b], generator))
        expected += loss.item()
    assert output.loss.item() == pytest.approx(expected, rel=1e-5)


def test_the_memories_begin_with_what_the_generator_gives(two, pretext_of) -> None:
    first, second = (pretext_of(two) for _ in range(2))
    second.build(two.towers(), two.cases, torch.Generator().manual_seed(4))
    banks = [bank.bank for task in (first, second) for bank in task.memories.values()]
    assert len({float(bank[0, 0]) for bank in banks}) == 4
    assert torch.equal(banks[0], pretext_of(two).memories["radiomics"].bank)


@pytest.mark.parametrize("pairing", ["true", "fixed-shuffle", "reshuffled"])
def test_only_memories_depend_on_the_number_of_cases(problem, pretext_of, pairing) -> None:
    # A trained model is loaded without its cases: all but the memories must fit.
    shapes = []
    for cases in (2, 20):
        pretext = pretext_of(problem(cases, ["a", "b", "c"]), {"estimator": "nce"}, pairing=pairing)
        state = pretext.state_dict()
        shapes.append({k: v.shape for k, v in state.items() if not k.startswith("memories.")})
    assert shapes[0] == shapes[1]


def test_after_a_step_each_bank_has_moved_its_cases(two, pretext_of) -> None:
    pretext = pretext_of(two)
    before = {name: bank.bank.clone() for name, bank in pretext.memories.items()}
    output = pretext(two.batch(INDICES))
    for name, bank in pretext.memories.items():
        assert torch.equal(bank.bank, before[name])  # forward alone writes nothing
    pretext.after_step(INDICES, output.embeddings)
    pretext.end_epoch()
    for name, bank in pretext.memories.items():
        rows = (before[name][INDICES] + output.embeddings[name]) / 2
        expected = before[name].index_copy(0, INDICES, F.normalize(rows, dim=1))
        torch.testing.assert_close(bank.bank, expected)


def test_without_a_bank_no_memory_is_kept(two, pretext_of) -> None:
    pretext = pretext_of(two, IN_BATCH)
    pretext.after_step(INDICES, pretext(two.batch(INDICES)).embeddings)
    assert [bank.rows for bank in pretext.memories.values()] == [0, 0]


def test_all_randomness_comes_from_the_batch_s_generator(two, pretext_of) -> None:
    pretext = pretext_of(two)
    losses = []
    for seed, global_seed in ((1, 0), (1, 99), (2, 0)):
        torch.manual_seed(global_seed)
        batch = two.batch(INDICES, torch.Generator().manual_seed(seed))
        losses.append(pretext(batch).loss.item())
    assert losses[0] == losses[1] != losses[2]


@pytest.mark.parametrize("pairing", ["true", "fixed-shuffle"])
@pytest.mark.parametrize(
    "objective",
    [
        {"estimator": "infonce"},
        {"estimator": "nce"},
        {"negatives_per": "batch", "negatives": 10},
        {"negatives_per": "batch", "negatives": 10, "estimator": "nce"},
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_restored_task_goes_on_alike(two, pretext_of, objective, pairing, dtype) -> None:
    trained = pretext_of(two, objective, dtype=dtype, pairing=pairing)
    two.train(trained, epochs=1)
    restored = pretext_of(two, objective, dtype=dtype, pairing=pairing)
    restored.build(two.towers(seed=5), two.cases, torch.Generator().manual_seed(17))
    state = {key: value.clone() for key, value in trained.state_dict().items()}
    restored.load_state_dict(state)
    for pretext in (trained, restored):
        two.train(pretext, epochs=1)
    for key, value in trained.state_dict().items():
        assert torch.equal(restored.state_dict()[key], value), key


def test_each_term_keeps_its_own_normaliser(three, pretext_of) -> None:
    pretext = pretext_of(three, {"estimator": "nce"})
    pretext(three.batch(INDICES))
    constants = [objective.log_z for objective in pretext.objectives]
    assert all(constant.isfinite().all() for constant in constants)
    assert all(not torch.equal(x, y) for x, y in pairwise(constants))


def test_views_outside_every_term_are_not_trained(three, pretext_of) -> None:
    pretext = pretext_of(three, terms=[["image", "radiomics"]])
    assert set(pretext.encoders()) == {"radiomics", "image"}
    assert set(pretext.memories) == {"radiomics", "image"}
    assert not any("report" in name for name, _ in pretext.named_parameters())
    assert pretext.embed({"report": torch.ones(2, 32)}) == {}


@pytest.mark.parametrize("variant", ["stale-positive", "fresh-positive", "full-bank", "in-batch"])
def test_every_variant_sends_gradients_to_both_towers(two, pretext_of, variant) -> None:
    pretext = pretext_of(two, {"variant": variant})
    pretext(two.batch(INDICES)).loss.backward()
    for name, parameter in pretext.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_a_fixed_shuffle_reads_another_case_s_positive_at_every_step(two, pretext_of) -> None:
    pretext = pretext_of(two, {"variant": "full-bank"}, pairing="fixed-shuffle")
    output = pretext(two.batch(INDICES))
    seed = int(pretext.shuffle_seed)
    cycle = torch.randperm(20, generator=torch.Generator().manual_seed(seed)).tolist()
    after = {case: cycle[(place + 1) % 20] for place, case in enumerate(cycle)}
    before = {partner: case for case, partner in after.items()}
    expected = 0.0
    x = {name: rows.double().numpy() for name, rows in output.embeddings.items()}
    for anchor, other, partner in (("radiomics", "image", after), ("image", "radiomics", before)):
        bank = pretext.memories[other].bank.double().numpy()
        for row, case in enumerate(INDICES.tolist()):
            logits = bank @ x[anchor][row] / 0.07
            assert partner[case] != case
            expected += (np.log(np.exp(logits).sum()) - logits[partner[case]]) / len(INDICES)
    assert output.loss.item() == pytest.approx(expected, rel=1e-5)


def test_reshuffled_pairs_the_batch_s_cases_anew_at_every_step(two, pretext_of) -> None:
    pretext = pretext_of(two, IN_BATCH, pairing="reshuffled")
    plain = pretext_of(two, IN_BATCH)
    losses = set()
    for seed in range(3):
        output = pretext(two.batch(INDICES, torch.Generator().manual_seed(seed)))
        x = output.embeddings
        losses.add(round(output.loss.item() - in_batch_loss(x["radiomics"], x["image"]), 4))
        again = plain(two.batch(INDICES, torch.Generator().manual_seed(seed)))
        assert torch.equal(x["image"], again.embeddings["image"])  # the banks keep true cases
    assert 0 not in losses
    assert len(losses) == 3


def test_the_control_leaves_a_term_of_one_view_alone(two, pretext_of) -> None:
    terms = [["radiomics", "image"], ["image", "image"]]
    shuffled = pretext_of(two, IN_BATCH, terms=terms, pairing="reshuffled")
    # One case's two draws differ by noise only: they stay together.
    logs = shuffled(two.batch(INDICES)).logs
    assert logs["image-image.positive_similarity"] > 0.95


def test_a_fixed_shuffle_needs_an_objective_that_reads_the_positive_from_memory(
    two, pretext_of
) -> None:
    for variant in ("in-batch", "fresh-positive"):
        with pytest.raises(StudyError, match="reshuffled"):
            pretext_of(two, {"variant": variant}, pairing="fixed-shuffle")


def test_a_control_without_effect_is_refused(two, pretext_of) -> None:
    with pytest.raises(StudyError, match="two different views"):
        pretext_of(two, terms=[["image", "image"]], pairing="reshuffled")


def test_a_view_that_the_study_does_not_have_is_named(two, pretext_of) -> None:
    with pytest.raises(StudyError, match=r"no view 'ct'\. Use one of: radiomics, image"):
        pretext_of(two, terms=[["radiomics", "ct"]])


def test_one_view_alone_is_told_how_to_go_on(problem, pretext_of) -> None:
    with pytest.raises(StudyError, match=r"terms: \[\[image, image\]\]"):
        pretext_of(problem(20, ["image"]))
    pretext = pretext_of(problem(20, ["image"]), terms=[["image", "image"]])
    assert pretext(problem(20, ["image"]).batch(INDICES)).loss.isfinite()


@pytest.mark.parametrize("name", ["t1.post", "values"])
def test_a_view_that_torch_cannot_name_is_refused(problem, pretext_of, name) -> None:
    with pytest.raises(StudyError, match=name):
        pretext_of(problem(20, ["radiomics", name]))


def test_too_few_cases_are_refused_before_the_first_step(problem, pretext_of) -> None:
    with pytest.raises(StudyError, match="at least 2"):
        pretext_of(problem(1, ["radiomics", "image"]))
    with pytest.raises(StudyError, match="there is none"):
        pretext_of(problem(20, []))


def test_two_cases_cannot_be_shuffled_among_three_views(problem, pretext_of) -> None:
    scene = problem(2, ["a", "b", "c"])
    for pairing in ("fixed-shuffle", "reshuffled"):
        with pytest.raises(ShapeError, match="3 views from different cases"):
            pretext_of(scene, pairing=pairing)(scene.batch(torch.tensor([0, 1])))


def test_a_batch_too_small_to_shuffle_is_refused(two, pretext_of) -> None:
    pretext = pretext_of(two, pairing="reshuffled")
    with pytest.raises(ShapeError, match="batch size"):
        pretext(two.batch(torch.tensor([3, 3])))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"terms": [["a", "b"], ["b", "a"]]}, "stands twice"),
        ({"terms": [["a", "b"]], "weights": [1, 2]}, "2 weights for 1"),
        ({"weights": [1]}, "1 weights for 0"),
        ({"terms": [["a", "b"]], "weights": [0]}, "greater than 0"),
        ({"terms": []}, "at least 1"),
        ({"terms": [["a", "b", "c"]]}, "2 items"),
        ({"pairing": "shuffled"}, "fixed-shuffle"),
    ],
)
def test_terms_that_do_not_make_sense_are_refused(options, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        CorrespondenceConfig(**options)


def test_a_bare_yaml_true_means_true_pairs() -> None:
    assert CorrespondenceConfig(pairing=True).pairing == "true"


def primed(problem, pretext) -> None:
    """Every case is shown to the pretext once, in two batches."""
    for indices in torch.arange(problem.cases).split(12):
        pretext.prime(problem.batch(indices))


def test_memories_begin_with_what_the_fresh_towers_make_of_each_case(two, pretext_of) -> None:
    pretext = pretext_of(two, {"variant": "stale-positive"})
    primed(two, pretext)
    everyone = torch.arange(two.cases)
    for name, tower in pretext.encoders().items():
        expected = pretext.embed({name: tower(two.data[name])})[name]
        torch.testing.assert_close(pretext.memories[name].read(everyone), expected.detach())


def test_random_rows_stay_where_they_are_asked_for(two, pretext_of) -> None:
    pretext = pretext_of(two, {"variant": "stale-positive"}, memory_start="random")
    before = {name: memory.bank.clone() for name, memory in pretext.memories.items()}
    primed(two, pretext)
    for name, memory in pretext.memories.items():
        assert torch.equal(memory.bank, before[name])


def test_held_back_cases_are_told_apart_among_themselves(three, pretext_of) -> None:
    pretext = pretext_of(three, {"variant": "stale-positive"}).eval()
    indices = torch.arange(9)
    found = pretext.held_back_metrics(three.batch(indices))
    with torch.no_grad():
        x = pretext.embed({n: t(three.data[n][:9]) for n, t in pretext.encoders().items()})
    losses, names = [], list(x)
    for place, a in enumerate(names):
        for b in names[place + 1 :]:
            losses.append(in_batch_loss(x[a], x[b]) / 2)  # the mean of both directions
            cosines = (x[a] @ x[b].T).numpy()
            hits = [matrix[i].argmax() == i for matrix in (cosines, cosines.T) for i in range(9)]
            assert found[f"{a}-{b}.retrieval_top1"].item() == pytest.approx(np.mean(hits))
    assert found["loss"].item() == pytest.approx(np.mean(losses), rel=1e-5)


def test_a_perfect_correspondence_is_found_by_every_held_back_case(two, pretext_of) -> None:
    pretext = pretext_of(two, IN_BATCH)
    same = torch.randn(20, 8, generator=torch.Generator().manual_seed(3))
    pretext._project = lambda name, features: F.normalize(same[: len(features)], dim=1)
    found = pretext.held_back_metrics(two.batch(torch.arange(20)))
    assert found["radiomics-image.retrieval_top1"] == 1
