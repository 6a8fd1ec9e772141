from rdfc_core.testing import check_image_encoder, check_plugin

from rdfc_thirdparty_example.config import SlimCnnConfig
from rdfc_thirdparty_example.encoder import SlimCnn


def test_the_installed_distribution_is_a_sound_plugin():
    check_plugin("rdfc-thirdparty-example")


def test_the_encoder_keeps_its_promises():
    check_image_encoder(SlimCnn(SlimCnnConfig(width=8, blocks=2)), channels=(1, 3, 10))


def test_the_layer_groups_are_stem_and_stages():
    encoder = SlimCnn(SlimCnnConfig(width=4))
    groups = encoder.layer_groups(encoder.build(channels=2))
    assert list(groups) == ["stem", "stage1", "stage2", "stage3"]
