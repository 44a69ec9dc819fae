"""What a job may do in its Pods, and what it may not: no credentials, no rights, no free hand."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence

import pytest

from tests.node.jobs.one_job import House, OneJob, applied
from tests.node.jobs.written import container, script
from tests.support.resources import EMPTY, Document, job, of_scripts

ALLOWED = "painter"
CANARY = "canary-7f3a"
SECRET = {"name": "tracker", "key": "token"}

LOOKS = """
import json, os, ssl, sys, urllib.request

def seen():
    where = "/var/run/secrets", "/run/secrets"
    files = [f"{at}/{name}" for top in where for at, _, names in os.walk(top) for name in names]
    mounts = open("/proc/self/mounts").read()
    return {
        "files": files,
        "mounted": "serviceaccount" in mounts,
        # Where the API server is, every kubelet tells every Pod; that is no secret.
        "variables": [name for name in os.environ if "_SERVICE_" in name and "KUBERN" not in name],
        "answer": asked(ADDRESS),
        "ids": [os.getuid(), os.getgid(), sorted(os.getgroups())],
        "capabilities": [line.split()[1] for line in open("/proc/self/status") if "CapEff" in line],
        "no_new_privileges": "NoNewPrivs:\\t1" in open("/proc/self/status").read(),
        "writable": os.access("/enso/runtime", os.W_OK) or os.access("/enso/plan", os.W_OK),
        "home": os.access(os.environ["HOME"], os.W_OK),
    }

def asked(address):
    context = ssl._create_unverified_context()
    try:
        urllib.request.urlopen(address + "/api/v1/pods", context=context, timeout=5)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
    return 200
