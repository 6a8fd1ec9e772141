from collections import OrderedDict
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from rdfc_core.errors import StudyError
from rdfc_encoder_timm.config import TimmConfig
from rdfc_encoder_timm.encoder import TimmEncoder


@pytest.fixture(scope="module")
def trained() -> torch.nn.Module:
    """A ResNet for three channels with a classifier, as one finds in published files."""
    torch.manual_seed(0)
    network = timm.create_model("test_resnet", num_classes=7)
    with torch.no_grad():  # statistics that differ from the initial ones
        network.train()(torch.rand(4, 3, 64, 64))
    return network.eval()


def features(network: torch.nn.Module, pictures: torch.Tensor) -> torch.Tensor:
    """What stands before the classifier."""
    with torch.no_grad():
        return network.forward_head(network.forward_features(pictures), pre_logits=True)


def encoder(path: Path, model: str = "test_resnet", **options) -> TimmEncoder:
    return TimmEncoder(TimmConfig(model=model, weights=path, **options))


def with_prefix(state):
    return OrderedDict((f"module.{name}", tensor) for name, tensor in state.items())


def save_plain(state, path):
    torch.save(state, path)
    return path


def save_checkpoint(state, path):
    torch.save({"epoch": 3, "state_dict": with_prefix(state)}, path)
    return path


def save_safetensors(state, path):
    path = path.with_suffix(".safetensors")
    save_file(state, path)
    return path


@pytest.mark.parametrize("save", [save_plain, save_checkpoint, save_safetensors])
def test_a_network_started_from_a_file_gives_the_features_of_the_saved_one(trained, tmp_path, save):
    path = save(trained.state_dict(), tmp_path / "weights.pth")
    network = encoder(path).build(channels=3).eval()
    pictures = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(network(pictures), features(trained, pictures))


def test_for_one_channel_the_first_layer_is_summed_over_colours(trained, tmp_path):
    path = save_safetensors(trained.state_dict(), tmp_path / "weights")
    network = encoder(path).build(channels=1).eval()
    grey = torch.rand(2, 1, 64, 64)
    with torch.no_grad():
        result = network(grey)
    torch.testing.assert_close(result, features(trained, grey.expand(-1, 3, -1, -1)))


def test_for_ten_channels_the_first_layer_repeats_colours_at_three_tenths(trained, tmp_path):
    path = save_safetensors(trained.state_dict(), tmp_path / "weights")
    first = encoder(path).build(channels=10).conv1[0].weight
    for channel in range(10):
        colour = trained.conv1[0].weight[:, channel % 3]
        torch.testing.assert_close(first[:, channel], colour * 3 / 10)


def test_weights_for_as_many_channels_as_the_view_has_are_taken_unchanged(tmp_path):
    saved = timm.create_model("test_resnet", num_classes=0, in_chans=10)
    path = save_plain(saved.state_dict(), tmp_path / "weights.pth")
    assert torch.equal(encoder(path).build(channels=10).conv1[0].weight, saved.conv1[0].weight)


def test_position_embeddings_are_fitted_to_another_picture_size(tmp_path):
    saved = timm.create_model("test_vit", img_size=64)
    path = save_safetensors(saved.state_dict(), tmp_path / "weights")
    network = encoder(path, model="test_vit", image_size=(32, 32)).build(channels=1)
    assert network.pos_embed.shape != saved.pos_embed.shape
    assert torch.equal(network.blocks[0].attn.qkv.weight, saved.blocks[0].attn.qkv.weight)


def test_weights_of_another_network_are_refused_with_the_first_keys_and_their_number(tmp_path):
    saved = timm.create_model("resnet18").state_dict()
    wanted = timm.create_model("resnet34", num_classes=0).state_dict()
    missing = [name for name in wanted if name not in saved and "num_batches" not in name]
    path = save_safetensors(saved, tmp_path / "weights")
    with pytest.raises(StudyError, match="do not fit timm's resnet34") as failure:
        encoder(path, model="resnet34").build(channels=3)
    assert f"{len(missing)} missing ({', '.join(missing[:3])}, …)" in str(failure.value)
    assert "unknown" not in str(failure.value)


def test_tensors_of_another_shape_are_refused_with_both_shapes(trained, tmp_path):
    state = {**trained.state_dict(), "bn1.bias": torch.zeros(5), "extra": torch.zeros(1)}
    path = save_safetensors(state, tmp_path / "weights")
    with pytest.raises(StudyError) as failure:
        encoder(path).build(channels=3)
    assert "1 unknown (extra)" in str(failure.value)
    shapes = "bn1.bias: (5,) in the file, (32,) in the network"
    assert f"1 of another shape ({shapes})" in str(failure.value)


class Touches:
    """Unpickled without care, this creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_file_that_would_run_code_is_refused_and_does_not_run_it(trained, tmp_path):
    proof = tmp_path / "the-code-ran"
    path = tmp_path / "weights.pth"
    torch.save({**trained.state_dict(), "trap": Touches(proof)}, path)
    with pytest.raises(StudyError, match="are refused, since reading them can run code"):
        encoder(path).build(channels=3)
    assert not proof.exists()
    torch.load(path, weights_only=False)  # the trap is real: this is how it would have sprung
    assert proof.exists()


def test_a_damaged_file_is_refused(trained, tmp_path):
    path = save_safetensors(trained.state_dict(), tmp_path / "weights")
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(StudyError, match=r"weights\.safetensors cannot be read"):
        encoder(path).build(channels=3)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(StudyError, match=r"gone\.pth are not a file"):
        encoder(tmp_path / "gone.pth").build(channels=3)


def test_a_file_without_a_state_dict_is_refused(tmp_path):
    path = save_plain([torch.zeros(2)], tmp_path / "weights.pth")
    with pytest.raises(StudyError, match="hold no state dict"):
        encoder(path).build(channels=3)


def test_network_for_a_saved_model_needs_neither_the_weights_file_nor_a_download(tmp_path):
    config = TimmConfig(model="resnet18", weights=tmp_path / "gone.safetensors")
    network = TimmEncoder(config).blank(1)
    assert network(torch.zeros(1, 1, 64, 64)).shape == (1, 512)
