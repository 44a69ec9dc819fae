"""Messages of kubelets and runtimes, shortened to one line that keeps what matters."""

from __future__ import annotations

import pytest

from enso_operator.sessions.pods.kubelet_messages import of_pull, of_start

PULL = 'failed to pull and unpack image "studio/houdini:20.5": '


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            (
                f"{PULL}failed to copy: httpReadSeeker: failed open: unexpected status from GET "
                "request to http://registry/v2/houdini/manifests/sha256:a5df: 403 Forbidden\n"
                "denied: ask pipeline@studio.example"
            ),
            "403 Forbidden denied: ask pipeline@studio.example",
        ),
        (
            (
                f'Back-off pulling image "studio/houdini:20.5": ErrImagePull: {PULL}failed to '
                'resolve reference "studio/houdini:20.5": pull access denied, it may require '
                "authorization"
            ),
            "pull access denied, it may require authorization",
        ),
        (
            f"rpc error: code = NotFound desc = {PULL}failed to resolve image: not found",
            "not found",
        ),
        (
            (
                f"{PULL}failed to resolve image: failed to do request: "
                'Head "https://registry/v2/": dial tcp: lookup registry: no such host'
            ),
            'Head "https://registry/v2/": dial tcp: lookup registry: no such host',
        ),
        ("ImagePullBackOff", "ImagePullBackOff"),
        ("", "it cannot be pulled"),
    ],
)
def test_a_registrys_sentence_stands_behind_the_images_name(message: str, told: str) -> None:
    assert of_pull("houdini", message) == f"houdini: {told}"


def test_why_a_process_did_not_start_is_said_without_the_runtimes_parts() -> None:
    why = 'exec: "python3": executable file not found in $PATH'
    long = f"OCI runtime create failed: unable to start container process: {why}"
    assert of_start(long) == of_start(why) == why
