"""A command that is given over HTTP and handled like any other event."""

from dataclasses import dataclass

from shared.events.language import Body
from shared.runtime.processor import Handler


@dataclass(frozen=True, slots=True)
class CommandHandler:
    """The handler of one command and its path over HTTP; the names in the path are fields of its body."""

    path: str
    summary: str
    handler: Handler

    @property
    def body(self) -> type[Body]:
        return self.handler.body
