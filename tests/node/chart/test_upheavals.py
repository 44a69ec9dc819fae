"""Whatever becomes of the operator, sessions go on, and nothing is started twice."""

from __future__ import annotations

from tests.cluster.action_client import apply_failing_job, resume_with
from tests.node.chart.release import Release, ReleaseNamespace


def test_an_upgrade_and_a_rollback_disturb_no_job(ns: ReleaseNamespace, release: Release) -> None:
    release.install()
    apply_failing_job(ns)
    resume_with(ns, 1)
    first = {pod["metadata"]["uid"] for pod in release.operators()}
    ns.holds("before")

    release.upgrade("podAnnotations.revision=two", "log.level=debug")
    ns.holds("during")
    release.settles()
    second = {pod["metadata"]["uid"] for pod in release.operators()}
    assert not first & second
    ns.let_go("before")
    ns.went_undisturbed("before")
    resume_with(ns, 2)
    ns.waits("Succeeded", "c")

    release.rollback()
    ns.holds("back")
    release.settles()
    assert not second & {pod["metadata"]["uid"] for pod in release.operators()}
    for name in ("during", "back"):
        ns.let_go(name)
        ns.went_undisturbed(name)


def test_another_operator_takes_over_from_one_that_dies(
    ns: ReleaseNamespace, release: Release
) -> None:
    release.install()
    ns.holds("shot")

    release.hands_over(release.kill)

    ns.let_go("shot")
    ns.went_undisturbed("shot")


def test_sessions_outlive_the_release_and_the_next_one_tells_how_they_ended(
    ns: ReleaseNamespace, release: Release
) -> None:
    release.install()
    ns.holds("shot")

    release.uninstall()
    ns.let_go("shot")
    ended = ("wait", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=150s")
    ns.kubectl(*ended, f"pod/{ns.pod()['metadata']['name']}")
    assert ns.rows("shot")[0] == ("waits", "Running", 1)  # nobody is there to know better

    release.install()
    ns.went_undisturbed("shot")
