"""What scripts write is kept on a volume, and outlives their Pods."""

from __future__ import annotations

from pathlib import Path

from tests.node.jobs.claims import claimed
from tests.node.jobs.one_job import OneJob
from tests.node.jobs.written import script

FAILS = "def main():\n    print('said before', flush=True)\n    raise ValueError('no')\n"


def test_the_output_of_each_attempt_outlives_its_pod(job: OneJob, tmp_path: Path) -> None:
    with claimed(job, "logs", tmp_path / "logs") as volume:
        job.run(
            script("open", "def main(): print('opened')"),
            script("save", FAILS, retries={"limit": 1}),
            sessions=[
                {
                    "name": "main",
                    "outputDirectory": "/logs/enso",
                    "volumes": [volume],
                    "volumeMounts": [{"name": "logs", "mountPath": "/logs"}],
                    "runAsUser": 4711,
                }
            ],
        )
        verdict = job.fails()
        assert f"output  /logs/enso/{job.name}/02-save.2.log" in verdict.why
        log, pod = job.whole_output(), job.pod()["metadata"]["name"]
        job.kubectl("delete", "pod", pod, "--wait=true")
    kept = tmp_path / "logs" / "enso" / job.name
    files = {file.name: file for file in kept.iterdir()}
    assert sorted(files) == ["01-open.1.log", "02-save.1.log", "02-save.2.log"]
    for name, file in files.items():
        header, own = file.read_text().split("\n", 1)
        assert header.startswith("--- main-1, "), name
        assert own in log
        assert (file.stat().st_uid, file.stat().st_mode & 0o777) == (4711, 0o644)
    assert "said before\n" in files["02-save.2.log"].read_text()


def test_a_folder_that_cannot_be_written_to_is_told(job: OneJob, tmp_path: Path) -> None:
    with claimed(job, "full", tmp_path / "logs") as volume:
        (tmp_path / "logs" / "enso").touch(0o600)
        job.run(
            script("open", "def main(): print('opened')"),
            sessions=[
                {
                    "name": "main",
                    "outputDirectory": "/logs/enso",
                    "volumes": [volume],
                    "volumeMounts": [{"name": "full", "mountPath": "/logs"}],
                }
            ],
        )
        job.waits("Succeeded")
    (told,) = job.events("ScriptSucceeded")
    lost = f"/logs/enso/{job.name}/01-open.1.log: File exists"
    assert told.endswith(f"; its output was not kept: {lost}")
