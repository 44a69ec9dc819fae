"""Every error that the core raises on purpose, each with a sentence for the person who reads it.

::

    EnsoError
    ├── InvalidJob          the job as it was described cannot be run
    ├── InvalidAction       an action is not possible now; the job is not changed
    ├── JobNotFound         no job has this id
    ├── JobAlreadyStarted   a job is executed only once; a job that has ended can be resumed
    ├── IllegalTransition   this event cannot happen in this state
    ├── GapInLog            an event is missing: read that log again from its start
    ├── Conflict            somebody else changed the job: load it again and decide again
    ├── ScriptNotFound      the script library has no script of this name
    ├── NoOutput            an argument is the output of a script that has none
    ├── Unavailable         a store or service does not answer now: try again later
    │   ├── NoAnswer        no connection to the store: nothing can be reported there, either
    │   └── NotYet          something that the job needs is missing; a person may have to create it
    └── Unreadable          a plan or a record is damaged, or of a newer version

A user's script that fails raises nothing: its failure is an event.
"""

MOST_SENTENCES = 10
"""Most mistakes that are told at once."""


class EnsoError(Exception):
    """Base of all errors that the core raises on purpose."""


class InvalidJob(EnsoError):
    """The job as it was described cannot be run."""

    def __init__(self, *sentences: str) -> None:
        more = len(sentences) - MOST_SENTENCES
        told = (*sentences[:MOST_SENTENCES], *([f"and {more} more of this kind"] * (more > 0)))
        super().__init__("; ".join(told))
        self.sentences = sentences
        """One for each mistake, where they are told apart: all of them."""


class InvalidAction(EnsoError):
    """An action is not possible now; the job is not changed."""


class JobNotFound(EnsoError):
    """No job has this id."""


class JobAlreadyStarted(EnsoError):
    """A job is executed only once; a job that has ended can be resumed."""


class IllegalTransition(EnsoError):
    """This event cannot happen in this state."""


class GapInLog(EnsoError):
    """An event is missing before this one: read that log again from its start."""


class Conflict(EnsoError):
    """Somebody else changed the job meanwhile: load it again and decide again."""


class ScriptNotFound(EnsoError):
    """The script library has no script of this name."""


class NoOutput(EnsoError):
    """An argument is the output of a script that has none, or a key that the output has not."""


class Unavailable(EnsoError):
    """The store of jobs, or another service, does not answer now: try again later."""

    def __init__(self, why: str = "", reason: str = "") -> None:
        super().__init__(why)
        self.reason = reason
        """The reason in CamelCase that people see; `Unavailable` where it is empty."""


class NoAnswer(Unavailable):
    """There is no connection to the store of jobs: nothing can be reported there, either."""


class NotYet(Unavailable):
    """Something that the job needs is missing, and a person may have to create it."""


class Unreadable(EnsoError):
    """A plan or a record is damaged, or of a version that this release does not know."""
