"""The command line on a full disk: one sentence, and no half of a file."""

from __future__ import annotations

import pytest

from tests.support.command import HERE


@pytest.mark.parametrize("what", ["--out", "--store"])
def test_a_full_disk_is_one_sentence_and_after_some_space_the_same_command_goes_on(
    rdfc_here, study_file, small_disk, what
):
    disk = small_disk("40k")
    command = ("extract", study_file, "--out", "run", *HERE, what, disk / "x")
    done = rdfc_here(*command)
    assert done.code == 2
    assert "Traceback" not in done.err
    last = done.err.splitlines()[-1]
    full = {"--out": "The disk is full", "--store": f"The store {disk / 'x'} cannot be used"}
    assert last.startswith(full[what])
    assert "is kept" in last
    small_disk("9m")
    assert rdfc_here(*command).code == 0


@pytest.mark.parametrize("command", ["predict", "embed"])
def test_what_a_full_disk_cuts_short_is_removed_and_what_was_there_stays(
    rdfc_here, finished, pictures, small_disk, command
):
    disk = small_disk("12k")  # two pages of 4 KiB, beside the folder's own
    (disk / "filled").write_bytes(bytes(8192))
    (disk / "said.parquet").write_text("before", encoding="utf-8")
    arguments = (command, finished, "--manifest", pictures, "--out", disk / "said.parquet", *HERE)
    done = rdfc_here(*arguments, "--overwrite")
    assert done.code == 2
    assert done.err.splitlines()[-1].startswith("The disk is full")
    assert sorted(file.name for file in disk.iterdir()) == ["filled", "said.parquet"]
    assert (disk / "said.parquet").read_text(encoding="utf-8") == "before"
    small_disk("1m")
    assert rdfc_here(*arguments, "--overwrite").code == 0
    assert (disk / "said.parquet").stat().st_size > 1000


def test_a_disk_that_fills_in_pretraining_leaves_the_last_good_checkpoint_to_go_on_from(
    rdfc_here, study_file, small_disk
):
    disk = small_disk("672k")  # holds two checkpoints of 57 KiB beside the rest, and not three
    command = ("pretrain", study_file, "--out", disk / "run", "--set", "pretrain.epochs=5", *HERE)
    done = rdfc_here(*command)
    assert done.code == 2
    assert "Traceback" not in done.err
    said = done.err.replace("\n", " ")
    assert "holdout.safetensors could not be written" in said
    assert "free some space and run the same command again" in said
    small_disk("3m")
    done = rdfc_here(*command)
    assert done.code == 0, done.err
    assert "Continuing after epoch 2" in done.err
