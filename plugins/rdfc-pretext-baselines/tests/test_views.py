"""Which view a task trains, and what it says if that is not clear."""

import pytest
import torch

from rdfc_core.errors import StudyError

NAMES = ("autoencoder", "jigsaw", "simclr")


@pytest.fixture
def study(tower, vector_tower):
    """Towers of views by their names: ``radiomics`` shows no picture, the others do."""
    return lambda *names: {
        name: vector_tower() if name == "radiomics" else tower(1, 24, 24) for name in names
    }


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("views", "options", "trained"),
    [
        (("radiomics", "image"), {}, "image"),
        (("picture",), {}, "picture"),
        (("crop", "image"), {}, "image"),
        (("crop", "image"), {"view": "crop"}, "crop"),
    ],
)
def test_one_image_view_is_trained_and_the_others_are_absent(
    name, views, options, trained, study, task_of
) -> None:
    towers = study(*views)
    task = task_of(name, towers=towers, **options)
    assert dict(task.encoders()) == {trained: towers[trained]}
    own = {id(p) for p in task.parameters()}
    for view, tower in towers.items():
        assert (view == trained) == all(id(p) in own for p in tower.parameters())
    features = {view: torch.zeros(2, tower.out_features) for view, tower in towers.items()}
    assert set(task.embed(features)) == ({trained} if name == "simclr" else set())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("views", "options", "sentence"),
    [
        ((), {}, "needs an image view, and the study has no view"),
        (("radiomics",), {}, "needs an image view, and the study has radiomics"),
        (("a", "b"), {}, "the study has several. Use one of: a, b"),
        (("radiomics", "a"), {"view": "c"}, "no view 'c'; the study has radiomics, a. Use one of"),
        (("radiomics", "a"), {"view": "radiomics"}, "'radiomics' shows no picture. Use one of: a"),
    ],
)
def test_a_choice_that_cannot_be_is_answered_with_those_that_can(
    name, views, options, sentence, study, task_of
) -> None:
    with pytest.raises(StudyError, match=f"^pretext.*{sentence}") as caught:
        task_of(name, towers=study(*views), **options)
    assert views or name in str(caught.value)


@pytest.mark.parametrize("name", ["autoencoder", "simclr"])
def test_volumes_are_learnt_from_as_volumes(name, task_of, batch, pictures_of) -> None:
    task = task_of(name, 1, 5, 24, 20)
    output = task(batch(pictures_of(4, 1, 5, 24, 20)))
    output.loss.backward()
    assert all(p.grad.any() for p in task.tower.parameters())


def test_jigsaw_refuses_volumes_and_pictures_without_room_for_tiles(task_of) -> None:
    with pytest.raises(StudyError, match=r"view image gives volumes of 5 × 24 × 20\. Use a 2D enc"):
        task_of("jigsaw", 1, 5, 24, 20)
    with pytest.raises(StudyError, match=r"view image are 24 × 11\. Give it a size of at least 12"):
        task_of("jigsaw", 1, 24, 11)
