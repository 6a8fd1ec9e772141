"""`check_executor` passes a sound component and catches each broken promise."""

from dataclasses import replace

import pytest

from rdfc_core import testing
from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
from rdfc_core.interfaces import Outcome
from rdfc_core.scaffold.templates.executor import config as executor_config
from rdfc_core.scaffold.templates.executor import executor as executor_example

Executor = executor_example.Example


class StoppingAtTheFirstError(Executor):
    def run(self, function, jobs):
        for place, job in enumerate(jobs):
            yield Outcome(place, function(job))


class SkippingFailures(Executor):
    def run(self, function, jobs):
        return (o for o in super().run(function, jobs) if o.error is None)


class RepeatingJobs(Executor):
    def run(self, function, jobs):
        outcomes = list(super().run(function, jobs))
        return iter(outcomes + outcomes[:1])


class WrappingErrors(Executor):
    def run(self, function, jobs):
        for outcome in super().run(function, jobs):
            yield replace(outcome, error=outcome.error and OSError("a job failed"))


def test_sound_executors_pass_in_threads_and_in_processes_that_are_killed():
    testing.check_executor(Executor(executor_config.ExampleConfig()))
    testing.check_executor(LocalExecutor(LocalExecutorConfig(workers=2)))


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (StoppingAtTheFirstError, "because of one job"),
        (SkippingFailures, r"gave outcomes for the jobs \[0, 2, 3, 5\] of 6"),
        (RepeatingJobs, "give each exactly one"),
        (WrappingErrors, "give the one that it raised"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_executor_is_caught(kind, complaint):
    with pytest.raises(AssertionError, match=complaint):
        testing.check_executor(kind(executor_config.ExampleConfig()))
