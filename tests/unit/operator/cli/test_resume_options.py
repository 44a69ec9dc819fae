"""How a resume is told to go on: `--from`, `--skip`, `--set` and `--why`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.workstation import Workstation
from tests.unit.operator.cli.test_resume import publish


@pytest.fixture
def workstation(tmp_path: Path) -> Workstation:
    workstation = Workstation(tmp_path)
    workstation.write(publish("no"))
    assert workstation.run()[0] == 1
    assert workstation.notes == ["load 010", "sim"]
    return workstation


def test_an_argument_is_set_for_this_resume_and_all_later_ones(workstation: Workstation) -> None:
    code, said = workstation.run("--resume", "--set", 'publish.ok="perhaps"')
    assert code == 1
    assert "changed since the last run: publish.args.ok" in said
    assert "assert" not in said.splitlines()[0]
    assert "perhaps" in said
    code, said = workstation.run("--resume")
    assert code == 1
    assert "changed since" not in said
    assert "perhaps" in said
    code, said = workstation.run(
        "--resume", "--set", 'publish.ok="yes"', "--why", "it is right now"
    )
    assert code == 0, said
    assert "it is right now" in journal(workstation)
    assert workstation.notes == ["load 010", "sim", *["load 010"] * 3, "publish"]
    # What is done stays as it was run, though the file says otherwise.
    assert "nothing is left to do" in workstation.run("--resume")[1]


def test_a_job_of_five_goes_on_at_the_third_with_another_argument(tmp_path: Path) -> None:
    """A setup runs again, a checkpoint does not."""
    notes = "import os\ndef main(name): open(os.environ['NOTES'], 'a').write(name + '\\n')"
    needs = "def main(substeps):\n    assert substeps >= 4, f'{substeps} are too few'"
    scripts: list[dict[str, object]] = [
        {"name": name, "source": notes, "args": {"name": name}}
        for name in ("open", "bake", "simulate", "save", "publish")
    ]
    scripts[0]["setup"] = scripts[1]["checkpoint"] = True
    scripts[2] |= {"source": needs, "args": {"substeps": 2}}
    workstation = Workstation(tmp_path)
    workstation.write(scripts)
    code, said = workstation.run()
    assert (code, workstation.notes) == (1, ["open", "bake"])
    assert "2 are too few" in said
    code, said = workstation.run("--resume", "--set", "simulate.substeps=4")
    assert code == 0, said
    assert workstation.notes == ["open", "bake", "open", "save", "publish"]


def test_a_resume_begins_where_it_is_told_to(workstation: Workstation) -> None:
    code, said = workstation.run("--resume", "--from", "load", "--set", 'load.shot="020"')
    assert code == 1
    assert "runs load, sim, publish" in said
    assert workstation.notes[2:] == ["load 020", "sim"]


def test_what_is_skipped_counts_as_done(workstation: Workstation) -> None:
    code, said = workstation.run("--resume", "--skip", "publish", "--why", "done by hand")
    assert code == 0, said
    assert "skips publish" in said
    assert "kept as it is: load, sim" in said
    assert workstation.notes == ["load 010", "sim"]
    assert "done by hand" in journal(workstation)


def test_a_job_that_has_succeeded_runs_again_from_where_it_is_told(
    workstation: Workstation,
) -> None:
    assert workstation.run("--resume", "--set", 'publish.ok="yes"')[0] == 0
    code, said = workstation.run("--resume", "--from", "publish")
    assert code == 0, said
    assert workstation.notes.count("publish") == 2


def test_an_impossible_resume_is_refused_and_changes_nothing(workstation: Workstation) -> None:
    before = journal(workstation)
    for options, why in {
        ("--from", "sav"): "has no script 'sav'; it has load, sim, publish",
        ("--skip", "sim"): "cannot skip 'sim', which is done already",
        ("--set", "sav.ok=1"): "has no script 'sav'; it has load, sim, publish",
        ("--set", "publish.ok=yes"): "--set 'publish.ok=\"yes\"'",
        ("--set", "publish=1"): "write it as SCRIPT.PARAMETER=JSON",
        ("--set", 'load.shot="020"'): "'sim', a checkpoint that is kept, was made with it",
        ("--from", "publish", "--skip", "publish"): "cannot go on at 'publish' and skip it",
    }.items():
        code, said = workstation.run("--resume", *options)
        assert (code, why in said) == (2, True), said
        assert journal(workstation) == before
        assert workstation.notes == ["load 010", "sim"]


def test_a_job_whose_end_is_decided_goes_on_once_its_session_has_ended(
    workstation: Workstation,
) -> None:
    """`enso run` was killed when it had cancelled the job, and its session had not ended yet."""
    file = journal_file(workstation)
    lines = file.read_text().splitlines()
    place = next(i for i, line in enumerate(lines) if json.loads(line)["type"] == "SessionEnded")
    ended = json.loads(lines[place])
    cancelled = {name: ended[name] for name in ("v", "at", "origin", "seq")}
    lines[place:] = [json.dumps(cancelled | {"type": "JobCancelled"})]
    file.write_text("\n".join([*lines, ""]))

    code, said = workstation.run("--resume", "--from", "sav")
    assert (code, "has no script 'sav'" in said) == (2, True), said
    code, said = workstation.run("--resume", "--set", 'publish.ok="yes"')
    assert code == 0, said
    assert workstation.notes == ["load 010", "sim", "load 010", "publish"]


def test_only_a_resume_takes_these_options(workstation: Workstation) -> None:
    code, said = workstation.run("--from", "sim")
    assert code == 2
    assert "add --resume" in said


def journal(workstation: Workstation) -> str:
    """Return what the last run's journal tells."""
    lines = [json.loads(line) for line in journal_file(workstation).read_text().splitlines()]
    return "\n".join(map(str, lines))


def journal_file(workstation: Workstation) -> Path:
    """Return the journal of the only run."""
    found = workstation.root.rglob("journal")
    (last,) = [file for file in found if "sessions" not in file.parts]
    return last
