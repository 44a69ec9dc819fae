"""Manifests that break one rule each, and the sentence that their author reads."""

from __future__ import annotations

from tests.support.resources import EMPTY, Document, in_session, job, library_script, of_scripts
from tests.support.templates import SHOT, template

CONTAINER = {"container": {"image": "curl"}}
TWO = [{"name": "a"}, {"name": "b"}]
NO_LICENCE = {"pattern": "No licence", "reason": "LicenseUnavailable"}
SECRET = {"name": "a", "secretKeyRef": {"name": "s", "key": "k"}}
TELL = {"name": "tell", "source": "x"}
KEYS = "a key is not as it must be: use letters, digits, '-', '_' and '.', after a prefix"
KINDS = "give it exactly one of scriptRef, source, function, container"
TOGETHER = "must stand together, with nothing between them"
VARIABLES = (
    "spec.scripts: Invalid value: script script-0: argsFrom of a container are environment "
    "variables: name them with letters, digits and underscores, beginning with a letter"
)
ORIGINS = "give it exactly one of secretKeyRef, outputOf"
UNKNOWN_SESSION = "a finally script names a session that the job does not have: add it to sessions"
VOLUMES = "give it exactly one of persistentVolumeClaim, configMap, secret, emptyDir, nfs"


def taking(**parameter: object) -> Document:
    """Return a script with one parameter."""
    return library_script(source="x", parameters=[{"name": "a", **parameter}])


