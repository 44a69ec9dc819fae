"""What the operator's settings do not allow."""

from __future__ import annotations

import pytest

from enso_operator.api.session_fields import VolumeMount
from enso_operator.api.v1alpha1 import SessionSpec
from enso_operator.sessions.pods.policy import check_pod
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
