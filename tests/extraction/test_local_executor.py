"""Jobs in processes of this machine: each has one outcome, whatever happens to its worker."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from pydantic import ValidationError

from rdfc_core.errors import DataError
from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
from rdfc_core.interfaces import Outcome, WorkerDiedError
from tests.support import jobs


def executor(workers: int | None) -> LocalExecutor:
    return LocalExecutor(LocalExecutorConfig(workers=workers))


def by_job(outcomes) -> dict[int, Outcome]:
    found = list(outcomes)
    assert sorted(one.job for one in found) == list(range(len(found)))  # each exactly once
    return {one.job: one for one in found}


@pytest.mark.parametrize("workers", [0, 1, 2, None])
def test_every_job_has_one_outcome(workers):
    found = by_job(executor(workers).run(jobs.double, range(7)))
    assert [found[job].value for job in range(7)] == [0, 2, 4, 6, 8, 10, 12]
    assert all(one.error is None for one in found.values())


@pytest.mark.parametrize("workers", [0, 2])
def test_no_jobs_give_no_outcome(workers):
    assert list(executor(workers).run(jobs.double, [])) == []


@pytest.mark.parametrize("workers", [0, 2])
def test_a_job_that_raises_costs_only_itself_and_keeps_its_error(workers):
    found = by_job(executor(workers).run(jobs.fail_on_odd, range(6)))
    assert [found[job].value for job in range(6)] == [0, None, 2, None, 4, None]
    assert isinstance(found[3].error, ValueError)
    assert str(found[3].error) == "3 is odd"


def test_a_worker_that_is_killed_costs_only_its_own_job():
    found = by_job(executor(2).run(jobs.die_on_odd, [0, 3, 2, 4, 5, 6]))
    assert [found[job].value for job in range(6)] == [0, None, 2, 4, None, 6]
    for job in (1, 4):
        assert isinstance(found[job].error, WorkerDiedError)
        assert "was killed twice" in str(found[job].error)
        assert "workers=1" in str(found[job].error)


def test_a_job_whose_worker_is_killed_once_is_done_at_the_second_try(tmp_path: Path):
    (tmp_path / "1").touch()  # this one is not killed
    found = by_job(executor(1).run(jobs.die_once, [(tmp_path, 1), (tmp_path, 2)]))
    assert [found[job].value for job in range(2)] == [1, 2]


def test_a_job_whose_time_is_up_is_given_up_at_the_first_try_and_costs_no_other():
    limited = LocalExecutor(LocalExecutorConfig(workers=2, timeout_seconds=3))
    started = time.monotonic()
    found = by_job(limited.run(jobs.sleep_on_odd, [0, 1, 2, 4]))
    assert [found[job].value for job in range(4)] == [0, None, 2, 4]
    assert isinstance(found[1].error, WorkerDiedError)
    assert "longer than 3 s" in str(found[1].error)
    assert "timeout_seconds" in str(found[1].error)
    assert time.monotonic() - started < 60  # it was not waited for


def test_a_job_that_needs_more_memory_than_is_granted_fails_alone():
    limited = LocalExecutor(LocalExecutorConfig(workers=1, memory_gib=2))
    found = by_job(limited.run(jobs.allocate, [0.1, 6, 0.1]))
    assert isinstance(found[1].error, MemoryError)
    assert found[0].value == found[2].value == int(0.1 * 2**30)


def test_workers_are_other_processes_with_one_thread_each_and_none_if_zero():
    found = by_job(executor(2).run(jobs.process_and_threads, range(4)))
    assert os.getpid() not in {one.value[0] for one in found.values()}
    assert {one.value[1] for one in found.values()} == {"1"}
    [alone] = executor(0).run(jobs.process_and_threads, [0])
    assert alone.value[0] == os.getpid()


def test_stopping_early_leaves_no_worker_behind(tmp_path: Path):
    outcomes = executor(2).run(jobs.process_and_threads, range(50))
    first = next(outcomes).value[0]
    outcomes.close()
    assert jobs.has_ended(first)


def test_negative_workers_are_refused():
    with pytest.raises(ValidationError):
        LocalExecutorConfig(workers=-1)


def test_workers_that_all_die_before_any_job_is_done_end_the_run_with_one_sentence():
    with pytest.raises(DataError, match=r"first 3 cases were all killed.*workers=0"):
        list(executor(2).run(jobs.die_on_odd, [1, 3, 5, 7, 9, 11, 13]))