RULES_REFUSED: list[tuple[Document, str]] = [
    (
        of_scripts({"scriptRef": {"name": "a"}, "source": "x"}),
        f"spec.scripts: Invalid value: script script-0: {KINDS}",
    ),
    (job({"scripts": [{"name": "a"}]}), f"spec.scripts: Invalid value: script a: {KINDS}"),
    (
        of_scripts({"session": "nuke"}),
        (
            "spec.scripts: Invalid value: script script-0 names session nuke, which the job does "
            "not have: add it to sessions"
        ),
    ),
    (
        of_scripts({}, {"session": "main"}, sessions=TWO),
        "script script-1 names session main, which the job does not have: add it to sessions",
    ),
    (
        of_scripts({"session": "a"}, {"session": "b"}, {}, sessions=TWO),
        f"spec.scripts: Invalid value: the scripts of session a {TOGETHER}",
    ),
    (of_scripts({}, CONTAINER, {}), f"the scripts of session main {TOGETHER}"),
    (
        of_scripts({}, {"session": "b"}, CONTAINER, {"session": "b"}, sessions=TWO),
        f"the scripts of session b {TOGETHER}",
    ),
    (
        of_scripts({}, CONTAINER | {"name": "main"}),
        "container script main has the name of a session: rename one",
    ),
    (
        of_scripts({}, CONTAINER | {"name": "b"}, sessions=TWO),
        "container script b has the name of a session: rename one",
    ),
    (
        of_scripts(CONTAINER | {"session": "main"}),
        "script script-0: a container is a session of its own: remove session",
    ),
    (
        of_scripts(CONTAINER | {"idleTimeoutSeconds": 60}),
        "script script-0: idleTimeoutSeconds means nothing for a container: use timeoutSeconds",
    ),
    (
        of_scripts({"timeoutSeconds": 60, "idleTimeoutSeconds": 61}),
        (
            "script script-0: idleTimeoutSeconds is longer than timeoutSeconds: make it shorter, "
            "or remove one of the two"
        ),
    ),
    (
        of_scripts(CONTAINER | {"failOn": [NO_LICENCE]}),
        (
            "spec.scripts: Invalid value: script script-0: nobody reads the output of a container: "
            "remove failOn"
        ),
    ),
    (
        of_scripts({"argsFrom": [{"name": "a"}]}),
        f"spec.scripts[0].argsFrom[0]: Invalid value: {ORIGINS}",
    ),
    (
        of_scripts({}, {"argsFrom": [SECRET | {"outputOf": {"script": "script-0"}}]}),
        f"spec.scripts[1].argsFrom[0]: Invalid value: {ORIGINS}",
    ),
    (
        of_scripts(
            {}, **{"finally": [{"name": "tell", "source": "x", "argsFrom": [{"name": "a"}]}]}
        ),
        f"spec.finally[0].argsFrom[0]: Invalid value: {ORIGINS}",
    ),
    (
        of_scripts({}, **{"finally": [{"name": "tell"}]}),
        f"spec.finally: Invalid value: finally script tell: {KINDS}",
    ),
    (
        of_scripts(*[EMPTY] * 100, **{"finally": [TELL]}),
        "spec.finally: Invalid value: a job has at most 100 scripts, with those of finally",
    ),
    (
        of_scripts({"name": "tell"}, **{"finally": [TELL]}),
        (
            "spec.finally: Invalid value: a finally script has the name of another script: rename "
            "one"
        ),
    ),
    (
        of_scripts({}, **{"finally": [TELL | {"session": "nuke"}]}),
        f"spec.finally: Invalid value: {UNKNOWN_SESSION}",
    ),
    (
        of_scripts({}, sessions=TWO, **{"finally": [TELL | {"session": "main"}]}),
        f"spec.finally: Invalid value: {UNKNOWN_SESSION}",
    ),
    (
        of_scripts({}, **{"finally": [CONTAINER | {"name": "main"}]}),
        "spec.finally: Invalid value: a container script has the name of a session: rename one",
    ),
    (
        of_scripts({}, sessions=TWO, **{"finally": [CONTAINER | {"name": "b"}]}),
        "spec.finally: Invalid value: a container script has the name of a session: rename one",
    ),
    (
        job({"templateRef": {"name": "publish"}, "finally": [TELL]}),
        (
            "spec.finally: Invalid value: the finally scripts of a run come from its template: "
            "remove them"
        ),
    ),
    (
        of_scripts(CONTAINER | {"argsFrom": [SECRET | {"name": "a-b"}]}),
        VARIABLES,
    ),
    (
        in_session(volumeMounts=[{"name": "a", "mountPath": "/a"}]),
        (
            "spec.sessions[0].volumeMounts: Invalid value: a volumeMount names none of the "
            "volumes: add it to volumes"
        ),
    ),
    (
        of_scripts(
            {"container": {"image": "curl", "volumeMounts": [{"name": "a", "mountPath": "/a"}]}}
        ),
        "spec.scripts[0].container.volumeMounts: Invalid value: a volumeMount names none",
    ),
    (
        in_session(podAnnotations={"scheduler.alpha.kubernetes.io/x": "1"}),
        (
            "spec.sessions[0].podAnnotations: Invalid value: an annotation is Kubernetes' or "
            "enso's own: remove it"
        ),
    ),
    (
        in_session(onInterrupted={"limit": 2}),
        (
            "spec.sessions[0].onInterrupted: Invalid value: limit means nothing with policy Fail: "
            "write policy: Retry"
        ),
    ),
    (
        in_session(tolerations=[{"value": "a"}]),
        (
            "spec.sessions[0].tolerations[0]: Invalid value: a toleration without key needs "
            "operator: Exists"
        ),
    ),
    (in_session(env=[{"name": "A"}]), "give it exactly one of value, valueFrom"),
    (
        in_session(env=[{"name": "A", "valueFrom": EMPTY}]),
        "give it exactly one of secretKeyRef, configMapKeyRef",
    ),
    (in_session(volumes=[{"name": "v"}]), VOLUMES),
    (
        in_session(volumes=[{"name": "v", "emptyDir": EMPTY, "secret": {"secretName": "s"}}]),
        VOLUMES,
    ),
    (in_session(nodeSelector={"a b": "c"}), f"nodeSelector: Invalid value: {KEYS}"),
    (in_session(resources={"limits": {"/cpu": 1}}), f"resources.limits: Invalid value: {KEYS}"),
    (
        in_session(resources={"requests": {"c" * 318: 1}}),
        f"resources.requests: Invalid value: {KEYS}",
    ),
    (
        job(of_scripts({})["spec"], "a" * 53),
        "metadata.name has more than 52 characters: names of Pods are made from it",
    ),
    (
        job(of_scripts({})["spec"], "a.b"),
        "metadata.name has a '.': use lower-case letters, digits and '-'",
    ),
    (job({}), "spec: Invalid value: give it exactly one of scripts, templateRef"),
    (
        of_scripts({}, templateRef={"name": "publish"}),
        "spec: Invalid value: give it exactly one of scripts, templateRef",
    ),
    (
        job({"templateRef": {"name": "publish"}, "sessions": [{"name": "a"}]}),
        "spec.sessions: Invalid value: the sessions of a run come from its template: remove them",
    ),
    (
        template() | {"metadata": {"name": "a" * 47}},
        "metadata.name has more than 46 characters: names of its runs are made from it",
    ),
    (library_script(), "spec: Invalid value: give it exactly one of source, function"),
    (library_script(source="x", function="a:b"), "give it exactly one of source, function"),
    (
        taking(type="string", access="read"),
        "access means nothing but with type path: remove one of the two",
    ),
    (
        taking(type="integer", pattern="x"),
        "pattern means nothing but with type string or path: remove one of the two",
    ),
    (
        taking(type="path", minimum=1),
        "minimum means nothing but with type integer or number: remove one of the two",
    ),
    (
        taking(type="boolean", maximum=1),
        "maximum means nothing but with type integer or number: remove one of the two",
    ),
    (taking(minimum=2, maximum=1.5), "minimum is above maximum: exchange them"),
    (taking(type="int"), 'spec.parameters[0].type: Unsupported value: "int"'),
    (
        library_script(source="x", parameters=[{"name": "a"}, {"name": "a"}]),
        "spec.parameters[1]: Duplicate value",
    ),
    (library_script("a" * 64, source="x"), "metadata.name has more than 63 characters"),
    (
        library_script("a.b", source="x"),
        "metadata.name has a '.': use lower-case letters, digits and '-'",
    ),
]
"""Rules between fields, which are written in CEL."""

