"""The command line of this folder, `python -m dev COMMAND`: the Makefile calls all of it."""

import argparse
import sys

from dev.checkout import CHECKOUT, DEFAULT_NAME, Failed
from dev.cluster import commands as cluster
from dev.host import requirements
from dev.node import commands as node
from dev.up import commands as up


def main() -> int:
    """Do what the command line says, and return the exit code."""
    try:
        return _do(_parser().parse_args())
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _do(given: argparse.Namespace) -> int:
    match given.command:
        case "up":
            return up.up(given.port, given.cluster)
        case "down":
            return up.down(given.port, given.cluster)
        case "cluster":
            _do_with_cluster(given)
        case "node":
            _do_with_node(given)
        case "manifests" | "docs" | "pictures" | "chart":
            return _do_with_files(given)
        case _:
            for sentence in requirements.left_out():
                print(f"make test leaves out {sentence}")
    return 0


def _do_with_files(given: argparse.Namespace) -> int:
    match given.command:
        case "manifests":
            from dev import manifests  # noqa: PLC0415  # it loads the operator's models

            return manifests.write(check=given.check)
        case "docs":
            from dev.docs import site  # noqa: PLC0415  # as every command loads only its own

            print(f"The site begins at {site.build()}")
            return 0
        case "pictures":
            from dev.pictures import commands as pictures  # noqa: PLC0415  # as above

            for picture in pictures.pictures():
                print(picture.relative_to(CHECKOUT))
            return 0
        case _:
            from dev.chart import check  # noqa: PLC0415  # it loads the schemas of Kubernetes

            return check.check()


def _do_with_cluster(given: argparse.Namespace) -> None:
    match given.step:
        case "up":
            cluster.up(audit=given.audit)
        case "down":
            cluster.down()
        case "kubeconfig":
            print(cluster.kubeconfig())
        case _:
            cluster.programs()


def _do_with_node(given: argparse.Namespace) -> None:
    match given.step:
        case "up":
            node.up(audit=given.audit)
        case "image":
            node.image()
        case _:
            node.get()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m dev", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, help_ in (
        ("up", "show enso-executer, from the HTTP API in memory to jobs in a cluster"),
        ("down", "end what `up` started, what its jobs left behind, and the cluster"),
    ):
        command = commands.add_parser(name, help=help_)
        command.add_argument("--port", type=int, default=5005, help="of the HTTP API")
        command.add_argument("--cluster", default=DEFAULT_NAME, help="the cluster's name")
    _add_steps(
        commands.add_parser("cluster", help="a development API server"),
        {
            "up": "start it, or repair it, or say that it runs",
            "down": "stop it and remove its data, and those of its node",
            "kubeconfig": "print the path of its kubeconfig",
            "binaries": "find or build the programs, and start nothing",
        },
    )
    _add_steps(
        commands.add_parser("node", help="the same with a real node; `cluster down` ends it"),
        {
            "up": "start the cluster and its node, or repair them",
            "image": "build the operator's image, and import it if the node runs",
            "get": "get, or build, all that tests need, and start nothing",
        },
    )
    written = commands.add_parser("manifests", help="write deploy/crds and parts of the chart")
    written.add_argument("--check", action="store_true", help="write nothing; 1 if they differ")
    commands.add_parser("docs", help="build the documentation as a site")
    commands.add_parser("pictures", help="make the pictures of the README")
    commands.add_parser("chart", help="check the chart and what it renders")
    commands.add_parser("left-out", help="say what `make test` leaves out on this machine")
    return parser


def _add_steps(command: argparse.ArgumentParser, steps: dict[str, str]) -> None:
    added = command.add_subparsers(dest="step", required=True)
    for name, help_ in steps.items():
        step = added.add_parser(name, help=help_)
        if name == "up":
            step.add_argument("--audit", action="store_true", help="log every request's metadata")


if __name__ == "__main__":
    sys.exit(main())
