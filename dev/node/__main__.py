"""`python -m dev.node up|image|get`, as the Makefile calls it; `dev.cluster down` ends it."""

import argparse
import sys

from dev.cluster.places import ClusterError
from dev.node import commands


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m dev.node", description=commands.__doc__)
    steps = parser.add_subparsers(dest="command", required=True)
    starting = steps.add_parser("up", help="start the cluster and its node, or repair them")
    starting.add_argument("--audit", action="store_true", help="log every request's metadata")
    steps.add_parser("image", help="build the operator's image, and import it if the node runs")
    steps.add_parser("get", help="get, or build, all that tests need, and start nothing")
    arguments = parser.parse_args()
    try:
        match arguments.command:
            case "up":
                commands.up(audit=arguments.audit)
            case "image":
                commands.image()
            case _:
                commands.get()
    except ClusterError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
