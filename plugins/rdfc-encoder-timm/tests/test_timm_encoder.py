import huggingface_hub.constants
import pytest
import timm
import torch

from rdfc_core.config.resolve import resolve_part
from rdfc_core.errors import ShapeError, StudyError
from rdfc_core.plugin.component import Part
from rdfc_core.plugin.registry import installed
from rdfc_core.testing import check_image_encoder, check_plugin
from rdfc_encoder_timm.config import TimmConfig
from rdfc_encoder_timm.encoder import TimmEncoder


def test_the_plugin_keeps_the_conventions():
    check_plugin("rdfc-encoder-timm")


@pytest.mark.parametrize("model", ["resnet18", "convnext_atto", "test_efficientnet"])
def test_a_convolutional_network_keeps_the_promises_of_an_encoder(model):
    check_image_encoder(TimmEncoder(TimmConfig(model=model)), channels=(1, 3, 10))


def test_a_vision_transformer_keeps_the_promises_of_an_encoder():
    config = TimmConfig(model="vit_tiny_patch16_224", image_size=(64, 48))
    check_image_encoder(TimmEncoder(config), channels=(1, 3, 10), size=(64, 48))


@pytest.mark.parametrize("model", ["resnet18", "test_efficientnet"])
def test_features_are_the_global_average_of_the_last_maps(model):
    network = TimmEncoder(TimmConfig(model=model)).build(channels=3).eval()
    pictures = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(
            network(pictures), network.forward_features(pictures).mean(dim=(2, 3))
        )


def test_a_study_builds_it_by_name_with_options():
    part = Part.model_validate("timm:model=resnet18,drop_path=0.1")
    encoder = resolve_part("image_encoder", part, installed(), "encoder").build(installed())
    drops = [m.drop_prob for m in encoder.build(2).modules() if type(m).__name__ == "DropPath"]
    assert max(drops) == pytest.approx(0.1)


def test_the_layer_groups_of_a_resnet_are_its_stages():
    encoder = TimmEncoder(TimmConfig(model="resnet18"))
    network = encoder.build(channels=1)
    groups = encoder.layer_groups(network)
    assert list(groups) == ["stem", "layer1", "layer2", "layer3", "layer4"]
    assert groups["stem"] == [network.conv1, network.bn1]
    assert groups["layer4"] == [network.layer4]


def test_the_layer_groups_of_a_transformer_hold_the_class_token_in_the_stem():
    encoder = TimmEncoder(TimmConfig(model="test_vit", image_size=(32, 32)))
    network = encoder.build(channels=1)
    groups = encoder.layer_groups(network)
    assert list(groups) == ["stem", *(f"blocks_{i}" for i in range(6))]
    stem = {id(p) for module in groups["stem"] for p in module.parameters()}
    assert {id(network.cls_token), id(network.pos_embed)} < stem


@pytest.mark.parametrize(
    ("model", "size"),
    [
        ("coat_tiny", (64, 64)),  # uses layers in several places
        ("rdnet_tiny", None),  # has no coarse order of its own
        ("swin_tiny_patch4_window7_224", (64, 64)),
        ("densenet121", None),
        ("pit_xs_224", (64, 64)),  # has parameters beside its layers
    ],
)
def test_every_parameter_is_in_exactly_one_layer_group(model, size):
    encoder = TimmEncoder(TimmConfig(model=model, image_size=size))
    network = encoder.build(channels=1)
    grouped = [
        id(parameter)
        for modules in encoder.layer_groups(network).values()
        for module in modules
        for parameter in module.parameters()
    ]
    assert sorted(grouped) == sorted(id(parameter) for parameter in network.parameters())


IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and deviation of ImageNet's training pictures, as torchvision's documentation has them."""


@pytest.mark.parametrize(("channels", "places"), [(1, None), (3, (0, 1, 2)), (5, (0, 1, 2, 0, 1))])
def test_published_means_and_deviations_follow_the_weights_to_any_number_of_channels(
    channels, places
):
    given = TimmEncoder(TimmConfig(model="resnet18", normalise="published")).normalisation(channels)
    for own, colours in zip(given, IMAGENET, strict=True):
        expected = [sum(colours) / 3] if places is None else [colours[place] for place in places]
        assert own == pytest.approx(expected)


def test_pictures_are_centred_by_default():
    assert TimmEncoder(TimmConfig(model="resnet18")).normalisation(2) == ((0.5, 0.5), (0.5, 0.5))


def test_a_network_without_published_numbers_is_refused_where_they_are_asked_for():
    encoder = TimmEncoder(TimmConfig(model="resnet18_half", normalise="published"))
    with pytest.raises(StudyError, match="no mean and deviation for resnet18_half"):
        encoder.normalisation(3)


def test_an_encoder_with_published_numbers_keeps_the_promises_of_an_encoder():
    check_image_encoder(TimmEncoder(TimmConfig(model="resnet10t", normalise="published")))


def test_an_unknown_model_is_answered_with_the_nearest_name():
    with pytest.raises(StudyError, match=r"no model 'resnet5O'\. Did you mean 'resnet50'\?"):
        TimmEncoder(TimmConfig(model="resnet5O")).build(channels=3)


def test_an_unknown_tag_is_answered_with_the_known_ones():
    with pytest.raises(StudyError, match=r"no weights tagged 'nope'\. Known: .*resnet18\.a1_in1k"):
        TimmEncoder(TimmConfig(model="resnet18.nope")).build(channels=3)


def test_an_argument_the_network_does_not_know_is_named():
    encoder = TimmEncoder(TimmConfig(model="resnet18", arguments={"window": 7}))
    with pytest.raises(StudyError, match=r"timm cannot build resnet18 .*'window'"):
        encoder.build(channels=3)


def test_a_size_for_a_network_that_takes_any_is_refused_by_the_options_own_name():
    encoder = TimmEncoder(TimmConfig(model="resnet18", image_size=(64, 64)))
    with pytest.raises(StudyError, match="img_size is the option image_size"):
        encoder.build(channels=3)


@pytest.mark.parametrize("name", ["in_chans", "num_classes", "checkpoint_path", "img_size"])
def test_an_option_that_belongs_to_rdfc_is_refused_with_its_reason(name):
    part = Part(name="timm", options={"arguments": {name: 1}})
    with pytest.raises(
        StudyError, match=rf"encoder\.arguments: {name} is .*take it out of arguments"
    ):
        resolve_part("image_encoder", part, installed(), "encoder")


def test_pretrained_and_weights_exclude_each_other():
    part = Part(name="timm", options={"pretrained": True, "weights": "a.safetensors"})
    with pytest.raises(StudyError, match="exclude each other"):
        resolve_part("image_encoder", part, installed(), "encoder")


def test_a_network_for_one_picture_size_asks_for_that_size():
    with pytest.raises(StudyError, match=r"Give image_size: .*published for \[224, 224\]"):
        TimmEncoder(TimmConfig(model="vit_tiny_patch16_224")).build(channels=3)


def test_pictures_of_another_size_are_refused_with_both_sizes():
    network = TimmEncoder(TimmConfig(model="test_vit", image_size=(32, 32))).build(channels=1)
    with pytest.raises(ShapeError, match=r"pictures of 32 × 32 and got 64 × 48"):
        network(torch.rand(1, 1, 64, 48))


def test_a_transformer_with_dynamic_size_takes_any_size():
    config = TimmConfig(model="test_vit", arguments={"dynamic_img_size": True})
    network = TimmEncoder(config).build(channels=1).eval()
    assert network(torch.rand(1, 1, 64, 48)).shape == network(torch.rand(1, 1, 32, 32)).shape


def test_without_a_network_pretrained_fails_with_one_sentence_that_names_weights(
    tmp_path, monkeypatch
):
    # What HF_HUB_OFFLINE=1 and HF_HUB_CACHE set; they are read when the hub is first imported.
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(StudyError) as failure:
        TimmEncoder(TimmConfig(model="resnet18", pretrained=True)).build(channels=1)
    message = str(failure.value)
    assert message.startswith("The published weights of timm's resnet18 could not be loaded")
    assert "weights: FILE instead of pretrained: true" in message
    assert "\n" not in message


def test_pretrained_with_a_wrong_argument_blames_the_argument():
    config = TimmConfig(model="resnet18", pretrained=True, arguments={"window": 7})
    with pytest.raises(StudyError, match=r"timm cannot build resnet18 .*'window'"):
        TimmEncoder(config).build(channels=3)


def test_pretrained_of_a_network_of_half_the_width_names_the_full_one():
    with pytest.raises(StudyError, match=r"^There are no published .* Use resnet18, or leave out"):
        TimmEncoder(TimmConfig(model="resnet18_half", pretrained=True)).build(channels=3)


def test_pretrained_of_a_network_without_published_weights_says_so():
    name = next(
        name
        for name in timm.list_models("resnet*")
        if not name.endswith("_half") and not timm.list_models(f"{name}.*", pretrained=True)
    )
    with pytest.raises(StudyError, match="No pretrained weights exist"):
        TimmEncoder(TimmConfig(model=name, pretrained=True)).build(channels=3)


@pytest.mark.parametrize("name", ["resnet10_half", "resnet18_half", "resnet34_half"])
def test_a_network_of_half_width_has_half_the_features_and_a_quarter_of_the_weights(name):
    half = TimmEncoder(TimmConfig(model=name)).build(1)
    assert half(torch.rand(2, 1, 64, 64)).shape == (2, 256)
    blocks = [m for m in half.modules() if isinstance(m, timm.models.resnet.BasicBlock)]
    assert 2 * len(blocks) + 2 == int(name.removeprefix("resnet").removesuffix("_half"))
    if timm.is_model(name.removesuffix("_half")):
        whole = TimmEncoder(TimmConfig(model=name.removesuffix("_half"))).build(1)
        counts = [sum(p.numel() for p in net.parameters()) for net in (half, whole)]
        assert counts[0] / counts[1] == pytest.approx(0.25, abs=0.01)


def test_half_width_has_no_published_weights_and_says_what_has():
    with pytest.raises(StudyError, match=r"no published weights of resnet18_half.*Use resnet18,"):
        TimmEncoder(TimmConfig(model="resnet18_half", pretrained=True)).build(1)
