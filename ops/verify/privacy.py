"""Whether a maker's pseudonym lies anywhere but where it may: production's database and the terminals' topic."""

from collections.abc import Callable, Sequence

from ops.verify.report import Check

SHORTEST = 6
# Everything but letters and digits becomes a space: cutting into words this way is much faster than a pattern.
_ONLY_WORDS = bytes(code if code < 128 and chr(code).isalnum() else ord(" ") for code in range(256))


class Watch:
    """Looks for pseudonyms in bytes: thousands of them in hundreds of thousands of records, in seconds.

    Words are looked up, not every place of every value: a pseudonym stands out by its longest run of letters and
    digits. One that somebody glued to other letters would not be seen.
    """

    def __init__(self) -> None:
        self.check = Check("privacy", "no maker's pseudonym outside production and the terminals' topic")
        self._by_run: dict[bytes, set[bytes]] = {}
        self._runs: set[bytes] = set()
        self._too_short: set[str] = set()

    def learn(self, maker: str) -> None:
        """One more pseudonym to look for. One of a few characters can't be told from other words: that is noted."""
        spelled = maker.encode()
        run = max(spelled.translate(_ONLY_WORDS).split(), key=len, default=b"")
        if len(run) < SHORTEST:
            self._too_short.add(maker)
            self.check.notes = [f"{len(self._too_short)} pseudonyms are too short to be looked for"]
        else:
            self._by_run.setdefault(run, set()).add(spelled)
            self._runs.add(run)

    def look(self, many: Sequence[bytes], where: Callable[[int], str]) -> None:
        """`where` names the place of one of them by its index, without repeating what is in it."""
        self.check.looked_at += len(many)
        # Nearly always nothing is found: then one look at all of them is enough.
        if self._suspects(b"\n".join(many)):
            for index, data in enumerate(many):
                if any(maker in data for run in self._suspects(data) for maker in self._by_run[run]):
                    self.check.wrong(f"{where(index)} holds a maker's pseudonym")

    def _suspects(self, data: bytes) -> set[bytes]:
        words = data.translate(_ONLY_WORDS).split()
        return set() if self._runs.isdisjoint(words) else self._runs.intersection(words)
