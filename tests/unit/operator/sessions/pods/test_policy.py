"""What the operator's settings do not allow."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import pytest
from pydantic import ValidationError

from enso_operator.api.document import Document
from enso_operator.api.session_fields import VolumeMount
from enso_operator.api.v1alpha1 import SessionSpec
from enso_operator.sessions.pods.policy import check_output_directory, check_pod
from enso_operator.settings import PodSettings
from job_execution_framework.domain.errors import InvalidJob

SETTINGS = PodSettings(records_image="enso")


def mounted_at(path: str) -> SessionSpec:
    return SessionSpec(name="a", volume_mounts=[VolumeMount(name="v", mount_path=path)])


@pytest.mark.parametrize(
    "path", ["/enso", "/enso/run", "/enso/", "//enso", "/x/../enso", "/./enso/plan"]
)
def test_nothing_is_mounted_over_what_is_ours_however_it_is_written(path: str) -> None:
    with pytest.raises(InvalidJob, match="is enso's own"):
        check_pod(mounted_at(path), "spec.sessions[a]", SETTINGS)


@pytest.mark.parametrize("path", ["/ensorcell", "/shows/enso", "/x"])
def test_volumes_may_be_mounted_at_other_paths(path: str) -> None:
    check_pod(mounted_at(path), "spec.sessions[a]", SETTINGS)


@pytest.mark.parametrize(
    ("prefixes", "allowed"),
    [
        (["sidecar.istio.io/"], "sidecar.istio.io/"),
        (["sidecar.istio.io/inject", "a.b/"], "a.b/, sidecar.istio.io/inject"),
    ],
)
def test_annotations_are_of_the_prefixes_that_the_settings_allow(
    prefixes: list[str], allowed: str
) -> None:
    settings = PodSettings(records_image="enso", allowed_pod_annotation_prefixes=prefixes)
    good = SessionSpec(name="a", pod_annotations={"sidecar.istio.io/inject": "false"})
    check_pod(good, "spec.sessions[a]", settings)
    bad = SessionSpec(name="a", pod_annotations={"sidecar.istio.io.evil/inject": "false"})
    with pytest.raises(InvalidJob) as refused:
        check_pod(bad, "spec.sessions[a]", settings)
    assert str(refused.value) == (
        "spec.sessions[a].podAnnotations has sidecar.istio.io.evil/inject, but the operator allows "
        f"{allowed}: remove it, or have its prefix added to --allowed-pod-annotation-prefixes"
    )


def test_without_a_setting_no_annotation_is_allowed() -> None:
    with pytest.raises(InvalidJob, match="but the operator allows none: remove it"):
        check_pod(SessionSpec(name="a", pod_annotations={"a.b/c": ""}), "s", SETTINGS)


@pytest.mark.parametrize("prefix", ["", "/", "istio.io", "Istio.io/", "*/"])
def test_a_prefix_has_a_whole_domain(prefix: str) -> None:
    with pytest.raises(ValidationError):
        PodSettings(records_image="enso", allowed_pod_annotation_prefixes=[prefix])


CLAIM = {"persistentVolumeClaim": {"claimName": "logs"}}
READ_ONLY = {"persistentVolumeClaim": {"claimName": "logs", "readOnly": True}}
WRITABLE = {"name": "v", "mountPath": "/logs"}


def keeping(
    directory: str, volume: Mapping[str, object], *mounts: Mapping[str, object]
) -> SessionSpec:
    volumes: list[Document] = [{"name": "v", **volume}, {"name": "empty", "emptyDir": {}}]
    fields: Document = {"volumes": volumes, "volumeMounts": mounts or (WRITABLE,)}
    return SessionSpec.model_validate_json(
        json.dumps({"name": "a", "outputDirectory": directory, **fields})
    )


@pytest.mark.parametrize("directory", ["/logs", "/logs/", "/logs/enso/x", "//logs/../logs"])
@pytest.mark.parametrize("volume", [CLAIM, {"nfs": {"server": "s", "path": "/"}}])
def test_output_is_kept_in_a_volume_that_stays(directory: str, volume: dict[str, object]) -> None:
    check_output_directory(keeping(directory, volume), "spec.sessions[a]")
    check_output_directory(SessionSpec(name="a"), "spec.sessions[a]")


NOWHERE = "which is within none of the session's volumeMounts: mount a volume there"
UNWRITABLE = "is in the volume v, to which nothing can be written there: mount one without readOnly"
GONE = "is in the emptyDir empty, which is gone with the Pod: use a volume that stays"


@pytest.mark.parametrize(
    ("session", "sentence"),
    [
        (keeping("/x", CLAIM), f"is /x, {NOWHERE}"),
        (keeping("/logs/../x", CLAIM), NOWHERE),
        (keeping("/logsbook", CLAIM), NOWHERE),
        (keeping("/logs", READ_ONLY), UNWRITABLE),
        (keeping("/logs", CLAIM, WRITABLE | {"readOnly": True}), UNWRITABLE),
        (keeping("/logs", {"configMap": {"name": "c"}}), UNWRITABLE),
        (keeping("/logs", {"secret": {"secretName": "c"}}), UNWRITABLE),
        (keeping("/logs", CLAIM, {"name": "empty", "mountPath": "/logs"}), GONE),
        (
            keeping("/logs/x/y", CLAIM, WRITABLE, {"name": "empty", "mountPath": "/logs/x"}),
            GONE,
        ),
    ],
)
def test_output_that_would_not_outlive_the_pod_is_refused(
    session: SessionSpec, sentence: str
) -> None:
    with pytest.raises(InvalidJob, match=re.escape(sentence)) as refused:
        check_output_directory(session, "spec.sessions[a]")
    assert str(refused.value).startswith("spec.sessions[a].outputDirectory ")
