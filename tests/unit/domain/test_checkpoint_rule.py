"""What runs again when an interpreter starts afresh, and what does not: the table.

Saving a scene that nothing has modified must be impossible, and so must losing a night's work.
"""

from __future__ import annotations

import pytest

from job_execution_framework.domain.failure_card import to_come
from tests.support.cells import Cell, driven

TABLE = {
    # --- nothing goes wrong
    "scripts run once, in order": Cell("open do save", "", "| open:1 do:1 save:1"),
    "each session runs once": Cell("open save ; render", "", "| open:1 save:1 | render:1"),
    # --- an exception, and retries
    "without retries the job stops there": Cell(
        "open do save", "do:1 fails", "| open:1 do:1", ends="Failed"
    ),
    "a retry after an exception replays nothing": Cell(
        "open do.retry1 save", "do:1 fails", "| open:1 do:1 do:2 save:1"
    ),
    "nor does it run the setup again": Cell(
        "open.setup do.retry2 save", "do:1 fails, do:2 fails", "| open:1 do:1 do:2 do:3 save:1"
    ),
    "retries end": Cell(
        "open do.retry1 save", "do:1 fails, do:2 fails", "| open:1 do:1 do:2", ends="Failed"
    ),
    # --- the interpreter is lost, the session goes on
    "a retry after a timeout replays what was in memory": Cell(
        "open do save.retry1", "save:1 times-out", "| open:1 do:1 save:1 ~ open:2 do:2 save:2"
    ),
    "a checkpoint needs no replay": Cell(
        "open do.checkpoint save.retry1", "save:1 times-out", "| open:1 do:1 save:1 ~ save:2"
    ),
    "only the setup is replayed before a checkpoint": Cell(
        "open.setup do.checkpoint save.retry1",
        "save:1 times-out",
        "| open:1 do:1 save:1 ~ open:2 save:2",
    ),
    "what stands between checkpoint and failure is replayed": Cell(
        "open.setup do.checkpoint look save.retry1",
        "save:1 times-out",
        "| open:1 do:1 look:1 save:1 ~ open:2 look:2 save:2",
    ),
    "a checkpoint that did not succeed vouches for nothing": Cell(
        "open do.checkpoint.retry1 save", "do:1 times-out", "| open:1 do:1 ~ open:2 do:2 save:1"
    ),
    "the last of two checkpoints counts": Cell(
        "open.setup a.checkpoint b c.checkpoint d save.retry1",
        "save:1 times-out",
        "| open:1 a:1 b:1 c:1 d:1 save:1 ~ open:2 d:2 save:2",
    ),
    "a setup that is a checkpoint still runs again": Cell(
        "open.setup.checkpoint do save.retry1",
        "save:1 times-out",
        "| open:1 do:1 save:1 ~ open:2 do:2 save:2",
    ),
    "without a retry a timeout stops the job": Cell(
        "open do save", "save:1 times-out", "| open:1 do:1 save:1 ~", ends="Failed"
    ),
    "a replay that fails beyond its retries stops the job there": Cell(
        "open do save.retry1",
        "save:1 times-out, do:2 fails",
        "| open:1 do:1 save:1 ~ open:2 do:2",
        ends="Failed",
    ),
    "a replay has the retries of its script": Cell(
        "open do.retry1 save.retry1",
        "save:1 times-out, do:2 fails",
        "| open:1 do:1 save:1 ~ open:2 do:2 do:3 save:2",
    ),
    # --- the session is lost, with the end of its log: what it may have started has a number, too
    "a lost session is not silently run again": Cell(
        "open do save", "do:1 dies", "| open:1 do:1", ends="Failed"
    ),
    "a lost session is replaced where that is wanted": Cell(
        "open do save", "do:1 dies", "| open:1 do:1 | open:2 do:2 save:2", retry_lost=1
    ),
    "as often as is wanted": Cell(
        "open do save",
        "do:1 dies, open:2 dies",
        "| open:1 do:1 | open:2",
        ends="Failed",
        retry_lost=1,
    ),
    "with a checkpoint it goes on behind it": Cell(
        "open.setup do.checkpoint save",
        "save:1 dies",
        "| open:1 do:1 save:1 | open:2 save:2",
        retry_lost=1,
    ),
    # --- two sessions
    "another session's failure replays nothing of a session that is done": Cell(
        "open save ; load render",
        "render:1 fails",
        "| open:1 save:1 | load:1 render:1 | load:2 render:2",
        ("resume",),
    ),
    "nor does its lost interpreter": Cell(
        "open.setup save ; load render.retry1",
        "render:1 times-out",
        "| open:1 save:1 | load:1 render:1 ~ load:2 render:2",
    ),
    "nor its lost process": Cell(
        "open save ; load render",
        "load:1 dies",
        "| open:1 save:1 | load:1 | load:2 render:2",
        retry_lost=1,
    ),
    # --- resume
    "open, do, save: what lived in memory is replayed": Cell(
        "open do save", "save:1 fails", "| open:1 do:1 save:1 | open:2 do:2 save:2", ("resume",)
    ),
    "open, do, save: do is on disk and open is a setup": Cell(
        "open.setup do.checkpoint save",
        "save:1 fails",
        "| open:1 do:1 save:1 | open:2 save:2",
        ("resume",),
    ),
    "a resume after a lost session replays too": Cell(
        "open do save", "save:1 dies", "| open:1 do:1 save:1 | open:2 do:2 save:2", ("resume",)
    ),
    "a resume has its retries anew": Cell(
        "open do.retry1",
        "do:1 fails, do:2 fails, do:3 fails",
        "| open:1 do:1 do:2 | open:2 do:3 do:4",
        ("resume",),
    ),
    "a failed replay never undoes what is done": Cell(
        "open do save",
        "save:1 fails, do:2 fails",
        "| open:1 do:1 save:1 | open:2 do:2 | open:3 do:3 save:2",
        ("resume", "resume"),
    ),
    "resume twice": Cell(
        "open.setup do.checkpoint save",
        "save:1 fails, save:2 fails",
        "| open:1 do:1 save:1 | open:2 save:2 | open:3 save:3",
        ("resume", "resume"),
    ),
    # --- explicit from
    "from a script on, what stands before it is replayed": Cell(
        "open do save", "", "| open:1 do:1 save:1 | open:2 do:2 save:2", ("from save",)
    ),
    "from a checkpoint on, the checkpoint itself runs again": Cell(
        "open.setup do.checkpoint save",
        "save:1 fails",
        "| open:1 do:1 save:1 | open:2 do:2 save:2",
        ("from do",),
    ),
    "from behind a checkpoint": Cell(
        "open.setup do.checkpoint save",
        "",
        "| open:1 do:1 save:1 | open:2 save:2",
        ("from save",),
    ),
    "from a script of the first session, the second runs again too": Cell(
        "open save ; render",
        "",
        "| open:1 save:1 | render:1 | open:2 save:2 | render:2",
        ("from save",),
    ),
    "from a script of the second session, the first is left alone": Cell(
        "open save ; render", "", "| open:1 save:1 | render:1 | render:2", ("from render",)
    ),
    # --- skip
    "a skipped script does not run, and what it needed is replayed": Cell(
        "open do save", "do:1 fails", "| open:1 do:1 | open:2 save:1", ("skip do", "resume")
    ),
    "a skipped checkpoint vouches for nothing": Cell(
        "open do.checkpoint save",
        "do:1 fails",
        "| open:1 do:1 | open:2 save:1",
        ("skip do", "resume"),
    ),
    "what was skipped after its replay failed is not replayed again": Cell(
        "open do save",
        "save:1 fails, do:2 fails",
        "| open:1 do:1 save:1 | open:2 do:2 | open:3 save:2",
        ("resume", "skip do", "resume"),
    ),
    "skipping the last script leaves nothing to run": Cell(
        "open save ; render",
        "render:1 fails",
        "| open:1 save:1 | render:1",
        ("skip render", "resume"),
    ),
    # --- onFailure: Continue
    "the job goes on past a script that may fail, and fails at its end": Cell(
        "open do.continue save", "do:1 fails", "| open:1 do:1 save:1", ends="Failed"
    ),
    "once its retries are used up": Cell(
        "open do.continue.retry1 save",
        "do:1 fails, do:2 fails",
        "| open:1 do:1 do:2 save:1",
        ends="Failed",
    ),
    "a retry that succeeds is no failure": Cell(
        "open do.continue.retry1 save", "do:1 fails", "| open:1 do:1 do:2 save:1"
    ),
    "where it took the interpreter with it the checkpoint rule says what runs again": Cell(
        "open do.continue save",
        "do:1 times-out",
        "| open:1 do:1 ~ open:2 save:1",
        ends="Failed",
    ),
    "a script after it that stops the job does so": Cell(
        "open do.continue save look", "do:1 fails, save:1 fails", "| open:1 do:1 save:1",
        ends="Failed",
    ),
    "a resume goes on there, and what is done stays done": Cell(
        "open do.continue save ; render",
        "do:1 fails",
        "| open:1 do:1 save:1 | render:1 | open:2 do:2",
        ("resume",),
    ),
    "and what is done after it is replayed for what comes later": Cell(
        "open do.continue save look",
        "do:1 fails, look:1 fails",
        "| open:1 do:1 save:1 look:1 | open:2 do:2 save:2 look:2",
        ("resume",),
    ),
    "a checkpoint after it vouches for nothing before it": Cell(
        "open do.continue save.checkpoint look.retry1",
        "do:1 fails, look:1 times-out",
        "| open:1 do:1 save:1 look:1 ~ open:2 save:2 look:2",
        ends="Failed",
    ),
    "nor on a resume, until it was made again": Cell(
        "open do.continue save.checkpoint look.retry1",
        "do:1 fails, look:1 fails, look:2 fails, look:3 times-out",
        "| open:1 do:1 save:1 look:1 look:2 | open:2 do:2 save:2 look:3 ~ look:4",
        ("resume",),
    ),
    "it may be skipped": Cell(
        "open do.continue save", "do:1 fails", "| open:1 do:1 save:1", ("skip do", "resume")
    ),
    "a lost session is no failure that the job goes on past": Cell(
        "open do.continue save", "do:1 dies", "| open:1 do:1", ends="Failed"
    ),
    "a replay that fails is gone past too, and a resume runs it": Cell(
        "open do.continue save",
        "save:1 fails, do:2 fails",
        "| open:1 do:1 save:1 | open:2 do:2 save:2 | open:3 do:3",
        ("resume", "resume"),
    ),
    "a checkpoint that is a setup, too, vouches for nothing once its replay failed": Cell(
        "open do.setup.checkpoint.continue save.retry1",
        "save:1 times-out, do:2 fails",
        "| open:1 do:1 save:1 ~ do:2 open:2 save:2",
        ends="Failed",
    ),
    "a run that was opened behind it ends, and the next begins before it": Cell(
        "open do.setup.checkpoint.continue save",
        "save:1 fails, do:2 fails",
        "| open:1 do:1 save:1 | do:2 | open:2 save:2",
        ("resume",),
        ends="Failed",
    ),
}  # fmt: skip


@pytest.mark.parametrize("cell", TABLE.values(), ids=TABLE.keys())
def test_which_scripts_run_again(cell: Cell) -> None:
    cell.check()


@pytest.mark.parametrize(
    ("job", "fates", "said"),
    [
        ("open do save", "save:1 fails", "open (again), do (again), save"),
        ("open.setup do.checkpoint save", "save:1 fails", "open (setup), save"),
        ("open save ; load render check", "render:1 fails", "load (again), render, check"),
    ],
)
def test_what_a_resume_will_run_is_said_beforehand(job: str, fates: str, said: str) -> None:
    coordinator = driven(job, fates)
    assert to_come(coordinator.job) == said
    before = len(coordinator.starts)
    coordinator.act("resume")
    ran = [word.partition(":")[0] for word in coordinator.starts[before:] if ":" in word]
    assert ran == [part.partition(" ")[0] for part in said.split(", ")]
