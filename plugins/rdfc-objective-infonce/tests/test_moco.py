"""MoCo: its loss by hand, its teacher by the formula, and that views find each other."""

import math
from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rdfc_core.config.resolve import resolve_part
from rdfc_core.errors import ShapeError, StudyError
from rdfc_core.plugin.component import Part
from rdfc_core.plugin.registry import installed
from rdfc_core.testing import check_pretext
from rdfc_objective_infonce.config import FifoQueueConfig, MoCoConfig
from rdfc_objective_infonce.fifo_queue import FifoQueue
from rdfc_objective_infonce.moco import MoCo, momentum_contrast
from rdfc_objective_infonce.teacher import Teacher, settling


def moco_of(problem, size: int = 4096, **options) -> MoCo:
    torch.manual_seed(0)
    queue = FifoQueue(FifoQueueConfig(size=size))
    pretext = MoCo(MoCoConfig(width=16, **options), queue=queue)
    pretext.build(problem.towers(), problem.cases, torch.Generator().manual_seed(3))
    return pretext


def numbers(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in module.named_parameters()}


def step(pretext: MoCo, batch, learning_rate: float = 0.1) -> None:
    trained = [one for one in pretext.parameters() if one.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=learning_rate)
    output = pretext(batch)
    optimizer.zero_grad()
    output.loss.backward()
    optimizer.step()
    pretext.after_step(batch.indices, output.embeddings)


@pytest.mark.parametrize(
    "terms", [None, [["image", "image"]], [["radiomics", "image"], ["image", "image"]]], ids=str
)
def test_the_task_keeps_the_promises_of_its_kind(terms) -> None:
    part = Part(name="moco", options={"terms": terms})
    check_pretext(resolve_part("pretext", part, installed(), "pretext").build(installed()))


@pytest.mark.parametrize("cases", [[0, 1, 2], [5, 7, 5]], ids=["distinct", "doubled"])
def test_the_loss_is_that_of_each_query_against_all_keys_of_other_cases(units, cases) -> None:
    queries, keys, older = units(3, 4, 0), units(3, 4, 1), units(4, 4, 2)
    queue = FifoQueue(FifoQueueConfig(size=6))
    queue.allocate(10, 4)
    held = [1, 8, 7, 9]  # of some of the batch's own cases, too
    queue.push(torch.tensor(held), older)
    loss, logs = momentum_contrast(queries, keys, queue, torch.tensor(cases), 0.2)
    by_hand, nearest = [], []
    for row, case in enumerate(cases):
        right = float(queries[row] @ keys[row])
        wrong = [float(queries[row] @ keys[o]) for o in range(3) if cases[o] != case]
        wrong += [
            float(queries[row] @ key)
            for key, whose in zip(older, held, strict=True)
            if whose != case
        ]
        total = sum(math.exp(s / 0.2) for s in [right, *wrong])
        by_hand.append(-math.log(math.exp(right / 0.2) / total))
        nearest.append(right > max(wrong))
    assert loss.item() == pytest.approx(sum(by_hand) / 3, rel=1e-5)
    assert logs["top1"].item() == pytest.approx(sum(nearest) / 3)


def test_it_is_the_pseudo_code_of_the_source_where_queue_and_batch_share_no_case(units) -> None:
    """Alg. 1 of He et al. 2020, with the batch's other keys beside the queue."""
    queries, keys, older = units(5, 8, 0), units(5, 8, 1), units(20, 8, 2)
    queue = FifoQueue(FifoQueueConfig(size=20))
    queue.allocate(100, 8)
    queue.push(torch.arange(50, 70), older)
    others = torch.stack([torch.cat([keys[:i], keys[i + 1 :]]) for i in range(5)])
    l_pos = torch.einsum("nc,nc->n", queries, keys).unsqueeze(1)
    l_neg = torch.cat([torch.einsum("nc,nkc->nk", queries, others), queries @ older.T], dim=1)
    logits = torch.cat([l_pos, l_neg], dim=1) / 0.07
    expected = F.cross_entropy(logits, torch.zeros(5, dtype=torch.long))
    loss, _ = momentum_contrast(queries, keys, queue, torch.arange(5), 0.07)
    torch.testing.assert_close(loss, expected)


def test_an_older_key_of_the_own_case_changes_nothing(units) -> None:
    queries, keys = units(2, 4, 0).requires_grad_(), units(2, 4, 1)
    gradients = []
    for seed in (3, 4):
        queue = FifoQueue(FifoQueueConfig(size=3))
        queue.allocate(10, 4)
        queue.push(torch.tensor([6, 6]), units(2, 4, seed))
        loss, _ = momentum_contrast(queries, keys, queue, torch.tensor([6, 6 + seed]), 0.1)
        gradients.append(torch.autograd.grad(loss, queries)[0][0])
    torch.testing.assert_close(*gradients)


def test_one_row_alone_is_refused(units) -> None:
    queue = FifoQueue(FifoQueueConfig())
    queue.allocate(10, 4)
    with pytest.raises(ShapeError, match="The batch holds one row"):
        momentum_contrast(units(1, 4, 0), units(1, 4, 1), queue, torch.tensor([0]), 0.1)


