"""What a shell may complete after `kubectl enso`.

kubectl completes the words after a plugin's name by the program ``kubectl_complete-NAME``: it is
given these words, prints a candidate a line, and last what kubectl is to do besides.
"""

from __future__ import annotations

import sys

from click.shell_completion import ShellComplete

from enso_operator.cli import app

COMPLETE_FILES, COMPLETE_NOTHING_ELSE = ":0", ":4"
"""What kubectl reads in the last line (cobra's ShellCompDirective)."""


def main() -> None:
    """Print the candidates for the last word."""
    *words, incomplete = sys.argv[1:] or [""]
    found = ShellComplete(app, {}, "kubectl enso", "").get_completions(words, incomplete)
    for item in found:
        if item.type == "plain":
            print(f"{item.value}\t{item.help}" if item.help else item.value)
    print(COMPLETE_FILES if any(item.type == "file" for item in found) else COMPLETE_NOTHING_ELSE)
