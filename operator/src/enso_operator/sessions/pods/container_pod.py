"""The container of a container script: the user's own program, with nothing of ours in it."""

from __future__ import annotations

from enso_operator.api.document import Document
from enso_operator.api.v1alpha1 import ContainerSpec
from enso_operator.sessions.pods.pod import main_container, secret_names, secret_variables
from enso_operator.settings import PodSettings
from job_execution_framework.service_layer.plan import Plan


def script_container(container: ContainerSpec, plan: Plan, settings: PodSettings) -> Document:
    """Return the container, with the script's arguments as environment variables."""
    made = main_container(container, container.image, settings)
    arguments = secret_variables(
        (str(path[0]), secret) for _, _, path, secret in plan.secret_variables()
    )
    made = {
        **made,
        "command": list(container.command),
        "args": list(container.args),
        "env": made["env"] + arguments,
    }
    if arguments or secret_names(container.env) or any(one.secret for one in container.volumes):
        # The last lines of its log cannot be searched for secrets, so they are not shown.
        made["terminationMessagePolicy"] = "File"
    return {key: value for key, value in made.items() if value != []}
