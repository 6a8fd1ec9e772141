"""Threads of the processor: shared by networks, and a warning where others need the cores."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest
import torch

from rdfc_core.training import threads
from rdfc_core.training.threads import computing_with, threads_each, usable_threads, warn_if_busy


@pytest.fixture
def eight(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine of eight cores, all of which torch computes with."""
    monkeypatch.setattr(threads, "usable_cores", lambda: 8)
    with computing_with(8):
        yield


@pytest.mark.parametrize(("networks", "each"), [(0, 8), (1, 8), (4, 8), (7, 8), (8, 1), (26, 1)])
@pytest.mark.usefixtures("eight")
def test_a_few_networks_have_all_threads_and_many_share_them(networks, each):
    assert threads_each(networks) == each


@pytest.mark.usefixtures("eight")
def test_a_user_s_number_of_threads_is_the_most():
    with computing_with(3):
        assert usable_threads() == 3


def test_the_number_of_threads_is_as_before_afterwards():
    def fail() -> None:
        with computing_with(before + 1):
            assert torch.get_num_threads() == before + 1
            raise ZeroDivisionError

    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError):
        fail()
    assert torch.get_num_threads() == before


@pytest.mark.skipif(not hasattr(os, "getloadavg"), reason="this system tells no load")
@pytest.mark.parametrize(("load", "own", "warned"), [(9, 8, True), (8, 8, False), (30, 1, False)])
@pytest.mark.usefixtures("eight")
def test_several_threads_on_busy_cores_are_warned_of(load, own, warned, monkeypatch, caplog):
    monkeypatch.setattr(os, "getloadavg", lambda: (float(load), 0.0, 0.0))
    with caplog.at_level(logging.WARNING, "rdfc"), computing_with(own):
        warn_if_busy()
    assert ("OMP_NUM_THREADS=1" in caplog.text) is (warned and not torch.cuda.is_available())
