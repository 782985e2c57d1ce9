"""Files that only their owner reads: keys, sessions, credentials."""

import os
from pathlib import Path
from uuid import uuid4


def replace_private(file: Path, content: bytes) -> None:
    """Replace the file at once. A reader sees the former content or this one, and never a part.

    The content is on the disk when this returns. Raises OSError; the former file stays then.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.{uuid4().hex}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as output:
            output.write(content)
            output.flush()
            os.fsync(output.fileno())
        fresh.replace(file)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
