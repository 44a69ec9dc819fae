"""The recipes of docs/gitops.md, with what Flux and Argo CD do to objects, on a real operator.

Flux is its own packages (`flux_program.py`). What Argo CD does is kubectl's code: `apply`, with
`Force=true` `apply --force`, and with `Replace=true` `replace`.
"""

from __future__ import annotations

import json
import subprocess
from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from dev.argocd import CUSTOMIZATIONS
from dev.chart.helm import helm
from dev.checkout import CHECKOUT

from tests.cluster.action_client import ActionClient
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.flux_program import Flux, FluxSays
from tests.support.eventually import until
from tests.support.lua import ran
from tests.support.operators import Operators
from tests.support.resources import Document, of_scripts
from tests.support.snippets import snippet
from tests.support.templates import template

PASSES = "def main(**args): pass"
SLEEPS = "import time\ndef main(): time.sleep(600)"
RAISES = "def main(): raise ValueError('no licence')"
ODD: Document = {
    "null": None,
    "float": 1.0,
    "empty": {},
    "list": [],
    "no": False,
    "deep": {"a": [1, None]},
}
POLICY = CHECKOUT / "deploy" / "policies" / "warn-of-ttl.yaml"


@pytest.fixture
def flux(ns: ClusterNamespace) -> Flux:
    return Flux(ns.cluster.kubeconfig)


def of(ns: ClusterNamespace, document: Document) -> Document:
    """Return a document with the namespace that a Kustomization would give it."""
    return document | {"metadata": {**document["metadata"], "namespace": ns.namespace}}


def recipe(text: str, ns: ClusterNamespace) -> Document:
    """Return the manifest on the page that has this text."""
    return of(ns, yaml.safe_load(snippet("gitops.md", text)))


def changed(job: Document) -> Document:
    """Return a job with another source in its first script."""
    other = deepcopy(job)
    other["spec"]["scripts"][0]["source"] += "\n\n# changed\n"
    return other


def uid(ns: ClusterNamespace, name: str = "shot") -> str:
    return str(ns.get(name)["metadata"]["uid"])


def runs(ns: ClusterNamespace, name: str = "shot") -> int:
    """Count how often scripts ran, of all jobs that had this name."""
    told = [reason for reason, _ in ns.job_events(name)]
    return told.count("ScriptSucceeded") + told.count("ScriptFailed")


def apply(ns: ClusterNamespace, document: Document, *flags: str) -> str:
    """Apply as Argo CD does; return what kubectl says."""
    return ns.kubectl("apply", *flags, "-f", "-", stdin=json.dumps(document))


def refusal(ns: ClusterNamespace, document: Document, *command: str) -> str:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        ns.kubectl(*command, "-f", "-", stdin=json.dumps(document))
    return str(refused.value.stderr)


@pytest.mark.parametrize("args", [{"frames": 24}, ODD], ids=["plain", "odd"])
def test_what_is_applied_again_does_not_run_again_and_writes_nothing(
    ns: ClusterNamespace, operators: Operators, flux: Flux, args: Document
) -> None:
    job = of(ns, of_scripts({"source": PASSES, "args": args}))
    operators.ready()
    assert "created" in flux.apply(job)
    ns.waits("Succeeded")
    before = ns.get()
    for _ in range(2):
        assert "unchanged" in flux.apply(job)
    assert ns.get() == before
    assert runs(ns) == 1


def test_argo_cd_and_people_may_apply_again_what_it_applied(
    ns: ClusterNamespace, operators: Operators
) -> None:
    job = of_scripts({"source": PASSES, "args": {"frames": 24}})
    operators.ready()
    apply(ns, job)
    ns.waits("Succeeded")
    before = ns.get()
    apply(ns, job)
    assert ns.get() == before
    assert runs(ns) == 1


