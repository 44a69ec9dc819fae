"""Whatever becomes of the operator, sessions go on, and nothing is started twice."""

from __future__ import annotations

from tests.node.chart.release import Release, ReleaseDesk


def test_an_upgrade_and_a_rollback_disturb_no_job(desk: ReleaseDesk, release: Release) -> None:
    release.install()
    first = {pod["metadata"]["uid"] for pod in release.operators()}
    desk.holds("before")

    release.upgrade("podAnnotations.revision=two", "log.level=debug")
    desk.holds("during")
    release.settles()
    second = {pod["metadata"]["uid"] for pod in release.operators()}
    assert not first & second
    desk.let_go("before")
    desk.went_undisturbed("before")

    release.rollback()
    desk.holds("back")
    release.settles()
    assert not second & {pod["metadata"]["uid"] for pod in release.operators()}
    for name in ("during", "back"):
        desk.let_go(name)
        desk.went_undisturbed(name)


def test_another_operator_takes_over_from_one_that_dies(
    desk: ReleaseDesk, release: Release
) -> None:
    release.install()
    desk.holds("shot")

    release.hands_over(release.kill)

    desk.let_go("shot")
    desk.went_undisturbed("shot")


def test_sessions_outlive_the_release_and_the_next_one_tells_how_they_ended(
    desk: ReleaseDesk, release: Release
) -> None:
    release.install()
    desk.holds("shot")

    release.uninstall()
    desk.let_go("shot")
    ended = ("wait", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=50s")
    desk.kubectl(*ended, f"pod/{desk.pod()['metadata']['name']}")
    assert desk.rows("shot")[0] == ("waits", "Running", 1)  # nobody is there to know better

    release.install()
    desk.went_undisturbed("shot")
