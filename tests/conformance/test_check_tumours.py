"""The tumours that checks are made on, and what checks leave behind."""

import numpy as np
import pytest
import torch

from rdfc_core import testing
from rdfc_core.scaffold.templates.image_encoder import config as encoder_config
from rdfc_core.scaffold.templates.image_encoder import encoder as encoder_example
from rdfc_core.scaffold.templates.pretext import config as pretext_config
from rdfc_core.scaffold.templates.pretext import pretext as pretext_example


@pytest.mark.parametrize("ndim", [2, 3])
def test_generated_tumours_are_the_same_at_every_call_and_differ_from_each_other(ndim):
    one, other = testing.example_tumours(ndim, 4), testing.example_tumours(ndim, 2)
    for a, b in zip(one, other, strict=False):
        assert np.array_equal(a.image.array, b.image.array)
        assert np.array_equal(a.mask, b.mask)
    assert len({tumour.mask.sum() for tumour in one}) == 4
    assert all(tumour.mask.ndim == ndim for tumour in one)


Encoder = encoder_example.Example
Pretext = pretext_example.Example


def test_checking_leaves_the_number_of_threads_and_the_random_state_alone():
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    testing.check_image_encoder(Encoder(encoder_config.ExampleConfig()), channels=(1,))
    testing.check_pretext(Pretext(pretext_config.ExampleConfig()))
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
