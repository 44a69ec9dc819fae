"""The `resume` of an EnsoAction from the options of `enso resume`, and the jobs of `--failed`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from enso_operator.api.document import Document
from enso_operator.cli import arguments
from enso_operator.cli.jobs.list import filter_of, find_jobs, nothing_found
from enso_operator.kube.workstation.api_server import ApiServer
from job_execution_framework.domain.errors import InvalidAction
from job_execution_framework.domain.values import is_list, is_mapping

_EMPTY: list[object] = []


@dataclass(frozen=True)
class Changes:
    """The options of `enso resume`; without any, the checkpoints decide what runs again."""

    from_script: str = ""
    skip: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    """Changed arguments, as ``SCRIPT.PARAMETER=JSON``."""
    without: tuple[str, ...] = ()
    """Removed arguments, as ``SCRIPT.PARAMETER``."""
    file: Path | None = None
    """A file with more changes: the fields that an EnsoAction has below `resume`."""

    def block(self) -> Document:
        """Return the fields below `resume`; the API server validates them. Raises InvalidAction."""
        block = _read(self.file) if self.file else {}
        if self.from_script:
            block["from"] = self.from_script
        if self.skip:
            block["skip"] = [*(block.get("skip") or ()), *self.skip]
        for name, values in arguments.changed(self.arguments).items():
            script = _script(block, name)
            script["args"] = {**(script.get("args") or {}), **values}
        for name, keys in arguments.removed(self.without).items():
            script = _script(block, name)
            script["unsetArgs"] = [*(script.get("unsetArgs") or ()), *keys]
        return block


def failed_jobs(api: ApiServer, reason: str, selector: str, since: str) -> list[str]:
    """Return the names of the failed jobs, the newest first; print a note if there are none."""
    job_filter = filter_of(is_failed=True, since=since, reason=reason, selector=selector)
    names = [job.name for job in find_jobs(api, job_filter, datetime.now(UTC))]
    if not names:
        print(nothing_found(job_filter, api.access.namespace), file=sys.stderr)
    return names


def _script(block: Document, name: str) -> Document:
    """Return the block's changes of a script; add them if there are none yet."""
    scripts: list[Document] = block.setdefault("scripts", [])
    script = next((script for script in scripts if script.get("name") == name), None)
    if script is None:
        script = Document(name=name)
        scripts.append(script)
    return script


def _read(file: Path) -> Document:
    from enso_operator.manifests import yaml_reader  # noqa: PLC0415  # only with a file

    try:
        text = yaml_reader.read_text(file)
        document = yaml_reader.parse(text, is_json=file.suffix.lower() == ".json")
    except yaml_reader.DocumentError as error:
        raise InvalidAction(f"{file}: {error}") from None
    scripts = document.get("scripts", _EMPTY) if is_mapping(document) else None
    if not is_mapping(document) or not is_list(scripts) or not all(map(is_mapping, scripts)):
        raise InvalidAction(
            f"{file}: write into it what an EnsoAction has below resume, as in "
            "`scripts: [{name: simulate, args: {substeps: 4}}]`"
        )
    block = cast("Document", document)
    if wrong := ", ".join(_misshapen(block)):
        raise InvalidAction(f"{file}: {wrong}")
    return block


def _misshapen(block: Document) -> Iterator[str]:
    """Yield what options cannot be added to; the API server checks all else."""
    if not _is_or_absent(is_list, block.get("skip")):
        yield "skip must be a list, as in `skip: [open]`"
    for number, script in enumerate(block.get("scripts", ())):
        here = f"scripts[{script.get('name', number)}]"
        if not _is_or_absent(is_mapping, script.get("args")):
            yield f"{here}.args must be a mapping, as in `args: {{substeps: 4}}`"
        if not _is_or_absent(is_list, script.get("unsetArgs")):
            yield f"{here}.unsetArgs must be a list, as in `unsetArgs: [stiffness]`"


def _is_or_absent(is_right: Callable[[object], bool], value: object) -> bool:
    return value is None or is_right(value)
