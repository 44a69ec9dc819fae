"""A job is resumed whatever became of its last Pod: it ends still, it is gone, or was replaced."""

from __future__ import annotations

import json
import signal

from tests.node.jobs.one_job import Document, OneJob
from tests.support.eventually import until
from tests.support.resources import action

MAYBE_STUBBORN = """
import signal, time
def main(stubborn):
    print("start do", flush=True)
    if stubborn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("ignores SIGTERM", flush=True)
        time.sleep(600)
"""
FAILS_UNLESS = """
def main(is_mended):
    print("start do", flush=True)
    assert is_mended
"""
SAYS = "def main(): print('start save', flush=True)"


def ask(job: OneJob, verb: str, **spec: object) -> tuple[str, str]:
    """Act on the job; return reason and message of what came of it."""
    job.kubectl("create", "-f", "-", stdin=json.dumps(action_on(job, verb, **spec)))
    return outcome(job, verb)


def action_on(job: OneJob, verb: str, **spec: object) -> Document:
    return action(verb, f"{job.name}-{verb}", job=job.name, **spec)


def outcome(job: OneJob, verb: str) -> tuple[str, str]:
    """Wait until an action was done or refused; return reason and message."""
    name = f"ensoaction/{job.name}-{verb}"
    job.kubectl("wait", "--for=condition=Finished", name, "--timeout=150s")
    found: Document = json.loads(job.kubectl("get", name, "-o", "json"))
    conditions: list[Document] = found["status"]["conditions"]
    (told,) = [condition for condition in conditions if condition["type"] == "Succeeded"]
    return told["reason"], told["message"]


def change(**args: object) -> Document:
    return {"scripts": [{"name": "do", "args": args}]}


def test_a_resume_waits_for_a_pod_that_still_ends(job: OneJob) -> None:
    job.run(
        {"name": "do", "source": MAYBE_STUBBORN, "args": {"stubborn": True}},
        {"name": "save", "source": SAYS},
    )
    job.says("ignores SIGTERM")
    first = job.pod()["metadata"]["name"]
    run = job.get()["status"]["ledger"]["run"]["name"]
    resume = action_on(job, "resume", resume=change(stubborn=False))
    both = {"apiVersion": "v1", "kind": "List", "items": [action_on(job, "cancel"), resume]}
    operator = job.house.operator
    operator.send(signal.SIGSTOP)  # it sees both at once: what is cancelled is killed after 2 s
    job.kubectl("create", "-f", "-", stdin=json.dumps(both))
    operator.send(signal.SIGCONT)
    assert outcome(job, "cancel") == ("Done", f"cancelled; session {run} is being stopped")
    goes_on = f"resumed; it goes on when session {run} has ended"
    assert outcome(job, "resume") == ("Done", goes_on)
    assert job.ends()["done"] == "2/2"
    assert [row[1:] for row in job.rows()] == [("Succeeded", 2), ("Succeeded", 1)]
    assert job.starts_of("do") == 2
    (second,) = [pod["metadata"] for pod in job.pods() if pod["metadata"]["name"] != first]
    written = job.whole_output(second["name"])
    assert "start do" in written
    assert "ignores SIGTERM" not in written


def test_a_job_whose_pods_are_gone_goes_on_in_a_new_one(job: OneJob) -> None:
    """The name of the Pod that is gone is not used again."""
    job.run(
        {"name": "do", "source": FAILS_UNLESS, "args": {"is_mended": False}},
        {"name": "save", "source": SAYS},
    )
    job.fails()
    (gone,) = [pod["metadata"]["name"] for pod in job.pods()]
    job.kubectl("delete", "pod", gone)
    until(lambda: not job.pods())
    assert ask(job, "resume", resume=change(is_mended=True))[0] == "Done"
    assert job.ends()["done"] == "2/2"
    (second,) = job.pods()
    assert second["metadata"]["name"] != gone
    assert job.starts_of("do") == 2


def test_a_resume_may_give_the_next_pod_other_resources(job: OneJob) -> None:
    job.run({"name": "do", "source": FAILS_UNLESS, "args": {"is_mended": False}})
    job.fails()
    more = {"limits": {"memory": "96Mi"}, "requests": {"memory": "48Mi"}}
    changes = change(is_mended=True) | {"sessions": [{"name": "main", "resources": more}]}
    assert ask(job, "resume", resume=changes)[0] == "Done"
    assert job.ends()["done"] == "1/1"
    first, second = job.pods()
    assert _resources(first) != more
    assert _resources(second) == more


def _resources(pod: Document) -> Document:
    containers: list[Document] = pod["spec"]["containers"]
    (session,) = [container for container in containers if container["name"] == "session"]
    return dict(session.get("resources") or {})