"""
PRINTS = "print('saw ' + json.dumps(seen()), flush=True)"


@pytest.fixture(scope="module")
def flags() -> Sequence[str]:
    return ("--grace-seconds=2", f"--service-accounts={ALLOWED}")


def looks(ns: OneJob) -> str:
    address = json.loads(ns.kubectl("config", "view", "--minify", "-o", "json"))
    server = address["clusters"][0]["cluster"]["server"]
    return f"ADDRESS = {server!r}\n{LOOKS}"


def saw(ns: OneJob, pod: str) -> Document:
    line = next(line for line in ns.whole_output(pod).splitlines() if line.startswith("saw "))
    found: Document = json.loads(line.removeprefix("saw "))
    return found


def test_no_script_finds_a_credential_or_a_right(job: OneJob) -> None:
    source = looks(job)
    port = {"ports": [{"port": 80}]}
    applied(job, "Service", "tracker", spec=port)
    job.run(
        script("session", f"{source}\ndef main(): {PRINTS}"),
        container("alone", "python3", "-c", f"{source}\n{PRINTS}"),
    )
    job.waits("Succeeded")
    for pod in job.pods():
        found = saw(job, pod["metadata"]["name"])
        assert found.pop("answer") in (0, 401, 403)
        assert found == {
            "files": [],
            "mounted": False,
            "variables": [],
            "ids": [65532, 65532, [65532]],
            "capabilities": ["0000000000000000"],
            "no_new_privileges": True,
            "writable": False,
            "home": True,
        }
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        assert not any("projected" in volume for volume in spec["volumes"])


def test_a_secret_argument_reaches_main_and_nobody_else(job: OneJob) -> None:
    applied(job, "Secret", SECRET["name"], stringData={SECRET["key"]: CANARY})
    mark = job.node.audit.mark()
    source = (
        "import os\n"
        "def main(token, shot):\n"
        "    print('length', len(token), 'starts', token[:6], flush=True)\n"
        "    print('others', [v for v in os.environ.values() if token in v], flush=True)\n"
        "    raise ValueError(f'the tracker refused {token}')\n"
    )
    reference = {"name": "token", "secretKeyRef": SECRET}
    job.run(script("publish", source, args={"shot": "010"}, argsFrom=[reference]))
    told = job.fails()

    assert "ValueError: the tracker refused ***" in told.line
    assert "args shot=010 token=***" in told.line
    output = job.whole_output()
    assert f"length {len(CANARY)} starts {CANARY[:6]}" in output
    assert "others []" in output
    names = ("ensojob", "events", "configmaps", "pods")
    for kind in names:
        assert CANARY not in job.kubectl("get", kind, "-o", "json")
    assert CANARY not in job.house.operator.log_text
    assert CANARY not in job.kubectl("logs", job.pod()["metadata"]["name"], "-c", "records")
    requests = job.node.audit.since(mark)
    ours = [
        request
        for request in requests
        if request.resource == "secrets" and request.namespace == job.namespace
    ]
    assert {request.user_agent.partition("/")[0] for request in ours} <= {"kubelet", "kubectl"}


def volumes(kind: Document) -> Document:
    return {"volumes": [{"name": "v", **kind}], "volumeMounts": [{"name": "v", "mountPath": "/v"}]}


@pytest.mark.parametrize(
    ("session", "sentence"),
    [
        (
            {"serviceAccountName": "admin"},
            (
                f"serviceAccountName is 'admin', but the operator allows {ALLOWED}: remove it, or "
                "have it added to --service-accounts"
            ),
        ),
        (
            volumes({"nfs": {"server": "filer", "path": "/shows"}}),
            (
                "volumes[v] is an NFS export, which the operator does not allow: use a "
                "PersistentVolumeClaim, or have it started with --allow-nfs"
            ),
        ),
        (
            {
                "volumes": [{"name": "v", "emptyDir": EMPTY}],
                "volumeMounts": [{"name": "v", "mountPath": "/enso/run"}],
            },
            "volumeMounts: /enso/run is enso's own: use another",
        ),
        (
            {
                "volumes": [{"name": "v", "emptyDir": EMPTY}],
                "volumeMounts": [{"name": "v", "mountPath": "//x/../enso"}],
            },
            "is enso's own: use another",
        ),
        (
            {"volumes": [{"name": "enso-run", "emptyDir": EMPTY}]},
            "volumes[enso-run]: names with enso- are enso's own",
        ),
    ],
    ids=["account", "nfs", "mount", "roundabout", "volume"],
)
def test_what_the_operators_settings_forbid_is_refused_at_first_sight(
    job: OneJob, session: Document, sentence: str
) -> None:
    job.run(script("open"), sessions=[{"name": "houdini", **session}])
    told = job.fails()
    assert told.reason == "InvalidJob"
    assert sentence in told.line
    assert job.pods() == []


def test_an_account_that_is_allowed_is_used_without_its_token(job: OneJob) -> None:
    applied(job, "ServiceAccount", ALLOWED)
    source = looks(job)
    session = {"name": "houdini", "serviceAccountName": ALLOWED}
    job.run(script("look", f"{source}\ndef main(): {PRINTS}"), sessions=[session])
    job.waits("Succeeded")
    assert job.pod()["spec"]["serviceAccountName"] == ALLOWED
    assert saw(job, job.pod()["metadata"]["name"])["files"] == []


IN_SESSION: list[tuple[str, object]] = [
    ("hostNetwork", True),
    ("hostPID", True),
    ("hostIPC", True),
    ("hostUsers", True),
    ("hostAliases", [{"ip": "10.0.0.1", "hostnames": ["tracker"]}]),
    ("privileged", True),
    ("capabilities", {"add": ["SYS_ADMIN"]}),
    ("securityContext", {"runAsUser": 0}),
    ("allowPrivilegeEscalation", True),
    ("procMount", "Unmasked"),
    ("seccompProfile", {"type": "Unconfined"}),
    ("runAsNonRoot", False),
    ("initContainers", [{"name": "first", "image": "x"}]),
    ("containers", [{"name": "more", "image": "x"}]),
    ("ephemeralContainers", [{"name": "more", "image": "x"}]),
    ("affinity", {"nodeAffinity": EMPTY}),
    ("topologySpreadConstraints", [EMPTY]),
    ("nodeName", "enso-node"),
    ("schedulerName", "mine"),
    ("runtimeClassName", "mine"),
    ("automountServiceAccountToken", True),
    ("enableServiceLinks", True),
    ("shareProcessNamespace", True),
    ("restartPolicy", "Always"),
    ("terminationGracePeriodSeconds", 100),
    ("activeDeadlineSeconds", 100),
    ("command", ["sh"]),
    ("ports", [{"containerPort": 80, "hostPort": 80}]),
    ("lifecycle", {"preStop": {"exec": {"command": ["sh"]}}}),
    ("livenessProbe", EMPTY),
    ("envFrom", [{"secretRef": {"name": "all"}}]),
    ("metadata", {"annotations": {"a": "b"}}),
    ("podTemplate", EMPTY),
]
VOLUMES: list[tuple[str, object]] = [
    ("hostPath", {"path": "/"}),
    ("projected", {"sources": [{"serviceAccountToken": {"path": "token"}}]}),
    ("downwardAPI", EMPTY),
    ("csi", {"driver": "mine"}),
    ("ephemeral", EMPTY),
    ("iscsi", EMPTY),
    ("image", {"reference": "x"}),
]
SENTENCES: list[tuple[Document, str]] = [
    (
        {"runAsUser": 0},
        "spec.sessions[0].runAsUser in body should be greater than or equal to 1",
    ),
    (
        {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}}]},
        'unknown field "spec.sessions[0].env[0].valueFrom.fieldRef"',
    ),
    (
        {
            "volumes": [{"name": "v", "emptyDir": EMPTY}],
            "volumeMounts": [{"name": "v", "mountPath": "/v", "mountPropagation": "Bidirectional"}],
        },
        'unknown field "spec.sessions[0].volumeMounts[0].mountPropagation"',
    ),
]
FORBIDDEN: list[tuple[Document, str]] = [
    *((of_scripts({}, sessions=[{"name": "a", **fields}]), told) for fields, told in SENTENCES),
    *(
        (
            of_scripts({}, sessions=[{"name": "a", key: value}]),
            f'unknown field "spec.sessions[0].{key}"',
        )
        for key, value in IN_SESSION
    ),
    *(
        (
            of_scripts({}, sessions=[{"name": "a", "volumes": [{"name": "v", key: value}]}]),
            f'unknown field "spec.sessions[0].volumes[0].{key}"',
        )
        for key, value in VOLUMES
    ),
    *(
        (
            of_scripts({"container": {"image": "x", key: value}}),
            f'unknown field "spec.scripts[0].container.{key}"',
        )
        for key, value in (
            ("securityContext", {"privileged": True}),
            ("volumeDevices", [{"name": "v", "devicePath": "/dev/v"}]),
            ("restartPolicy", "Always"),
            ("hostNetwork", True),
        )
    ),
    *(
        (
            job({"scripts": [{"name": "a", "source": "x"}], key: value}),
            f'unknown field "spec.{key}"',
        )
        for key, value in (("template", EMPTY), ("podTemplate", EMPTY), ("hostNetwork", True))
    ),
]


def test_what_a_pod_must_not_have_is_refused_at_admission_with_a_sentence(house: House) -> None:
    names = house.ns.names()
    for document, sentence in FORBIDDEN:
        with pytest.raises(subprocess.CalledProcessError) as error:
            house.ns.apply(document)
        assert sentence in str(error.value.stderr)
    assert house.ns.names() == names