_ONCE = {"reason": "LicenseUnavailable", "limit": 1}
_TWICE = {"name": "a", "value": "1"}
_MOUNT = {"name": "v", "mountPath": "/v"}

REFUSED: list[tuple[Document, str]] = [
    (of_scripts({"name": "a"}, {"name": "a"}), 'spec.scripts[1]: Duplicate value: {"name":"a"}'),
    (
        of_scripts({}, sessions=[{"name": "a"}, {"name": "a"}]),
        'spec.sessions[1]: Duplicate value: {"name":"a"}',
    ),
    (of_scripts({"argsFrom": [SECRET, SECRET]}), 'argsFrom[1]: Duplicate value: {"name":"a"}'),
    (in_session(env=[_TWICE, _TWICE]), 'env[1]: Duplicate value: {"name":"a"}'),
    (
        of_scripts({"container": {"image": "curl", "env": [_TWICE, _TWICE]}}),
        'container.env[1]: Duplicate value: {"name":"a"}',
    ),
    (
        in_session(volumes=[{"name": "v", "emptyDir": EMPTY}, {"name": "v", "emptyDir": EMPTY}]),
        'volumes[1]: Duplicate value: {"name":"v"}',
    ),
    (
        in_session(volumes=[{"name": "v", "emptyDir": EMPTY}], volumeMounts=[_MOUNT, _MOUNT]),
        'volumeMounts[1]: Duplicate value: {"mountPath":"/v"}',
    ),
    (of_scripts(), "spec.scripts in body should have at least 1 items"),
    (of_scripts(*[EMPTY] * 101), "spec.scripts: Too many: 101: must have at most 100 items"),
    (
        of_scripts({}, sessions=[{"name": f"s-{i}"} for i in range(21)]),
        "spec.sessions: Too many: 21: must have at most 20 items",
    ),
    (of_scripts({}, params={"shot": "010"}), '"spec" must not validate the schema'),
    (template(timeoutSecond=1), 'unknown field "spec.job.timeoutSecond"'),
    (template(scripts="$(params.scripts)"), "spec.job.scripts: Invalid value"),
    (template(parameters=[SHOT, SHOT]), 'spec.parameters[1]: Duplicate value: {"name":"shot"}'),
    (job({}) | {"spec": None}, "spec: Required value"),
    (of_scripts({"name": "a" * 64}), "spec.scripts[0].name: Too long"),
    (of_scripts({"name": "Open"}), "spec.scripts[0].name in body should match"),
    (of_scripts({"source": "x" * (64 * 1024 + 1)}), "source: Too long"),
    (library_script(source="x" * (256 * 1024 + 1)), "spec.source: Too long"),
    (of_scripts({"args": {f"a{i}": 1 for i in range(101)}}), "args: Too many: 101"),
    (of_scripts(CONTAINER | {"args": {"a": 1}}), '"spec.scripts[0]" must not validate the schema'),
    (of_scripts({"timeoutSeconds": 0}), "should be greater than or equal to 1"),
    (of_scripts({"retries": {"limit": 101}}), "should be less than or equal to 100"),
    (of_scripts({}, activeDeadlineSeconds=0), "should be greater than or equal to 1"),
    (of_scripts({}, ttlSecondsAfterFinished=-1), "should be greater than or equal to 0"),
    (of_scripts({"timeoutSeconds": "60"}), "timeoutSeconds in body must be of type integer"),
    (of_scripts({"function": "studio.publish"}), "function in body should match"),
    (in_session(interpreter=[]), "interpreter in body should have at least 1 items"),
    (in_session(onInterrupted={"policy": "Try"}), 'supported values: "Fail", "Retry"'),
    (in_session(resources={"limits": {"cpu": -1}}), "should be greater than or equal to 0"),
    (in_session(resources={"limits": {"cpu": "four"}}), "limits.cpu in body should match"),
    (in_session(outputDirectory="out"), "outputDirectory in body should match '^/"),
    (
        of_scripts({"retries": {"onReasons": [_ONCE, _ONCE]}}),
        'retries.onReasons[1]: Duplicate value: {"reason":"LicenseUnavailable"}',
    ),
    (
        of_scripts({"retries": {"onReasons": [_ONCE | {"reason": "No licence"}]}}),
        "retries.onReasons[0].reason in body should match",
    ),
    (of_scripts({"failOn": [NO_LICENCE] * 11}), "failOn: Too many: 11: must have at most 10 items"),
    (
        of_scripts({"failOn": [NO_LICENCE | {"reason": "licence"}]}),
        "failOn[0].reason in body should match",
    ),
    (
        of_scripts({}, **{"finally": [TELL, TELL]}),
        'spec.finally[1]: Duplicate value: {"name":"tell"}',
    ),
    (
        of_scripts({}, **{"finally": [TELL | {"name": f"t{i}"} for i in range(11)]}),
        "spec.finally: Too many: 11: must have at most 10 items",
    ),
    (
        of_scripts({}, **{"finally": [TELL | {"when": "Never"}]}),
        'spec.finally[0].when: Unsupported value: "Never"',
    ),
    (
        of_scripts({}, **{"finally": [TELL | {"checkpoint": True}]}),
        'unknown field "spec.finally[0]',
    ),
    (of_scripts({}, suspended=True), 'unknown field "spec.suspended"'),
    (in_session(runAsUser=0), "runAsUser in body should be greater than or equal to 1"),
    (in_session(privileged=True), 'unknown field "spec.sessions[0].privileged"'),
]
"""Bounds, forms and unique names, which the schema itself says."""
