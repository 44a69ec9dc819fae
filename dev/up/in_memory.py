"""The first thing that `make up` shows: the example job, without any cluster."""

from dev.up import background, curl, ports
from dev.up.background import Program


def show(port: int) -> Program:
    """Run the example through the API in memory, which goes on; return the server."""
    print("== The HTTP API in memory, without a cluster", flush=True)
    server = background.start(
        "the HTTP API in memory", port, "serve", "--embedded", "--port", str(port)
    )
    server.wait_until(lambda: ports.answers(port))
    job = curl.run_example(port, server)
    print("\nWhat happened, from its get-job:")
    for event in job["events"]:
        print(f"  {event['text']}")
    print(flush=True)
    return server