def test_a_second_manager_changes_who_owns_it_and_nothing_else(
    ns: ClusterNamespace, operators: Operators, flux: Flux
) -> None:
    job = of(ns, of_scripts({"source": PASSES}, suspend=False))
    operators.ready()
    flux.apply(job)
    ns.waits("Succeeded")
    before = ns.get()
    apply(ns, job, "--server-side", "--field-manager=argocd-controller")
    after = ns.get()
    managers = {one["manager"] for one in after["metadata"]["managedFields"]}
    assert managers >= {"kustomize-controller", "argocd-controller"}
    for document in (before, after):
        del document["metadata"]["managedFields"], document["metadata"]["resourceVersion"]
    assert after == before
    assert runs(ns) == 1
    without = deepcopy(job)
    without["spec"]["suspend"] = True
    assert "conflict" in refusal(
        ns, without, "apply", "--server-side", "--field-manager=argocd-controller"
    )


def test_a_job_that_is_pruned_ends(ns: ClusterNamespace, operators: Operators, flux: Flux) -> None:
    operators.ready()
    flux.apply(of(ns, of_scripts({"name": "long", "source": SLEEPS})))
    until(lambda: "ScriptStarted" in dict(ns.job_events()))
    ActionClient(ns).create("pause")
    until(lambda: ActionClient(ns).has_result("again"))
    ns.kubectl("delete", "ensojob", "shot")
    until(lambda: not operators.supervisors())
    until(lambda: not ns.kubectl("get", "ensoactions", "-o", "name").strip())


def test_what_somebody_changes_by_hand_is_put_back(
    ns: ClusterNamespace, operators: Operators, flux: Flux
) -> None:
    operators.ready()
    job = of(ns, of_scripts({"source": PASSES}, suspend=True))
    flux.apply(job)
    until(lambda: ns.state() == "Suspended")
    ns.patch(suspend=False, ttlSecondsAfterFinished=600)
    ns.waits("Succeeded")
    assert "configured" in flux.apply(job)
    assert ns.get()["spec"]["suspend"] is True
    assert "ttlSecondsAfterFinished" not in ns.get()["spec"]
    until(lambda: ns.get()["status"]["observedGeneration"] == ns.get()["metadata"]["generation"])
    assert (ns.state(), runs(ns)) == ("Succeeded", 1)


def test_flux_puts_back_what_the_manifest_does_not_name_and_argo_cd_leaves_it(
    ns: ClusterNamespace, operators: Operators, flux: Flux
) -> None:
    operators.ready()
    job = of(ns, of_scripts({"source": SLEEPS}))
    apply(ns, job)
    ns.patch(suspend=True)
    apply(ns, job)
    assert ns.get()["spec"]["suspend"] is True
    assert "configured" in flux.apply(job)
    assert ns.get()["spec"]["suspend"] is False


def test_flux_waits_for_a_job_and_fails_with_it(
    ns: ClusterNamespace, operators: Operators, flux: Flux
) -> None:
    operators.ready()
    named = of_scripts({"source": PASSES}) | {"metadata": {"name": "good"}}
    flux.apply(of(ns, named), waits=True)
    assert ns.state("good") == "Succeeded"
    with pytest.raises(FluxSays, match=r"EnsoJob/.*/shot status: 'Failed'"):
        flux.apply(of(ns, of_scripts({"source": RAISES})), waits=True)
    assert ns.state() == "Failed"


