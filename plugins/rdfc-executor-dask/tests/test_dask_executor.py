"""Jobs on a real Dask cluster: a scheduler and two worker processes of this machine."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import dask
import pytest
from distributed import Client, LocalCluster, Security

from rdfc_core import DataError, StudyError
from rdfc_core.api.context import executor_part
from rdfc_core.case import Case
from rdfc_core.interfaces import WorkerDiedError
from rdfc_core.testing import check_executor, check_plugin
from rdfc_executor_dask.config import DaskConfig
from rdfc_executor_dask.executor import DaskExecutor
from rdfc_executor_dask.pending_jobs import PendingJobs

HERE = Path(__file__).parent
sys.path.append(str(HERE))
import dask_jobs  # noqa: E402  (workers import it by this name)

PATIENT = 900
"""Seconds for workers to come and to load rdfc: a machine may have more to do than these tests."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    path = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
    # A LocalCluster drops a worker for good whose process is not back 15 seconds after it died.
    patient = {
        "distributed.deploy.lost-worker-timeout": f"{PATIENT}s",
        "distributed.scheduler.worker-ttl": f"{PATIENT}s",
    }
    with (
        dask.config.set(patient),
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=None,
            env={"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        ) as running,
    ):
        running.scheduler.allowed_failures = 1  # tried once more, and no oftener
        yield running


@pytest.fixture
def executor(cluster: LocalCluster) -> DaskExecutor:
    return DaskExecutor(DaskConfig(address=cluster.scheduler_address, wait_seconds=PATIENT))


def test_the_plugin_is_sound() -> None:
    check_plugin("rdfc-executor-dask")


def test_it_keeps_what_an_executor_promises(executor: DaskExecutor) -> None:
    check_executor(executor)


def test_two_workers_share_the_jobs(executor: DaskExecutor) -> None:
    outcomes = list(executor.run(dask_jobs.double_slowly, range(8)))
    assert sorted((one.job, one.value) for one in outcomes) == [(n, 2 * n) for n in range(8)]
    processes = {one.value for one in executor.run(dask_jobs.where, range(8))}
    assert len(processes) == 2
    assert os.getpid() not in processes


def test_a_worker_that_is_killed_is_named_and_costs_no_job_but_its_own_which_is_tried_again(
    executor: DaskExecutor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = [(tmp_path, number) for number in range(6)]
    found = {one.job: one.value for one in executor.run(dask_jobs.die_once, jobs)}
    assert "The Dask worker tcp://" in caplog.text
    assert found == {number: number for number in range(6)}
    tries = {number: (tmp_path / f"{number}").read_text().splitlines() for number in range(6)}
    assert len(tries[3]) == 2
    assert tries[3][0] != tries[3][1]  # in another process


def test_a_job_that_always_kills_its_worker_is_reported_with_it(executor: DaskExecutor) -> None:
    from rdfc_core.testing.executor import DIES, GOOD, Job, work

    jobs = [Job(n, DIES if n == 2 else GOOD, os.getpid()) for n in range(5)]
    found = {one.job: one for one in executor.run(work, jobs)}
    assert isinstance(found[2].error, WorkerDiedError)
    assert "its Dask worker died 2 times, the last one tcp://" in str(found[2].error)
    assert [found[n].value for n in (0, 1, 3, 4)] == [0, 1, 9, 16]


def test_stopping_early_leaves_the_cluster_to_others(executor: DaskExecutor) -> None:
    outcomes = executor.run(dask_jobs.double_slowly, range(50))
    next(outcomes)
    outcomes.close()
    assert len(list(executor.run(dask_jobs.where, range(2)))) == 2


def test_a_job_is_a_case_that_is_read_where_the_worker_is(executor: DaskExecutor) -> None:
    from rdfc_core.case import Tumour

    missing = Case("lost", "lost", Path("/nowhere.png"), Path("/nowhere-mask.png"))
    [outcome] = executor.run(Case.load, [missing])
    assert not isinstance(outcome.value, Tumour)
    assert "Case lost" in str(outcome.error)


def test_it_speaks_tls(tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    secret = Security.temporary()
    files = {}
    for name, text in (
        ("tls_ca", secret.tls_ca_file),
        ("tls_cert", secret.tls_client_cert),
        ("tls_key", secret.tls_client_key),
    ):
        files[name] = tmp_path / f"{name}.pem"
        files[name].write_text(text, encoding="utf-8")
    with LocalCluster(
        n_workers=1, threads_per_worker=1, security=secret, dashboard_address=None
    ) as running:
        address = running.scheduler_address
        assert address.startswith("tls://")
        secure = DaskExecutor(DaskConfig(address=address, wait_seconds=PATIENT, **files))
        assert [one.value for one in secure.run(abs, [-3])] == [3]
        plain = DaskConfig(address=address.replace("tls://", "tcp://"), wait_seconds=3)
        with pytest.raises(StudyError, match="does not answer"):
            list(DaskExecutor(plain).run(abs, [-3]))


def test_a_scheduler_that_is_not_there_is_named() -> None:
    nobody = DaskExecutor(DaskConfig(address="tcp://127.0.0.1:1", wait_seconds=1))
    with pytest.raises(StudyError, match=r"scheduler tcp://127\.0\.0\.1:1 does not answer"):
        list(nobody.run(abs, [1]))


def test_a_cluster_without_a_worker_says_how_to_start_one() -> None:
    with LocalCluster(n_workers=0, dashboard_address=None) as empty:
        lonely = DaskExecutor(DaskConfig(address=empty.scheduler_address, wait_seconds=1))
        with pytest.raises(
            StudyError, match=r"has no worker\. Start some with: dask worker tcp://"
        ):
            list(lonely.run(abs, [1]))


def wait_for_all(pending: PendingJobs) -> None:
    while pending.futures:
        list(pending.finished())


def test_a_cluster_that_loses_its_last_worker_is_not_waited_for_indefinitely(
    tmp_path: Path,
) -> None:
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as running,
        Client(running) as client,
    ):
        pending = PendingJobs(client, DaskConfig(address=running.scheduler_address, wait_seconds=5))
        running.scale(0)
        while running.scheduler.workers:
            time.sleep(0.05)
        pending.add(0, client.submit(abs, -1, pure=False))
        with pytest.raises(DataError, match=r"no worker for 5 s\. What is finished is kept"):
            wait_for_all(pending)


def test_a_worker_that_does_not_answer_is_told_of(
    cluster: LocalCluster, executor: DaskExecutor
) -> None:
    process = next(one.value for one in executor.run(dask_jobs.where, [0]))
    impatient = DaskExecutor(DaskConfig(address=cluster.scheduler_address, wait_seconds=2))
    with Client(cluster) as client:
        os.kill(process, signal.SIGSTOP)
        try:
            with pytest.raises(StudyError, match="Not all workers of the Dask scheduler tcp://"):
                impatient._check_workers(client)
        finally:
            os.kill(process, signal.SIGCONT)


def test_a_job_that_hangs_is_given_up_and_costs_no_other(
    cluster: LocalCluster, tmp_path: Path
) -> None:
    config = DaskConfig(address=cluster.scheduler_address, wait_seconds=PATIENT, timeout_seconds=8)
    jobs = [(tmp_path, number) for number in range(4)]
    found = {one.job: one for one in DaskExecutor(config).run(dask_jobs.wait_for_file, jobs)}
    (tmp_path / "go").touch()
    assert sorted(found) == [0, 1, 2, 3]
    assert isinstance(found[1].error, WorkerDiedError)
    assert "longer than 8 s on the Dask cluster" in str(found[1].error)
    assert [found[n].value for n in (0, 2, 3)] == [0, 2, 3]


def test_a_suspended_process_loses_no_job_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    class Held:
        status = "pending"

    pending = PendingJobs(None, DaskConfig(address="tcp://127.0.0.1:1", timeout_seconds=100))
    clock = itertools.count(step=5000)  # between two looks, an hour and more
    monkeypatch.setattr("rdfc_executor_dask.pending_jobs.time.monotonic", lambda: next(clock))
    monkeypatch.setattr("distributed.wait", lambda *_: SimpleNamespace(done={Held}))
    monkeypatch.setattr(pending, "_outcome", lambda future: None)
    pending.add(0, Held)
    for _ in range(49):
        assert list(pending.finished()) == []
    assert pending.futures[Held].seconds == 98


def test_no_jobs_need_no_cluster() -> None:
    assert list(DaskExecutor(DaskConfig(address="tcp://127.0.0.1:1")).run(abs, [])) == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"address": "tls://host:1"}, "needs tls_ca, tls_cert, tls_key"),
        ({"address": "tls://host:1", "tls_ca": "a", "tls_key": "b"}, "needs tls_cert"),
        ({"address": "tcp://host:1", "tls_ca": "a"}, "certificates are for a tls:// address"),
    ],
)
def test_half_of_tls_is_refused(options: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        DaskConfig(**options)


def test_the_command_line_takes_an_address_alone() -> None:
    short = executor_part("dask=tcp://host:8786")
    long = executor_part("dask:address=tcp://host:8786")
    assert short.config == long.config == DaskConfig(address="tcp://host:8786")
