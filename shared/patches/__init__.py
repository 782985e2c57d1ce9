"""Patches and workarounds for libraries, one module per library. All of them use private parts of the library.

Each patch names its upstream report and accepts only known versions. A test fails once the patch is not needed.
"""

from importlib.metadata import version

from shared.errors import UnknownVersion


def check_version(package: str, prefix: str) -> None:
    """Raises UnknownVersion unless the installed version of the package begins with `prefix`, e.g. `0.14.`."""
    installed = version(package)
    if not installed.startswith(prefix):
        raise UnknownVersion(
            f"{package} {installed} is installed, and shared/patches knows {prefix}x only: "
            "see whether each patch of it still fits and is still needed."
        )
