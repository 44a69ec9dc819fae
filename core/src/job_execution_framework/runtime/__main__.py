"""``python -m job_execution_framework.runtime PLAN DIRECTORY``, or the zipapp made of this."""

import sys

from job_execution_framework.runtime.supervisor import main

if __name__ == "__main__":
    if len(sys.argv) != 3:  # noqa: PLR2004  # the program and its two arguments
        sys.exit("usage: runtime PLAN DIRECTORY")
    sys.exit(main(sys.argv[1], sys.argv[2]))
