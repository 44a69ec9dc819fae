"""Every error that the core raises on purpose, each with a sentence for the person who reads it.

::

    EnsoError
    ├── InvalidJob          the job as it was described cannot be run
    ├── InvalidAction       an action is not possible now: the job goes on as if nobody had asked
    ├── JobNotFound         no job has this id
    ├── JobAlreadyStarted   a job is executed once; what failed is resumed
    ├── IllegalTransition   this event cannot happen in this state
    ├── GapInLog            an event is missing: read that log again from its start
    ├── Conflict            somebody else changed the job: load it again and decide again
    ├── ScriptNotFound      the script library has no script of this name
    ├── Unavailable         what keeps the jobs, or is needed, does not answer now: try again later
    │   ├── NoAnswer        nobody answers at all
    │   └── NotYet          something is missing that somebody may have to bring
    └── Unreadable          a plan or a record is not one, or of a version from the future

A user's script that fails raises nothing: its failure is an event.
"""


class EnsoError(Exception):
    """Base of all errors that the core raises on purpose."""


class InvalidJob(EnsoError):
    """The job as it was described cannot be run."""


class InvalidAction(EnsoError):
    """An action is not possible now: the job goes on as if nobody had asked."""


class JobNotFound(EnsoError):
    """No job has this id."""


class JobAlreadyStarted(EnsoError):
    """A job is executed once; what failed is resumed."""


class IllegalTransition(EnsoError):
    """This event cannot happen in this state."""


class GapInLog(EnsoError):
    """An event is missing before this one: read that log again from its start."""


class Conflict(EnsoError):
    """Somebody else changed the job meanwhile: load it again and decide again."""


class ScriptNotFound(EnsoError):
    """The script library has no script of this name."""


class Unavailable(EnsoError):
    """What keeps the jobs, or something that is needed, does not answer now: try again later."""

    def __init__(self, why: str = "", reason: str = "") -> None:
        super().__init__(why)
        self.reason = reason
        """The reason that people are shown; `Unavailable` where it is empty."""


class NoAnswer(Unavailable):
    """Nobody answers at all, so nothing can be reported there, either."""


class NotYet(Unavailable):
    """Something that the job needs is not there, and somebody may have to bring it."""


class Unreadable(EnsoError):
    """A plan or a record is not one, or is of a version that this release does not know."""
