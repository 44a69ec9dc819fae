"""EnsoActions on a real API server: what is taken, what never changes, and how kubectl shows it."""

from __future__ import annotations

import json

import pytest
import yaml
from dev.checkout import CHECKOUT
from dev.cluster.plane import Cluster

from enso_operator.api.ensoaction import EnsoAction, EnsoActionStatus
from enso_operator.api.rules import broken_action_rules
from tests.cluster.test_admission import IMMUTABLE, refusal
from tests.cluster.test_crds import create, put_status
from tests.support.resources import (
    EMPTY,
    Document,
    action,
    change_of_script,
    change_of_session,
    largest_action,
)
from tests.support.statuses import REFUSED_ACTION

RESUME = action(
    "resume",
    jobUID="0c9f3ba2-7f3e-4bd0-9d5e-2f7c0a6a4a10",
    why="two substeps were too few",
    by="ann",
    resume={
        "from": "open",
        "skip": ["notify"],
        "scripts": [
            {
                "name": "simulate",
                "args": {"substeps": 4, "cache": None, "wind": {"at": [1, {"metadata": EMPTY}]}},
                "unsetArgs": ["stiffness"],
                "source": "def main(substeps): pass",
                "timeoutSeconds": 60,
                "retries": {"limit": 2, "backoffSeconds": 5},
            }
        ],
        "sessions": [
            {
                "name": "houdini",
                "image": "studio/houdini:20.5",
                "interpreter": ["hython"],
                "resources": {"limits": {"memory": "32Gi"}},
                "env": [{"name": "HOUDINI_MAXTHREADS", "value": "4"}],
                "nodeSelector": {"studio/farm": "yes"},
                "tolerations": [{"key": "farm", "operator": "Exists"}],
                "startTimeoutSeconds": 900,
            }
        ],
    },
)
"""A resume with every field that there is."""
TAKEN: dict[str, Document] = {
    "a resume, and nothing else": action("resume"),
    "a resume with everything": RESUME,
    "a pause": action("pause"),
    "a pause after a script": action("pause", pause={"after": "open"}),
    "a retry": action("retry"),
    "a skip": action("skip", skip={"script": "open"}),
    "a cancel": action("cancel"),
    "what empties a session's maps and lists": change_of_session(
        env=[], nodeSelector={}, tolerations=[], resources={}
    ),
}


@pytest.mark.parametrize("document", TAKEN.values(), ids=TAKEN)
def test_an_action_is_kept_as_it_was_written(
    crds: Cluster, namespace: str, document: Document
) -> None:
    made = create(crds, namespace, document)

    assert made["spec"] == document["spec"]
    assert made["status"] == {"observedGeneration": -1}
    read = EnsoAction.model_validate(document, extra="forbid")
    assert list(broken_action_rules(read.spec)) == []
    assert read.spec.model_dump(by_alias=True, exclude_unset=True) == document["spec"]


def test_the_largest_action_is_taken_and_labelled(crds: Cluster, namespace: str) -> None:
    create(crds, namespace, largest_action())

    crds.kubectl("label", "ensoactions", "--all", "-n", namespace, "studio/shot=010")


def test_the_action_of_the_page_is_taken(crds: Cluster, namespace: str) -> None:
    page = (CHECKOUT / "docs" / "actions.md").read_text("utf-8")
    document = yaml.safe_load(page.partition("```yaml\n")[2].partition("```")[0])

    assert create(crds, namespace, document)["spec"] == document["spec"]


def test_a_name_may_be_left_to_the_api_server(crds: Cluster, namespace: str) -> None:
    job = "b" * 52
    made = create(
        crds, namespace, action("retry", job=job) | {"metadata": {"generateName": f"{job}-"}}
    )

    assert made["metadata"]["name"].startswith(f"{job}-")


