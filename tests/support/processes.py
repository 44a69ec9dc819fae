"""Processes that are forked from one server, which has imported the slow modules already.

A test that needs sixty operators does not wait sixty times for their imports.
"""

import multiprocessing

processes = multiprocessing.get_context("forkserver")
# One list for all tests: each call replaces the list of an earlier call.
processes.set_forkserver_preload(
    ["enso_operator.cli.operator", "enso_operator.cli.run", "tests.support.operators"]
)
