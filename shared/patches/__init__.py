"""Where Karya mends or goes around a library, a module per library. All of it reaches into what is private there.

Each patch names its upstream report, holds for known versions alone, and has a test that fails once it is needless.
"""

from importlib.metadata import version

from shared.errors import UnknownVersion


def check_version(package: str, prefix: str) -> None:
    """Raises UnknownVersion unless the installed version of the package begins with `known`, e.g. `0.14.`."""
    installed = version(package)
    if not installed.startswith(prefix):
        raise UnknownVersion(
            f"{package} {installed} is installed, and shared/patches knows {prefix}x only: "
            "see whether each patch of it still fits and is still needed."
        )
