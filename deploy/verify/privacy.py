"""Whether a maker's pseudonym lies anywhere but where it may: production's database and the terminals' topic."""

import re

from deploy.verify.report import Check

SHORTEST = 6
_RUN = re.compile(rb"[A-Za-z0-9]+")


class Watch:
    """Looks for pseudonyms in bytes: thousands of them in hundreds of thousands of records, in seconds.

    Words are looked up, not every place of every value: a pseudonym stands out by its longest run of letters and
    digits. One that somebody glued to other letters would not be seen.
    """

    def __init__(self) -> None:
        self.check = Check("privacy", "no maker's pseudonym outside production and the terminals' topic")
        self._by_run: dict[bytes, set[bytes]] = {}
        self._too_short: set[str] = set()
        self._words = _RUN

    def learn(self, maker: str) -> None:
        """One more pseudonym to look for. One of a few characters can't be told from other words: that is noted."""
        spelled = maker.encode()
        run = max(_RUN.findall(spelled), key=len, default=b"")
        if len(run) < SHORTEST:
            self._too_short.add(maker)
            self.check.notes = [f"{len(self._too_short)} pseudonyms are too short to be looked for"]
        elif spelled not in self._by_run.setdefault(run, set()):
            self._by_run[run].add(spelled)
            # Shorter words can't be one: passing over them is most of the speed.
            self._words = re.compile(b"[A-Za-z0-9]{%d,}" % min(map(len, self._by_run)))

    def look(self, where: str, data: bytes) -> None:
        """`where` names the place without repeating what is in it."""
        self.check.looked_at += 1
        if not self._by_run:
            return
        for run in self._by_run.keys() & set(self._words.findall(data)):
            if any(maker in data for maker in self._by_run[run]):
                self.check.wrong(f"{where} holds a maker's pseudonym")
                return