def test_a_job_that_deletes_itself_runs_again_and_a_policy_warns(
    ns: ClusterNamespace, operators: Operators, flux: Flux
) -> None:
    ns.kubectl("apply", "-f", str(POLICY))
    operators.ready()
    job = of(ns, of_scripts({"source": PASSES}, ttlSecondsAfterFinished=1))
    job["metadata"]["labels"] = {"kustomize.toolkit.fluxcd.io/name": "shows"}
    try:
        for count in (1, 2):
            flux.apply(job)
            until(lambda count=count: runs(ns) == count)  # type: ignore[misc]
            until(lambda: not ns.names())
        until(lambda: "Warning" in warnings(ns, job))
        assert "leave out spec.ttlSecondsAfterFinished" in warnings(ns, job)
        hook = deepcopy(job)
        hook["metadata"]["annotations"] = {"argocd.argoproj.io/hook": "PostSync"}
        assert warnings(ns, hook) == ""
        assert warnings(ns, of(ns, of_scripts({"source": PASSES}, ttlSecondsAfterFinished=1))) == ""
        del job["spec"]["ttlSecondsAfterFinished"]
        assert warnings(ns, job) == ""
    finally:
        ns.kubectl("delete", "-f", str(POLICY))


def warnings(ns: ClusterNamespace, document: Document) -> str:
    """Return what somebody reads on the terminal who would create it."""
    command = ["kubectl", "--kubeconfig", str(ns.cluster.kubeconfig), "-n", ns.namespace]
    done = subprocess.run(
        [*command, "create", "--dry-run=server", "-f", "-"],
        input=json.dumps(document),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stderr


def test_a_changed_manifest_is_refused_and_nothing_runs(
    ns: ClusterNamespace, operators: Operators, flux: Flux
) -> None:
    operators.ready()
    job = of(ns, of_scripts({"source": PASSES}))
    flux.apply(job)
    ns.waits("Succeeded")
    before = ns.get()
    with pytest.raises(FluxSays, match="field is immutable"):
        flux.apply(changed(job))
    assert "field is immutable" in refusal(ns, changed(job), "apply")
    assert "field is immutable" in refusal(ns, changed(job), "replace")
    assert ns.get() == before


def test_a_job_that_may_be_forced_runs_when_it_changes_and_only_then(
    ns: ClusterNamespace, operators: Operators, flux: Flux
) -> None:
    operators.ready()
    job = recipe("name: bake-shots\n  annotations", ns)
    name = job["metadata"]["name"]
    flux.apply(job)
    ns.waits("Succeeded", name)
    first = uid(ns, name)
    assert "unchanged" in flux.apply(job)
    assert uid(ns, name) == first
    flux.apply(changed(job))
    assert uid(ns, name) != first
    ns.waits("Succeeded", name)
    assert runs(ns, name) == 2


def test_argo_cd_s_force_runs_what_changes_and_its_replace_whatever_there_is(
    ns: ClusterNamespace, operators: Operators
) -> None:
    operators.ready()
    job = recipe("name: bake-shots\n  annotations", ns)
    name = job["metadata"]["name"]
    assert job["metadata"]["annotations"]["argocd.argoproj.io/sync-options"] == "Force=true"
    apply(ns, job, "--force")
    first = uid(ns, name)
    apply(ns, job, "--force")
    assert uid(ns, name) == first
    apply(ns, changed(job), "--force")
    second = uid(ns, name)
    assert second != first
    ns.kubectl("replace", "--force", "-f", "-", stdin=json.dumps(changed(job)))
    assert uid(ns, name) != second
    ns.waits("Succeeded", name)


def test_flux_forces_a_misspelt_job_too(
    ns: ClusterNamespace, operators: Operators, flux: Flux
) -> None:
    operators.ready()
    job = of(ns, of_scripts({"source": PASSES}))
    flux.apply(job)
    wrong = deepcopy(job)
    wrong["spec"]["scripts"][0]["timeoutSeconds"] = 0
    with pytest.raises(FluxSays):
        flux.apply(wrong, force=True)
    assert ns.names() == []


def test_a_hook_runs_at_every_sync(ns: ClusterNamespace, operators: Operators) -> None:
    """BeforeHookCreation: Argo CD deletes it, waits until it is gone, and creates it."""
    operators.ready()
    job = recipe("argocd.argoproj.io/hook: PostSync", ns)
    name = job["metadata"]["name"]
    health = CUSTOMIZATIONS / "enso.dev" / "EnsoJob" / "health.lua"
    for count in (1, 2):
        ns.kubectl("delete", "ensojob", name, "--ignore-not-found")
        ns.create(job)
        assert ran(health, ns.get(name))["status"] != "Healthy" or runs(ns, name) == count
        ns.waits("Succeeded", name)
        assert ran(health, ns.get(name)) == {
            "status": "Healthy",
            "message": "1 of 1 scripts are done",
        }
        assert runs(ns, name) == count


def test_a_hash_in_its_name_makes_a_job_of_each_change(
    ns: ClusterNamespace, operators: Operators, flux: Flux, tmp_path: Path
) -> None:
    operators.ready()
    chart = tmp_path / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: shows, version: 1.0.0}")
    (chart / "values.yaml").write_text("frames: 24\n")
    (chart / "templates" / "job.yaml").write_text(snippet("gitops.md", "sha256sum | trunc 8"))
    (chart / "bake-shots.yaml").write_text(
        "scripts:\n"
        "  - name: bake\n"
        "    args: {frames: {{ .Values.frames }}}\n"
        "    source: |\n"
        "      def main(frames): pass\n"
    )

    def rendered(*flags: str) -> Document:
        return of(ns, yaml.safe_load(helm("template", "shows", chart, *flags)))

    first, same, other = rendered(), rendered(), rendered("--set", "frames=48")
    names = [one["metadata"]["name"] for one in (first, same, other)]
    assert names[0] == names[1] != names[2]
    flux.apply(first)
    flux.apply(same)
    flux.apply(other)
    for name in {*names}:
        ns.waits("Succeeded", name)
        assert runs(ns, name) == 1


