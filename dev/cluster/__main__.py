"""`python -m dev.cluster up|down|kubeconfig|binaries`, as the Makefile calls it."""

import argparse
import sys

from dev.cluster import commands
from dev.cluster.places import ClusterError


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m dev.cluster", description=commands.__doc__)
    steps = parser.add_subparsers(dest="command", required=True)
    starting = steps.add_parser("up", help="start it, or repair it, or say that it runs")
    starting.add_argument("--audit", action="store_true", help="log every request's metadata")
    steps.add_parser("down", help="stop it and remove its data")
    steps.add_parser("kubeconfig", help="print the path of its kubeconfig")
    steps.add_parser("binaries", help="find or build the programs, and start nothing")
    arguments = parser.parse_args()
    try:
        match arguments.command:
            case "up":
                commands.up(audit=arguments.audit)
            case "down":
                commands.down()
            case "kubeconfig":
                print(commands.kubeconfig())
            case _:
                commands.programs()
    except ClusterError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
