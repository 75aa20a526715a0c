"""What is known of a Job and its pods as changes come in."""

import itertools
import json
import tracemalloc

import pytest

from job.settings.validation import make_settings
from k8s.api.watch import ADDED, BEGIN, DELETED, END, MODIFIED, Change
from k8s.observe.state import JobState, parse_job
from k8s.observe.trials import STATES, count_states, states_of_trials

UIDS = itertools.count()


def a_job(completions=4, **status):
    spec = {"completions": completions, "parallelism": 2}
    return {"metadata": {"name": "demo-r1", "uid": "a", "labels": {}}, "spec": spec, "status": status}


def a_pod(index, phase="Running", created="2026-01-01T00:00:00Z", failures=0, **more):
    terminated = {"exitCode": 1, "reason": "Error", "startedAt": "2026-01-01T00:00:01Z"}
    state = {"Failed": {"terminated": terminated}, "Running": {"running": {"startedAt": "2026-01-01T00:00:01Z"}}}
    labels = {"batch.kubernetes.io/job-completion-index": str(index)}
    about = {"name": f"demo-r1-{index}", "uid": f"{next(UIDS)}", "creationTimestamp": created, "labels": labels}
    about["annotations"] = {"batch.kubernetes.io/job-index-failure-count": str(failures)}
    status = {"phase": phase, "containerStatuses": [{"name": "trial", "state": state.get(phase, {})}], **more}
    return {"metadata": about, "spec": {"containers": [{"name": "trial"}]}, "status": status}


def unschedulable(index):
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no GPU"}
    return a_pod(index, "Pending", conditions=[condition])


def failed_by(reason):
    return [{"type": "Failed", "status": "True", "reason": reason, "message": "so it is"}]


class Sweep:
    """A state and the trials of four indexes, to be changed step by step."""

    def __init__(self, job=None, **settings):
        self.settings = make_settings({"layers": [1], "neurons": [1, 2, 3, 4], **settings})
        self.state = JobState(parse_job(job or a_job()))

    def pods(self, kind, *pods):
        for pod in pods:
            self.state.apply(Change(kind, "pods", pod))
        return self

    def listed(self, *pods):
        self.state.apply(Change(BEGIN, "pods"))
        self.pods(ADDED, *pods)
        self.state.apply(Change(END, "pods"))
        return self

    def job(self, **status):
        self.state.apply(Change(MODIFIED, "jobs", a_job(**status)))
        return self

    @property
    def states(self):
        return [item.state for item in states_of_trials(self.settings, self.state)]

    @property
    def causes(self):
        return [item.cause.text if item.cause else None for item in states_of_trials(self.settings, self.state)]


def test_a_trial_is_done_when_its_job_says_so_and_what_has_no_pod_waits_for_its_turn():
    sweep = Sweep().job(completedIndexes="0").listed(a_pod(1), unschedulable(2))
    assert sweep.states == ["done", "running", "pending", "pending"]
    assert sweep.causes == [None, None, "Unschedulable: no GPU", "waiting for its turn (2 pods at a time)"]
    assert count_states(states_of_trials(sweep.settings, sweep.state)) == dict(
        zip(STATES, (2, 1, 1, 0), strict=True)
    )


@pytest.mark.parametrize(
    ("spec", "status", "words"),
    [
        ({"parallelism": 0}, {}, "no pods start: parallelism is 0"),
        ({"suspend": True}, {}, "the Job is suspended"),
        (
            {},
            {"conditions": [{**failed_by("DeadlineExceeded")[0], "type": "FailureTarget"}]},
            "no more pods will start: DeadlineExceeded: so it is",
        ),
    ],
)
def test_where_nothing_will_start_no_turn_is_waited_for(spec, status, words):
    job = a_job(**status)
    job["spec"] |= spec
    sweep = Sweep(job)
    assert sweep.state.job.waits
    assert {trial.cause.text for trial in states_of_trials(sweep.settings, sweep.state)} == {words}


def test_a_job_waits_as_long_as_it_has_fewer_pods_than_it_should_have():
    def waits(**status):
        return parse_job(a_job(**status)).waits

    assert [waits(active=active) for active in (0, 1, 2)] == [True, True, False]
    assert not waits(active=1, completedIndexes="0,1", failedIndexes="2")
    assert not waits(completedIndexes="0-3")


def test_a_failed_attempt_is_to_be_tried_again_until_the_job_gives_the_index_up():
    sweep = Sweep().listed(a_pod(0, "Failed", failures=1))
    assert sweep.states[0] == "pending"
    assert sweep.causes[0] == "will be retried after attempt 2: exit code 1: anything unexpected"
    sweep.job(failedIndexes="0")
    assert (sweep.states[0], sweep.causes[0]) == ("failed", "exit code 1: anything unexpected")