def test_templates_in_git_and_runs_in_the_cluster(
    ns: ClusterNamespace, operators: Operators, flux: Flux
) -> None:
    operators.ready()
    document = of(ns, template({"name": "open", "source": PASSES, "args": {"a": "$(params.shot)"}}))
    document["metadata"]["labels"] = {"studio/show": "banner", "app.kubernetes.io/instance": "x"}
    flux.apply(document)
    live = json.loads(ns.kubectl("get", "ensojobtemplate", "publish", "-o", "json"))
    run_it = CUSTOMIZATIONS / "enso.dev" / "EnsoJobTemplate" / "actions" / "run" / "action.lua"
    (made,) = ran(run_it, live, {"shot": "010"})
    ns.create(made["resource"])
    (name,) = ns.names()
    assert name.startswith("publish-")
    ns.waits("Succeeded", name)
    assert ns.get(name)["metadata"]["labels"] == {"studio/show": "banner"}
    ns.kubectl("delete", "ensojobtemplate", "publish")  # pruned
    assert ns.names() == [name]
    assert ns.state(name) == "Succeeded"


def test_argo_cd_s_actions_are_done_by_the_operator(
    ns: ClusterNamespace, operators: Operators
) -> None:
    operators.ready()
    ns.apply(of_scripts({"name": "open", "source": PASSES}, {"name": "do", "source": SLEEPS}))
    until(lambda: "ScriptStarted" in dict(ns.job_events()))
    actions = CUSTOMIZATIONS / "enso.dev" / "EnsoJob" / "actions"
    for verb, state in (("pause", "Suspended"), ("resume", "Running"), ("cancel", "Cancelled")):
        until(lambda: offered(ns, actions / "discovery.lua", verb))  # noqa: B023  # within its turn
        (made,) = ran(actions / verb / "action.lua", ns.get())
        ns.create(made["resource"])
        until(lambda: ns.state() == state)  # noqa: B023  # as above
    until(lambda: not offered(ns, actions / "discovery.lua", "cancel"))
    assert ns.state() == "Cancelled"


def offered(ns: ClusterNamespace, discovery: Path, verb: str) -> bool:
    return not ran(discovery, ns.get())[verb]["disabled"]