CHANGES: dict[str, list[Document]] = {
    "the job": [{"op": "replace", "path": "/spec/job", "value": "other"}],
    "the verb": [
        {"op": "replace", "path": "/spec/verb", "value": "cancel"},
        {"op": "remove", "path": "/spec/resume"},
    ],
    "who asks": [{"op": "replace", "path": "/spec/by", "value": "bob"}],
    "nobody asks": [{"op": "remove", "path": "/spec/by"}],
    "the job's uid": [{"op": "remove", "path": "/spec/jobUID"}],
    "why": [{"op": "replace", "path": "/spec/why", "value": ""}],
    "an argument": [{"op": "replace", "path": "/spec/resume/scripts/0/args/substeps", "value": 5}],
    "one more argument": [{"op": "add", "path": "/spec/resume/scripts/0/args/more", "value": None}],
    "the name of an argument": [
        {
            "op": "move",
            "from": "/spec/resume/scripts/0/args/cache",
            "path": "/spec/resume/scripts/0/args/cash",
        }
    ],
    "a name deep in an argument": [
        {
            "op": "replace",
            "path": "/spec/resume/scripts/0/args/wind",
            "value": {"to": [1, {"metadata": {}}]},
        }
    ],
    "one more script to skip": [{"op": "add", "path": "/spec/resume/skip/-", "value": "bake"}],
    "a session's image": [
        {"op": "replace", "path": "/spec/resume/sessions/0/image", "value": "other"}
    ],
}


@pytest.mark.parametrize("patch", CHANGES.values(), ids=CHANGES)
def test_what_is_asked_never_changes(crds: Cluster, namespace: str, patch: list[Document]) -> None:
    create(crds, namespace, RESUME)

    options = ("again", "-n", namespace, "--type=json", "-p", json.dumps(patch))
    told = refusal(crds, "patch", "ensoaction", *options)

    assert f"spec: Invalid value: {IMMUTABLE}" in told


def test_who_asks_cannot_be_added_later(crds: Cluster, namespace: str) -> None:
    create(crds, namespace, action("retry"))

    patch = ("--type=merge", "-p", '{"spec": {"by": "ann"}}')
    told = refusal(crds, "patch", "ensoaction", "again", "-n", namespace, *patch)

    assert f"spec: Invalid value: {IMMUTABLE}" in told


@pytest.mark.parametrize("how", ["--server-side", "--server-side=false"])
def test_a_second_apply_of_an_action_changes_nothing(
    crds: Cluster, namespace: str, how: str
) -> None:
    document = json.dumps(RESUME)
    apply = ("apply", how, "-n", namespace, "-f", "-", "-o", "jsonpath={.metadata}")
    crds.kubectl(*apply, stdin=document)
    # Until somebody writes a status its default is not stored, and the next write stores it.
    put_status(crds, namespace, "ensoaction/again", REFUSED_ACTION)

    assert crds.kubectl(*apply, stdin=document) == crds.kubectl(*apply, stdin=document)


def test_columns_of_actions(crds: Cluster, namespace: str) -> None:
    create(crds, namespace, change_of_script(args={"substeps": 4}))
    create(crds, namespace, action("skip", "skips", skip={"script": "open"}, by="ann"))
    put_status(crds, namespace, "ensoaction/skips", REFUSED_ACTION)

    heads, fresh, refused = crds.kubectl("get", "ensoact", "-n", namespace).splitlines()

    assert heads.split() == ["NAME", "JOB", "VERB", "SUCCEEDED", "MESSAGE", "BY", "AGE"]
    assert fresh.split()[:3] == ["again", "shot", "resume"]
    message = REFUSED_ACTION["conditions"][1]["message"]
    assert refused.split()[:-1] == ["skips", "shot", "skip", "False", *message.split(), "ann"]


def test_actions_are_selected_by_their_job_and_verb(crds: Cluster, namespace: str) -> None:
    create(crds, namespace, action("retry"))
    create(crds, namespace, action("cancel", "cancels"))
    create(crds, namespace, action("cancel", "other", job="other"))

    def selected(fields: str) -> list[str]:
        options = ("-n", namespace, "-o", "name", "--field-selector", fields)
        return crds.kubectl("get", "ensoactions", *options).split()

    name = "ensoaction.enso.dev"
    assert selected("spec.job=shot") == [f"{name}/again", f"{name}/cancels"]
    assert selected("spec.job=shot,spec.verb=cancel") == [f"{name}/cancels"]


def test_the_status_of_an_action_is_read_back_as_it_was(crds: Cluster, namespace: str) -> None:
    create(crds, namespace, action("retry"))
    wanted = EnsoActionStatus.model_validate(REFUSED_ACTION, extra="forbid")
    written = wanted.model_dump(mode="json", by_alias=True, exclude_none=True)

    kept = put_status(crds, namespace, "ensoaction/again", written)

    assert kept == written
    assert EnsoActionStatus.model_validate(kept, extra="forbid") == wanted
