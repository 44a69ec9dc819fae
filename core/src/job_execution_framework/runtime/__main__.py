"""``python -m job_execution_framework.runtime``: see `supervisor`."""

import sys

from job_execution_framework.runtime.supervisor import main

if __name__ == "__main__":
    if len(sys.argv) not in (3, 6):
        sys.exit("usage: runtime PLAN DIRECTORY [WORD GRACE SUMMARY]")
    sys.exit(main(*sys.argv[1:]))
