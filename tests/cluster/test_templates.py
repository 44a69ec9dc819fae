"""Runs of templates on a real API server, driven by an operator with local sessions."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.enso_program import Enso
from tests.cluster.kubeconfigs import token_of
from tests.cluster.users import name_of, until_granted
from tests.support.eventually import until
from tests.support.operators import Operators
from tests.support.resources import Document, of_scripts
from tests.support.snippets import snippet
from tests.support.templates import run, template

SOURCE = "def main(**args): print(args)"
PUBLISH = template(
    {"name": "open", "source": SOURCE, "args": {"path": "/shots/$(params.shot)/a.hip"}},
    {
        "name": "simulate",
        "source": SOURCE,
        "args": {"frames": "$(params.frames)", "nothing": None},
        "timeoutSeconds": "$(params.frames)",
    },
)


def done(ns: ClusterNamespace) -> list[str]:
    """Return what is told of scripts that succeeded, without how long they took."""
    told = [message for reason, message in ns.job_events() if reason == "ScriptSucceeded"]
    return [re.sub(r", [0-9.]+ m?s", "", message) for message in told]


def test_a_run_has_the_values_of_its_parameters(ns: ClusterNamespace, operators: Operators) -> None:
    operators.start()
    ns.create(PUBLISH)  # `kubectl apply` of a client drops what is null
    ns.apply(run(shot="010", frames=48))
    ns.waits("Succeeded")
    assert done(ns) == [
        "1/2 open, attempt 1; args path=/shots/010/a.hip",
        "2/2 simulate, attempt 1; args frames=48 nothing=null",
    ]
    wide = ns.kubectl("get", "ensojob", "shot", "-o", "wide").split()
    assert wide[-1] == "publish"


def test_a_run_is_what_its_template_was_when_it_was_first_seen(
    ns: ClusterNamespace, operators: Operators
) -> None:
    operators.start()
    ns.apply(PUBLISH)
    suspended = run(shot="010")
    suspended["spec"]["suspend"] = True
    ns.apply(suspended)
    until(lambda: ns.state() == "Suspended" and ns.get()["status"].get("template"))
    ns.kubectl("delete", "ensojobtemplate", "publish")
    ns.patch(suspend=False)
    ns.waits("Succeeded")
    assert ns.get()["status"]["template"] == {"name": "publish", "generation": 1}


def test_a_run_may_be_applied_before_its_template(
    ns: ClusterNamespace, operators: Operators
) -> None:
    operators.start()
    ns.apply(run(shot="010"))
    until(lambda: ns.get()["status"].get("reason") == "TemplateNotFound")
    ns.apply(PUBLISH)
    ns.waits("Succeeded")


def test_a_template_is_started_and_planned_from_a_workstation(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    operators.start()
    ns.apply(PUBLISH)
    enso = Enso(ns, tmp_path)
    code, *told = enso("plan", "publish", "-p", "shot=010")
    assert code == 0, told
    code, *told = enso("start", "publish", "-p", "shot=010", "--name", "publish-010", "--watch")
    assert code == 0, told
    assert ns.get("publish-010")["spec"]["params"] == {"shot": "010"}


def test_who_writes_no_templates_may_run_them_only(ns: ClusterNamespace) -> None:
    policy = snippet("templates.md", "kind: ValidatingAdmissionPolicy\n")
    label = f"enso.dev/templates-only-{ns.namespace}"
    mine = policy.replace("enso.dev/templates-only", label).replace(
        "name: enso-templates-only", f"name: only-{ns.namespace}"
    )
    mine = mine.replace("policyName: enso-templates-only", f"policyName: only-{ns.namespace}")
    ns.kubectl("create", "role", "runs", "--verb=create,get", "--resource=ensojobs.enso.dev")
    ns.kubectl("create", "rolebinding", "runs", "--role=runs", "--user=artist")
    ns.kubectl("label", "namespace", ns.namespace, f"{label}=true")
    ns.kubectl("apply", "-f", "-", stdin=mine)
    try:
        job = json.dumps(of_scripts({}) | {"metadata": {"name": "own"}})

        def is_refused() -> bool:
            dry = ("create", "--as=artist", "--dry-run=server", "-f", "-")
            try:
                ns.kubectl(*dry, stdin=job)
            except subprocess.CalledProcessError as error:
                return "you may run templates only" in str(error.stderr)
            return False

        until(is_refused)
        ns.kubectl("create", "--as=artist", "-f", "-", stdin=json.dumps(run(shot="010")))
        ns.kubectl("create", "-f", "-", stdin=job)  # by somebody who may write templates, too
    finally:
        for kind in ("validatingadmissionpolicy", "validatingadmissionpolicybinding"):
            ns.kubectl("delete", kind, f"only-{ns.namespace}")


def test_a_cron_job_runs_a_template_with_these_rights(ns: ClusterNamespace, tmp_path: Path) -> None:
    """The recipe of the page: its objects are taken, and its rights suffice for its command."""
    ns.apply(PUBLISH | {"metadata": {"name": "publish-shot"}})
    ns.kubectl("apply", "-f", "-", stdin=snippet("templates.md", "kind: ServiceAccount\n"))
    ns.kubectl("apply", "-f", "-", stdin=snippet("templates.md", "kind: CronJob\n"))
    cron = json.loads(ns.kubectl("get", "cronjob", "publish-shot-010", "-o", "json"))
    pod = cron["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    account = pod["serviceAccountName"]
    until_granted(
        *(ns.cluster, ns.namespace, name_of(ns.namespace, account)),
        "ensojobs.enso.dev=create",
    )
    token = token_of(ns.cluster, ns.namespace, account)
    enso = Enso(ns, tmp_path)
    config = json.loads(ns.kubectl("config", "view", "--raw", "--minify", "-o", "json"))
    config["users"][0]["user"] = {"token": token}
    config["contexts"][0]["context"]["namespace"] = ns.namespace
    kubeconfig = tmp_path / "nightly"
    kubeconfig.write_text(json.dumps(config))
    (container,) = pod["containers"]
    command = [word for word in container["args"] if word != "--watch"]
    code, *told = enso(*command, kubeconfig=kubeconfig)
    assert code == 0, told
    (job,) = json.loads(ns.kubectl("get", "ensojobs", "-o", "json"))["items"]
    assert job["spec"]["params"] == {"shot": "010"}


def test_null_and_every_type_survive_in_a_template(ns: ClusterNamespace) -> None:
    ns.create(PUBLISH)
    stored: Document = json.loads(ns.kubectl("get", "ensojobtemplate", "publish", "-o", "json"))
    assert stored["spec"]["job"] == PUBLISH["spec"]["job"]
