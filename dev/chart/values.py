"""The values of the chart: what values.yaml, values.schema.json and the table of its README say.

`make manifests` writes all three from here. A value that is not here is refused by `helm install`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from enso_operator.settings import (
    OPERATOR_USER,
    AnnotationPrefix,
    GraceSeconds,
    PodSettings,
    UserId,
)

POD = PodSettings()
"""The operator's own defaults."""
Count = Annotated[int, Field(ge=0)]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[int, Field(ge=1)]
Name = Annotated[str, Field(max_length=63, pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$")]
Digest = Annotated[str, Field(pattern=r"^(sha256:[0-9a-f]{64})?$")]
Map = dict[str, Any]
"""A part of Kubernetes' own API: its API server checks it."""
Strings = dict[str, str]


class Strict(BaseModel):
    """Refuses what it does not know: a misspelt value would otherwise do nothing."""

    model_config = ConfigDict(
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )


class Image(Strict):
    """The operator's image, which every session's records sidecar runs, too."""

    repository: Annotated[str, Field(min_length=1)] = "enso-executer/enso-operator"
    """Where it is."""
    tag: str = ""
    """By default the version of the chart's app."""
    digest: Digest = ""
    """sha256:…; where it is given, the tag means nothing."""
    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """When nodes pull it, for the operator and for sessions."""


class ApiServer(Strict):
    """Another way to the API server than the Service `kubernetes`: without kube-proxy, say."""

    host: str = ""
    """Its address; the API server's certificate must name it. By default the Service's."""
    port: Port = 443
    """Its port, where a host is given."""


class Sessions(Strict):
    """The Pods that run scripts."""

    image: str = ""
    """Image of sessions that name none, with Python >= 3.10. By default the operator's own."""
    grace_seconds: GraceSeconds = POD.grace_seconds
    """Between SIGTERM and SIGKILL of a session that is cancelled or deleted."""
    pull_patience_seconds: Count = int(POD.pull_patience_seconds)
    """A job whose image cannot be pulled for so long has failed."""
    schedule_patience_seconds: Count | None = None
    """A job whose Pod no node takes for so long has failed; by default never."""
    unreachable_seconds: Count = POD.unreachable_seconds
    """How long a Pod stays on a node that is not ready, or cannot be reached."""
    service_accounts: list[Name] = Field(default_factory=list[Name])
    """The service accounts that jobs may name; by default none."""
    allowed_pod_annotation_prefixes: list[AnnotationPrefix] = Field(
        default_factory=list[AnnotationPrefix]
    )
    """Prefixes of annotations that jobs may give their Pods, such as sidecar.istio.io/; by default
    none."""
    allow_nfs: bool = Field(default=POD.allow_nfs, alias="allowNFS")
    """Whether jobs may mount NFS by address. Pod Security `restricted` refuses it all the same."""
    run_as_user: UserId = POD.run_as_user
    """User of sessions that name none."""
    run_as_group: Count = POD.run_as_group
    """Group of sessions that name none."""
    records_resources: Map = Field(
        default_factory=lambda: {
            "requests": {**POD.records_requests},
            "limits": {**POD.records_limits},
        }
    )
    """Requests and limits of the container that brings records out of each Pod. A quota that has
    limits.cpu wants a cpu in its limits, such as 100m."""


class Log(Strict):
    """What the operator logs."""

    format: Literal["json", "text"] = "json"
    """As JSON, or as lines for people."""
    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least of what is logged."""


class LeaderElection(Strict):
    """Of several replicas one works, the others stand by."""

    enabled: bool = True
    """Without it, keep one replica: two do each other's work again, though nothing twice."""
    lease_name: str = ""
    """Name of the Lease in the release's namespace; by default the release's full name."""


class Crds(Strict):
    """The kinds EnsoJob, EnsoJobTemplate, EnsoScript, EnsoAction: once in a cluster."""

    enabled: bool = True
    """Install and upgrade them with the release."""
    keep: bool = True
    """Leave them, and with them every EnsoJob, when the release is uninstalled."""


class Actions(Strict):
    """EnsoActions: what people ask of jobs that exist."""

    record_caller: bool = True
    """Write the caller's name into an action that names nobody, where the cluster can: Kubernetes
    >= 1.36, and a release that looks after all namespaces."""


class Rbac(Strict):
    """Rights."""

    create: bool = True
    """Grant the operator, and a gateway with auth `none`, what they need, and nothing else."""
    user_roles: bool = True
    """Let whoever has the roles view or edit of a namespace see or make EnsoJobs there, and have
    the role enso-artist."""


class ServiceAccount(Strict):
    """Who the operator is."""

    create: bool = True
    """Create it."""
    name: str = ""
    """By default the release's full name, or `default` where it is not created."""
    annotations: Strings = Field(default_factory=Strings)
    """Its annotations."""


class PodDisruptionBudget(Strict):
    """How a drain of nodes goes about the replicas."""

    enabled: bool = True
    """Create one."""
    max_unavailable: Annotated[int, Field(ge=1)] = 1
    """So many at once may be away. It never holds up a drain: sessions do without an operator."""


class NetworkPolicy(Strict):
    """Which Pods may connect to the release's. A node's own probes always may."""

    enabled: bool = False
    """Create one for the operator, and one for the gateway where it runs."""
    operator_from: list[Map] = Field(default_factory=list[Map])
    """Who may reach probes and metrics, as `from` of a NetworkPolicy has it. By default no Pod."""
    gateway_from: list[Map] = Field(default_factory=list[Map])
    """Who may reach the HTTP API: the proxy before it, say. By default no Pod."""


class PodMonitor(Strict):
    """Lets a Prometheus of the Prometheus operator read the metrics of enso's operators."""

    enabled: bool = False
    """Create it."""
    interval_seconds: Seconds = 30
    """How often they are read."""


class Alerts(Strict):
    """Alerts of that Prometheus, as a PrometheusRule: an operator that is down, jobs that wait."""

    enabled: bool = False
    """Create it."""


class Dashboard(Strict):
    """A dashboard for Grafana, as a ConfigMap that its sidecar finds."""

    enabled: bool = False
    """Create it."""
    labels: Strings = Field(default_factory=lambda: {"grafana_dashboard": "1"})
    """The labels by which the sidecar finds it."""


class Monitoring(Strict):
    """What Prometheus and Grafana are told of the operator."""

    pod_monitor: PodMonitor = Field(default_factory=PodMonitor)
    alerts: Alerts = Field(default_factory=Alerts)
    labels: Strings = Field(default_factory=Strings)
    """Labels of the PodMonitor and the PrometheusRule, as your Prometheus selects them."""
    dashboard: Dashboard = Field(default_factory=Dashboard)


class Tracing(Strict):
    """A trace of each job, for Tempo, Jaeger or whatever else an OpenTelemetry collector feeds."""

    endpoint: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = ""
    """Where the collector takes OTLP over HTTP: http://collector.monitoring:4318, say. Without one
    there are no traces. Other OTEL_ variables of the SDK may stand in extraEnv."""


class Service(Strict):
    """The gateway's Service."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = "ClusterIP"
    """With gateway.auth `none` whoever reaches it may run the scripts of the library."""
    port: Port = 5005
    """Its port."""
    annotations: Strings = Field(default_factory=Strings)
    """Its annotations."""


class Gateway(Strict):
    """The HTTP API, over the jobs of jobsNamespace."""

    enabled: bool = False
    """Run it."""
    auth: Literal["kubernetes", "none"] = "kubernetes"
    """Whose rights decide. kubernetes: those that each caller has in the cluster, by their token;
    the gateway has none. none: the gateway's, for whoever reaches it, so put a proxy that keeps
    others out before it."""
    trusted_proxies: list[str] = Field(default_factory=list[str])
    """Addresses and networks of proxies before it, whose X-Forwarded-Proto and X-Forwarded-Host are
    believed: people sign in over https only."""
    replicas: Count = 1
    """How many."""
    service: Service = Field(default_factory=Service)
    service_account: ServiceAccount = Field(default_factory=ServiceAccount)
    resources: Map = Field(
        default_factory=lambda: {
            "requests": {"cpu": "20m", "memory": "96Mi"},
            "limits": {"memory": "256Mi"},
        }
    )
    """Its requests and limits."""
    pod_annotations: Strings = Field(default_factory=Strings)
    """Annotations of its Pods."""
    pod_labels: Strings = Field(default_factory=Strings)
    """Labels of its Pods."""


class Test(Strict):
    """`helm test`: a job of one script is created, waited for and removed again."""

    enabled: bool = True
    """Have it."""
    timeout_seconds: Seconds = 240
    """How long the job may take; the pull of an image counts. helm's own --timeout is 5m."""


def _restricted_pod() -> Map:
    return {
        "runAsNonRoot": True,
        "runAsUser": OPERATOR_USER,
        "runAsGroup": OPERATOR_USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _restricted_container() -> Map:
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


class Values(Strict):
    """Values of the chart enso-executer."""

    watch_namespaces: list[Name] = Field(default_factory=list[Name])
    """Namespaces whose EnsoJobs are looked after, with Roles there only; without any, all."""
    jobs_namespace: Name = ""
    """Where the HTTP API, `helm test` and the first job of the notes have their EnsoJobs; never the
    release's own. By default the first other one of watchNamespaces, else `default`."""
    replicas: Count = 1
    """Operators. A second one takes over in seconds where a node dies, rather than in minutes."""
    image: Image = Field(default_factory=Image)
    image_pull_secrets: list[Strings] = Field(default_factory=list[Strings])
    """Secrets for it, as in `- name: registry`. The sessions' own are named by jobs."""
    api_server: ApiServer = Field(default_factory=ApiServer)
    sessions: Sessions = Field(default_factory=Sessions)
    leader_election: LeaderElection = Field(default_factory=LeaderElection)
    resync_seconds: Seconds = 60
    """How often what the watch has shown is compared with what there is."""
    log: Log = Field(default_factory=Log)
    health_port: Annotated[int, Field(ge=1024, le=65535)] = 8081
    """Port of /healthz, /readyz and /metrics of the operator's Pods."""
    extra_env: list[Map] = Field(default_factory=list[Map])
    """More of the operator's environment, as in `- {name: ENSO_…, value: …}`."""
    crds: Crds = Field(default_factory=Crds)
    actions: Actions = Field(default_factory=Actions)
    rbac: Rbac = Field(default_factory=Rbac)
    service_account: ServiceAccount = Field(default_factory=ServiceAccount)
    pod_disruption_budget: PodDisruptionBudget = Field(default_factory=PodDisruptionBudget)
    network_policy: NetworkPolicy = Field(default_factory=NetworkPolicy)
    monitoring: Monitoring = Field(default_factory=Monitoring)
    tracing: Tracing = Field(default_factory=Tracing)
    gateway: Gateway = Field(default_factory=Gateway)
    test: Test = Field(default_factory=Test)
    resources: Map = Field(
        default_factory=lambda: {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"memory": "512Mi"},
        }
    )
    """Requests and limits of the operator."""
    pod_security_context: Map = Field(default_factory=_restricted_pod)
    """Of all Pods of the release. `null` takes a field away, as OpenShift wants for runAsUser."""
    security_context: Map = Field(default_factory=_restricted_container)
    """Of all containers of the release."""
    node_selector: Strings = Field(default_factory=Strings)
    """Nodes for the release's Pods; jobs say their own."""
    tolerations: list[Map] = Field(default_factory=list[Map])
    """Taints that they tolerate."""
    affinity: Map = Field(default_factory=Map)
    """Their affinity; by default the operator's replicas avoid each other's nodes."""
    priority_class_name: str = ""
    """Their priority."""
    termination_grace_period_seconds: Annotated[int, Field(ge=10)] = 30
    """How long they have to stop in order."""
    pod_annotations: Strings = Field(default_factory=Strings)
    """Annotations of the operator's Pods."""
    pod_labels: Strings = Field(default_factory=Strings)
    """Labels of the operator's Pods."""
    common_labels: Strings = Field(default_factory=Strings)
    """Labels of everything that the release has."""
    name_override: Name = ""
    """Instead of the chart's name in the names of objects."""
    fullname_override: Name = ""
    """Instead of the release's full name."""
