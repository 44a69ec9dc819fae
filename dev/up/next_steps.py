"""What to try when `make up` is done."""

from dev.cluster.places import CHECKOUT
from dev.up import background, in_cluster
from dev.up.background import Program
from dev.up.target import Target

_LET_GO = """--type=merge -p '{"spec": {"suspend": false}}'"""
_WIDTH = 56


def show(target: Target, port: int, operator: Program) -> None:
    """Print commands that can be pasted."""
    shell = target.shell
    print("\n== What to try next, in this folder")
    print('  export PATH="$PWD/.venv/bin:$PATH"')
    if target.is_ours:
        print(f"  export KUBECONFIG={target.kubeconfig}")
    logs = background.folder(port).relative_to(CHECKOUT)
    for what, why in {
        f"{shell} get ensojobs --watch": "their states, as they change",
        f"{shell} patch ensojob {in_cluster.WAITS} {_LET_GO}": "let go the one that waits",
        f"{shell} describe ensojob {in_cluster.WAITS}": "all of it",
        f"{shell} get ensoscripts": "the script library",
        "enso run examples/publish-shot-broken.yaml": "one that fails, without a cluster",
        f"curl http://localhost:{port}/list-jobs": f"or http://localhost:{port}/docs in a browser",
        f"curl {in_cluster.address(operator)}/metrics": "what Prometheus would see",
        f"tail -f {logs}/operator.log": f"what the operator says; the API's is {logs}/serve.log",
        "make down": "end all of it"
        if target.is_ours
        else "end the operator and the API; the cluster keeps the rest",
    }.items():
        print(f"  {what:<{_WIDTH}} # {why}")
    print("docs/kubernetes.md goes on from here.")
