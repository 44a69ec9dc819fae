"""Takes pictures of the page of a job that failed, in a light and a dark scheme."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.request import Request, urlopen

import yaml
from dev.checkout import Failed
from dev.host import requirements
from dev.pictures.terminal import PROGRAMS
from playwright.sync_api import sync_playwright

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTH, HEIGHT = 1100, 720
SECONDS = 60.0
"""How long the job may take until it has failed."""


def photograph(manifest: Path, folder: Path, name: str) -> list[Path]:
    """Run the job of the manifest, which fails; return the pictures of its page, by scheme."""
    browser = requirements.program(requirements.BROWSER)
    with _served(manifest) as address:
        jobid = _run(address, manifest.stem)
        with sync_playwright() as playwright:
            window = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
            pictures: list[Path] = []
            for scheme in SCHEMES:
                page = window.new_page(
                    viewport={"width": WIDTH, "height": HEIGHT},
                    color_scheme=scheme,
                    device_scale_factor=2,
                )
                page.goto(f"{address}/jobs/{jobid}")
                pictures.append(folder / f"{name}-{scheme}.png")
                page.screenshot(path=pictures[-1])
            window.close()
    return pictures


@contextmanager
def _served(manifest: Path) -> Generator[str]:
    """Serve a template that makes the manifest's job, on a port that is free."""
    with tempfile.TemporaryDirectory(prefix="enso-pictures-") as folder:
        _write_template(manifest, Path(folder))
        server = subprocess.Popen(
            [PROGRAMS / "enso", "serve", "--embedded", "--port", "0", "--templates", folder],
            env=os.environ | {"TMPDIR": folder},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        try:
            said = server.stdout.readline() if server.stdout else ""
            address = re.search(r"http://[0-9.:]+", said)
            if address is None:
                raise Failed(f"enso serve said {said!r} and no address")
            yield address[0]
        finally:
            server.terminate()
            server.wait()


def _write_template(manifest: Path, folder: Path) -> None:
    job = yaml.safe_load(manifest.read_text("utf-8"))
    template = {
        "apiVersion": job["apiVersion"],
        "kind": "EnsoJobTemplate",
        "metadata": {"name": manifest.stem},
        "spec": {"job": job["spec"]},
    }
    (folder / manifest.name).write_text(yaml.safe_dump(template, sort_keys=False), "utf-8")


def _run(address: str, template: str) -> str:
    """Run a job of the template until it has failed, and return its id."""
    jobid = str(_asked(address, "/add-job", {"template": template})["jobid"])
    _asked(address, "/execute-job", {"jobid": jobid})
    end = time.monotonic() + SECONDS
    while (state := _asked(address, f"/get-job/{jobid}")["state"]) != "Failed":
        if state == "Succeeded" or time.monotonic() > end:
            raise Failed(f"the job of {template} is {state}, and was to fail")
        time.sleep(0.1)
    return jobid


def _asked(address: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
    """Ask the server as curl does, with a POST where there is a body."""
    request = Request(  # noqa: S310  # of this machine
        address + path,
        json.dumps(body).encode() if body else None,
        {"Content-Type": "application/json"},
    )
    with urlopen(request) as answer:  # noqa: S310
        document: dict[str, Any] = json.load(answer)
    return document
