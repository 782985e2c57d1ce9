"""Kafka Streams, as its documentation shows it: exactly-once, with its defaults. Its program is Java, in the folder
beside this module.

`python -m lab.bench.peers.kafka_streams JOB` compiles the program if it has changed, and becomes it. `--fetch`
fetches its libraries, and `--lock` resolves them anew.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from deploy.local import jars
from deploy.local.jars import JarSet

SOURCES = Path(__file__).with_name("kafka-streams")
BUILT = Path(__file__).parents[3] / ".karya" / "kafka-streams"
# Beside these it uses the broker's own: Kafka's client and JSON.
LIBRARIES = JarSet(SOURCES / "jars.sha256", BUILT / "jars", "bench")
CLASSES = BUILT / "classes"
MAIN = "Inventory"
# Kafka Streams must be of the same release as the client beside it.
COORDINATES = (
    f"org.apache.kafka:kafka-streams:{jars.KAFKA.rpartition(':')[2]}",
    "org.mongodb:mongodb-driver-sync:5.6.1",
)
OLDEST_JDK = 17
VIEW = "view"


def lacks() -> str:
    """Why the program can't run here, in a few words; empty if it can."""
    if jdk_version() < OLDEST_JDK:
        return f"needs a JDK of version {OLDEST_JDK} or newer"
    try:
        _classpath()
    except jars.JarError:
        return "its jars are missing"
    return ""


def jdk_version() -> int:
    """The version of the JDK on the path; 0 without one."""
    compiler = shutil.which("javac")
    if compiler is None or shutil.which("java") is None:
        return 0
    told = subprocess.run([compiler, "-version"], capture_output=True, text=True, check=False)
    number = re.match(r"javac (\d+)", told.stdout + told.stderr)
    return int(number[1]) if number else 0


def compile_program() -> None:
    """Compile the program if a source has changed since. Raises CalledProcessError, JarError."""
    sources, stamp = sorted(SOURCES.glob("*.java")), CLASSES / f"{MAIN}.class"
    if stamp.exists() and stamp.stat().st_mtime > max(source.stat().st_mtime for source in sources):
        return
    shutil.rmtree(CLASSES, ignore_errors=True)
    subprocess.run(["javac", "-d", str(CLASSES), "-cp", _classpath(), *map(str, sources)], check=True)


def _classpath() -> str:
    return f"{CLASSES}:{LIBRARIES.classpath()}:{jars.BROKER.classpath()}"


def main() -> None:
    compile_program()
    os.execvp("java", ["java", "-cp", _classpath(), MAIN, sys.argv[1]])


if __name__ == "__main__":
    if sys.argv[1] == "--lock":
        sys.exit(jars.run(LIBRARIES, COORDINATES, lambda: {jar.name for jar in jars.BROKER.jars()}))
    if sys.argv[1] == "--fetch":
        sys.exit(jars.run(LIBRARIES, COORDINATES))
    main()
