"""After a failed job its finally scripts run in Pods of their own, and find out how it ended."""

from __future__ import annotations

from tests.node.jobs.one_job import OneJob
from tests.node.jobs.written import container, script

FAILS = "def main(): raise ValueError('no licence')"
IN_A_SESSION = """
import enso

def main():
    return [enso.job.state, enso.job.failed_script, enso.job.reason]
"""
IN_A_CONTAINER = """
import os
for name in ("STATE", "FAILED_SCRIPT", "REASON"):
    print(os.environ["ENSO_JOB_" + name])
"""
END = ["Failed", "bake", "Exception"]


def test_a_session_and_a_container_find_out_how_the_job_failed(job: OneJob) -> None:
    finals = [
        script("clean", IN_A_SESSION),
        container("tell", "python3", "-c", IN_A_CONTAINER),
        script("party", when="Succeeded"),
    ]
    job.run(script("bake", FAILS), script("never"), labels={}, **{"finally": finals})
    job.waits("Finished")
    assert job.condition()["message"].startswith("bake failed: ValueError: no licence")
    status = job.get()["status"]
    assert [(row["name"], row["state"], row.get("attempt", 0)) for row in status["scripts"]] == [
        ("bake", "Failed", 1),
        ("never", "NotStarted", 0),
        ("clean", "Succeeded", 1),
        ("tell", "Succeeded", 1),
        ("party", "NotStarted", 0),
    ]
    rows = {row["name"]: row for row in status["scripts"]}
    assert rows["clean"]["output"] == END
    pods = {pod["metadata"]["labels"]["enso.dev/session"]: pod for pod in job.pods()}
    assert set(pods) >= {"finally", "tell"}
    assert job.output(pods["tell"]["metadata"]["name"]).splitlines() == END
