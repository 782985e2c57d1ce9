"""Search for makers' pseudonyms outside production's database and the terminals' topic."""

from collections.abc import Callable, Sequence

from ops.verify.report import Check
from shared.wording import Message

SHORTEST = 6
# Maps all but letters and digits to spaces: splitting at them is much faster than a regular expression.
_ONLY_WORDS = bytes(code if code < 128 and chr(code).isalnum() else ord(" ") for code in range(256))


class PseudonymScanner:
    """Searches values for pseudonyms: thousands of them in hundreds of thousands of records, in seconds.

    It looks up whole words, and not every position of every value. The key of a pseudonym is its longest run of
    letters and digits. A pseudonym that is joined to other letters is not found.
    """

    def __init__(self) -> None:
        self.check = Check("privacy", "no maker's pseudonym outside production and the terminals' topic")
        self._by_run: dict[bytes, set[bytes]] = {}
        self._runs: set[bytes] = set()
        self._too_short: set[str] = set()

    def learn(self, maker: str) -> None:
        """Add a pseudonym to search for. A very short one would match other words: it is only noted."""
        spelled = maker.encode()
        run = max(spelled.translate(_ONLY_WORDS).split(), key=len, default=b"")
        if len(run) < SHORTEST:
            self._too_short.add(maker)
            self.check.remarks = [
                Message("{count:pseudonym is|pseudonyms are} too short to search for", count=len(self._too_short))
            ]
        else:
            self._by_run.setdefault(run, set()).add(spelled)
            self._runs.add(run)

    def scan(self, values: Sequence[bytes], place_of: Callable[[int], str | Message]) -> None:
        """`where` names the place of one of them by its index, without repeating what is in it."""
        self.check.looked_at += len(values)
        # Fast path: one search over all values, since nearly always there is no match.
        if self._suspects(b"\n".join(values)):
            for index, data in enumerate(values):
                if any(maker in data for run in self._suspects(data) for maker in self._by_run[run]):
                    self.check.fail("{place} holds a maker's pseudonym", place=place_of(index))

    def _suspects(self, data: bytes) -> set[bytes]:
        words = data.translate(_ONLY_WORDS).split()
        return set() if self._runs.isdisjoint(words) else self._runs.intersection(words)