def test_the_teacher_is_the_mean_of_itself_and_the_student_and_never_trained(problem) -> None:
    scene = problem(12, ["radiomics", "image"])
    pretext = moco_of(scene, momentum=0.9)
    teacher, tower = pretext.teachers["image"], pretext.towers["image"]
    before = numbers(teacher.tower)
    step(pretext, scene.batch(torch.arange(8)))
    for name, student in numbers(tower).items():
        expected = 0.9 * before[name] + 0.1 * student
        torch.testing.assert_close(numbers(teacher.tower)[name], expected)
        assert not torch.equal(student, before[name])
    assert not any(one.requires_grad or one.grad is not None for one in teacher.parameters())
    saved = pretext.state_dict()
    assert {f"teachers.image.tower.{name}" for name in before} <= set(saved)


def test_a_teacher_normalises_by_the_mean_of_its_student_s_statistics() -> None:
    tower = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
    teacher = Teacher(tower, nn.Identity()).train()
    rows = torch.randn(16, 3, generator=torch.Generator().manual_seed(0))
    tower.train()(rows)
    old = teacher.tower[1].running_mean.clone()
    teacher.follow(tower, nn.Identity(), 0.75)
    expected = 0.75 * old + 0.25 * tower[1].running_mean
    torch.testing.assert_close(teacher.tower[1].running_mean, expected)
    assert int(teacher.tower[1].num_batches_tracked) == 1
    # A case's key depends on no other case of the batch, and on no dropout.
    torch.testing.assert_close(teacher.tower(rows)[:1], teacher.tower(rows[:1]))


def test_statistics_begin_with_the_plain_mean_over_all_batches() -> None:
    layer = nn.BatchNorm1d(3)
    layer.running_mean.fill_(9.0)  # whatever weights were loaded bring along
    layer.num_batches_tracked.fill_(1000)
    batches = torch.randn(4, 8, 3, generator=torch.Generator().manual_seed(0)) * 2 + 5
    for place, rows in enumerate(batches):
        with settling(layer.train(), afresh=place == 0):
            layer(rows)
    torch.testing.assert_close(layer.running_mean, batches.mean(dim=(0, 1)))
    torch.testing.assert_close(layer.running_var, batches.var(dim=1).mean(dim=0))
    assert layer.momentum == 0.1


def test_the_keys_of_a_step_are_in_the_queue_of_the_next(problem) -> None:
    scene = problem(12, ["radiomics", "image"])
    pretext = moco_of(scene, size=6)
    batch = scene.batch(torch.tensor([3, 9, 1, 4]))
    output = pretext(batch)
    assert set(output.embeddings) == {"radiomics", "image"}
    pretext.after_step(batch.indices, output.embeddings)
    for name, keys in output.embeddings.items():
        cases, rows = pretext.queues[name].read()
        assert cases[cases >= 0].tolist() == [3, 9, 1, 4]
        assert torch.equal(rows[cases >= 0], keys)
        torch.testing.assert_close(keys.norm(dim=1), torch.ones(4))


def test_before_the_first_step_every_case_has_a_key_by_its_fresh_tower(problem) -> None:
    scene = problem(10, ["radiomics", "image"])
    pretext = moco_of(scene)
    for part in torch.arange(10).split(4):
        pretext.prime(scene.batch(part))
    expected = scene.embeddings(pretext)
    for name, queue in pretext.queues.items():
        cases, rows = queue.read()
        assert cases.tolist() == list(range(10))
        torch.testing.assert_close(rows, expected[name])


@pytest.mark.parametrize(
    ("names", "options"),
    [
        (["radiomics", "image"], {}),
        (["image"], {}),
        (["a", "b", "c"], {"terms": [["a", "b"], ["c", "c"]], "weights": [1.0, 0.5]}),
    ],
    ids=["two views", "one view", "three views"],
)
def test_cases_are_told_apart_after_training(problem, names, options) -> None:
    scene = problem(64, names)
    pretext = moco_of(scene, size=32, momentum=0.9, **options)
    everyone = scene.batch(torch.arange(64))
    with torch.no_grad():
        before = pretext.held_back_metrics(everyone)["loss"]
    scene.train(pretext, 40)
    with torch.no_grad():
        after = pretext.held_back_metrics(everyone)
    assert after["loss"] < 0.5 * before
    found = [float(value) for name, value in after.items() if name.endswith("top1")]
    assert len(found) == len(pretext.terms)
    assert min(found) > 0.5 > 1 / 64


def test_a_study_of_one_view_contrasts_it_with_itself(problem) -> None:
    assert moco_of(problem(8, ["image"])).terms == (("image", "image"),)
    assert moco_of(problem(8, ["radiomics", "image"])).terms == (("radiomics", "image"),)
    with pytest.raises(StudyError, match="moco tells a case from others, and there is 1"):
        moco_of(problem(1, ["image"]))


def test_a_copy_with_the_same_state_goes_on_alike(problem) -> None:
    scene = problem(12, ["radiomics", "image"])
    pretext = moco_of(scene, size=6, momentum=0.5)
    for seed in range(3):
        step(pretext, scene.batch(torch.arange(seed, seed + 5)))
    other = moco_of(scene, size=6, momentum=0.5)
    other.load_state_dict(deepcopy(pretext.state_dict()))
    for one in (pretext, other):
        step(one, scene.batch(torch.arange(7)))
    for key, value in pretext.state_dict().items():
        assert torch.equal(value, other.state_dict()[key]), key
