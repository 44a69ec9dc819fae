"""The operator interrupts no other process as it wakes up, and scripts of users do as any other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.kubelet import PODS
from tests.support.operators import LOCAL, operators_of


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="only Linux has it")
def test_only_an_operator_that_starts_no_processes_of_users_is_a_batch_process(
    ns: ClusterNamespace, tmp_path: Path
) -> None:
    policies = list[int]()
    for sessions in (PODS, LOCAL):
        with operators_of(ns.cluster.kubeconfig, ns.namespace, tmp_path, sessions) as operators:
            policies.append(os.sched_getscheduler(operators.ready().pid))
    assert policies == [os.SCHED_BATCH, os.SCHED_OTHER]
