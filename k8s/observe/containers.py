"""The containers that run this program, found by their names: a cluster may put sidecars before or after them."""

from job.errors import ConfigError
from k8s.api.client import Object

TRIAL_CONTAINER = "trial"
"""The container of a sweep's pods."""
PROGRAM_CONTAINERS = (TRIAL_CONTAINER, "driver", "retraining")
"""The chart's names of the containers that run this program: each pod has one of them."""


def find_program_container(spec: Object) -> Object:
    """Return the container of a pod's spec that runs this program.

    Raises:
        ConfigError: there is none.
    """
    for container in spec["containers"]:
        if container["name"] in PROGRAM_CONTAINERS:
            return dict(container)
    raise ConfigError(f"none of the pod's containers is named {', '.join(PROGRAM_CONTAINERS)}")


def trial_state(status: Object) -> Object:
    """Return the state of the trial's container as the pod's status has it; {} if it has none yet."""
    for container in status.get("containerStatuses") or ():
        if container["name"] == TRIAL_CONTAINER:
            return dict(container.get("state") or {})
    return {}
