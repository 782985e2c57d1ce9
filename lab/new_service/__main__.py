"""`python -m lab.new_service NAME`: writes the files of a new service and says what is still to be done by hand."""

import sys
from pathlib import Path

from lab.new_service.files import BadServiceName, write

ROOT = Path(__file__).parents[2]

REMAINING = """
Still to be done by hand:
  deploy/topics.py            the service in SERVICES, its topic in WRITTEN, its events in all_topics
  deploy/local/services.py    a port in PREFERRED_PORTS
  docker-compose.yml          a container, and the name in KARYA_HTTP_NAMES
  docsite/reference/events.py its module in _MODULES, its writers and readers that are no service
CONTRIBUTING.md, "Add a service", goes on from here."""


def main(arguments: list[str]) -> int:
    """Write the service named by the one argument. Returns the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("error: give one name, for example: make new-service NAME=stalls\n")
        return 2
    try:
        files = write(ROOT, arguments[0])
    except BadServiceName as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stdout.write("".join(f"written: {file.relative_to(ROOT)}\n" for file in files) + REMAINING + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
