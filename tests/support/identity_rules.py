"""Identity's rules on entities in memory."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.identity.domain.account import Account, AccountCommand
from services.identity.handlers import SUBJECT
from shared.events.identity import AccountCommandRefused, AccountRefusal
from shared.events.language import Body, Event, Publication
from shared.runtime.processor import Processor
from shared.runtime.state import Entities, Ref, State

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
ACCOUNT, OTHER = "s-aaaaaaaaaaaaaaaa", "s-bbbbbbbbbbbbbbbb"


class IdentityRules:
    """Identity's processors on entities in memory."""

    def __init__(self) -> None:
        self.kept: dict[tuple[type[Any], str], Any] = {}
        self.now = NOW
        self._count = 0

    def give(
        self,
        body: Body,
        *,
        id: str | None = None,
        source: str = "karya/identity/http",
        actor: str | None = OTHER,
        processor: Processor = SUBJECT,
    ) -> list[Body]:
        """What is published because of this event."""
        self._count += 1
        self.now += timedelta(seconds=1)
        key: str = getattr(body, "subject", None) or getattr(body, "festival", "")
        event = Event(id or f"c{self._count}", source, key, self.now, self.now, body, actor=actor)
        reads = processor.reads(event)
        loaded: dict[Any, Any] = {read: self.kept.get(read) for read in reads if isinstance(read, Ref)}
        state, published = processor.decide(State(Entities(loaded), reads), event)
        self.kept.update(state.changes)
        publications = [publication for publication in published if isinstance(publication, Publication)]
        assert len(publications) == len(published)
        return [publication.body for publication in publications]

    def refused(self, body: Body, **options: Any) -> tuple[str, AccountRefusal]:
        before = dict(self.kept)
        [refusal] = self.give(body, **options)
        assert isinstance(refusal, AccountCommandRefused)
        changed = {key[0] for key in self.kept if self.kept[key] is not before.get(key)}
        assert changed <= {AccountCommand}
        return refusal.field, refusal.reason

    @property
    def account(self) -> Account:
        account = self.kept[Account, ACCOUNT]
        assert isinstance(account, Account)
        return account