def test_the_newest_pod_of_an_index_counts_in_whatever_order_they_come():
    old, new = a_pod(0, "Failed"), a_pod(0, created="2026-01-01T00:01:00Z", failures=1)
    for order in ((old, new), (new, old)):
        assert Sweep().listed(*order).states[0] == "running"
    assert Sweep().listed(old, new).pods(MODIFIED, old).states[0] == "running"


def test_what_a_new_list_does_not_have_is_gone():
    pod = a_pod(0)
    sweep = Sweep().listed(pod, a_pod(1)).listed(pod)
    assert sweep.states == ["running", "pending", "pending", "pending"]


def test_while_a_list_comes_in_the_old_one_is_shown():
    sweep = Sweep().listed(a_pod(0))
    sweep.state.apply(Change(BEGIN, "pods"))
    assert sweep.states[0] == "running"


def test_a_pod_that_succeeds_stays_until_the_job_says_that_it_is_done():
    pod = a_pod(0)
    sweep = Sweep().listed(pod).pods(DELETED, pod)  # So a watch of what has not succeeded calls it.
    assert sweep.states[0] == "running"
    assert sweep.job(completedIndexes="0").states[0] == "done"
    assert sweep.state.pods == {}


def test_a_pod_that_is_deleted_is_gone():
    pod = a_pod(0)
    pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:02:00Z"
    assert Sweep().listed(pod).pods(DELETED, pod).states[0] == "pending"


def test_a_job_that_ran_out_of_time_says_of_each_trial_what_it_was_about():
    stopped = a_pod(1, "Failed")
    stopped["metadata"]["deletionTimestamp"] = "2026-01-01T00:02:00Z"
    sweep = Sweep().listed(unschedulable(0), stopped, a_pod(2, "Failed"))
    sweep.job(conditions=failed_by("DeadlineExceeded"), failedIndexes="2")
    assert sweep.states == ["failed"] * 4
    assert sweep.causes == [
        "Unschedulable: no GPU; then the Job failed: DeadlineExceeded: so it is",
        "was stopped: DeadlineExceeded: so it is",
        "exit code 1: anything unexpected",
        "was not completed: DeadlineExceeded: so it is",
    ]


def test_a_pod_that_a_person_deleted_is_called_that():
    pod = a_pod(0, "Failed")
    pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:02:00Z"
    sweep = Sweep().listed(pod).job(failedIndexes="0")
    assert sweep.causes[0] == "its pod was deleted: exit code 1: anything unexpected"


def test_what_an_unschedulable_pod_waited_for_is_forgotten_once_it_runs():
    pod = a_pod(0)
    sweep = Sweep().pods(ADDED, unschedulable(0)).pods(MODIFIED, pod)
    assert sweep.state.troubles == {}


@pytest.mark.parametrize("other", ["b", "a"])
def test_a_job_that_is_deleted_is_gone_and_another_of_its_name_is_not_it(other):
    sweep, job = Sweep(), a_job()
    job["metadata"]["uid"] = other
    sweep.state.apply(Change(DELETED, "jobs", job))
    assert sweep.state.gone == (other == "a")
    sweep.state.apply(Change(BEGIN, "jobs"))
    sweep.state.apply(Change(ADDED, "jobs", job))
    sweep.state.apply(Change(END, "jobs"))
    assert sweep.state.gone == (other == "b")


def test_trials_that_share_a_pod_share_its_state_except_those_that_have_their_result():
    sweep = Sweep(a_job(completions=2), trials_per_pod=2).listed(a_pod(0))
    assert sweep.states == ["running", "running", "pending", "pending"]
    states = [item.state for item in states_of_trials(sweep.settings, sweep.state, finished={"l1-n1"})]
    assert states == ["done", "running", "pending", "pending"]


def test_ten_thousand_finished_indexes_take_no_room():
    state = JobState(parse_job(a_job(completions=10_000)))
    tracemalloc.start()
    for first in range(0, 10_000, 500):  # As they come and go: 500 run at a time.
        for index in range(first, first + 500):
            state.apply(Change(ADDED, "pods", json.loads(json.dumps(a_pod(index)))))
        state.apply(Change(MODIFIED, "jobs", a_job(completions=10_000, completedIndexes=f"0-{first + 499}")))
    held, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert state.pods == {}
    assert most < 2_000_000, f"at most {most} bytes, {held} at the end"
