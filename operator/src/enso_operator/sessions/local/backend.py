"""The sessions of all EnsoJobs on this machine: a folder for each job, named by its uid."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Collection
from pathlib import Path

from enso_operator.blocking import in_thread
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.sessions.local.sessions import LocalSessions
from job_execution_framework.domain.control import CANCEL


class LocalSessionBackend:
    """The folder below which one cluster's jobs keep their sessions."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._going: set[str] = set()

    def sessions(self, ensojob: EnsoJobObject) -> LocalSessions:
        """Return the sessions of a job."""
        return LocalSessions(self.root / ensojob.namespace / ensojob.uid)

    async def forget(self, namespace: str, uid: str) -> None:
        """End a deleted job's sessions that still run, and remove its folder."""
        if uid in self._going:
            return
        self._going.add(uid)
        try:
            sessions = LocalSessions(self.root / namespace / uid)
            runs = [folder.name for folder in await in_thread(_folders, sessions.root)]
            for run in runs:
                await sessions.tell(run, "", CANCEL)
            for run in runs:
                async for _ in sessions.follow(run, ""):
                    pass
            await in_thread(shutil.rmtree, sessions.root, ignore_errors=True)
        finally:
            self._going.discard(uid)

    async def forget_all(self, namespace: str) -> None:
        """End all sessions of a namespace's jobs, and remove their folders."""
        folder = self.root / namespace
        jobs = await in_thread(_folders, folder)
        await asyncio.gather(*(self.forget(namespace, job.name) for job in jobs))
        await in_thread(shutil.rmtree, folder, ignore_errors=True)

    async def tidy(self, namespaces: Collection[str], known: Collection[str]) -> None:
        """End and remove sessions in these namespaces whose job's uid is not `known`."""
        strangers = await in_thread(self._unknown_jobs, namespaces, known)
        await asyncio.gather(*(self.forget(*stranger) for stranger in strangers))

    def _unknown_jobs(
        self, namespaces: Collection[str], known: Collection[str]
    ) -> list[tuple[str, str]]:
        return [
            (folder.name, job.name)
            for folder in _folders(self.root)
            if not namespaces or folder.name in namespaces
            for job in _folders(folder)
            if job.name not in known
        ]


def _folders(parent: Path) -> list[Path]:
    return [path for path in parent.iterdir() if path.is_dir()] if parent.exists() else []
