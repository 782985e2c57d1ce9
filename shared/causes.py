"""Why something outside Karya failed, in sentences for people: the operating system, the network, a library.

Their own words are English, and are for programmers. A cause is a clause: it stands after a colon, without a period.
Classes of libraries are known by name, as importing the libraries takes longer than most commands.
"""

import errno
import socket
import sqlite3
import ssl
from collections.abc import Iterator, Mapping

from shared.errors import KaryaError
from shared.wording import Message, as_message

_NO_FILE = Message("there is no such file or folder")
_NO_PERMISSION = Message("there is no permission for it")
_FULL = Message("there is no room left on the disk")
_BAD_DISK = Message("the disk can't be read or written")
_READ_ONLY = Message("it can only be read")
_IN_USE = Message("another program is using it")
_DAMAGED = Message("it is damaged")
_TIME_OUT = Message("no answer came in time")
_NO_CONNECTION = Message("no connection is possible")
_BROKEN_OFF = Message("the connection broke off")
_NO_NETWORK = Message("no network leads there")
_UNKNOWN_NAME = Message("the network knows no such name")
_NO_SECURITY = Message("the connection can't be secured")
_NOT_ADMITTED = Message("it does not admit this user")

_BY_NUMBER: Mapping[int, Message] = {
    errno.ENOENT: _NO_FILE,
    errno.EACCES: _NO_PERMISSION,
    errno.EPERM: _NO_PERMISSION,
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: _READ_ONLY,
    errno.EIO: _BAD_DISK,
    errno.EBUSY: _IN_USE,
    errno.ETXTBSY: _IN_USE,
    errno.EISDIR: Message("it is a folder"),
    errno.ENOTDIR: Message("a part of its path is no folder"),
    errno.EEXIST: Message("it exists already"),
    errno.ENAMETOOLONG: Message("its name is too long"),
    errno.ELOOP: Message("its links lead in a circle"),
    errno.EMFILE: Message("too many files are open"),
    errno.ENFILE: Message("too many files are open"),
    errno.EADDRINUSE: Message("another program is using this address"),
    errno.ECONNREFUSED: Message("nothing listens there"),
    errno.ECONNRESET: _BROKEN_OFF,
    errno.ECONNABORTED: _BROKEN_OFF,
    errno.EPIPE: _BROKEN_OFF,
    errno.ETIMEDOUT: _TIME_OUT,
    errno.ENETUNREACH: _NO_NETWORK,
    errno.ENETDOWN: _NO_NETWORK,
    errno.EHOSTUNREACH: _NO_NETWORK,
    errno.EHOSTDOWN: _NO_NETWORK,
}
_BY_SQLITE_CODE: Mapping[int, Message] = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR: _BAD_DISK,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _NO_PERMISSION,
    sqlite3.SQLITE_BUSY: _IN_USE,
    sqlite3.SQLITE_LOCKED: _IN_USE,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_CANTOPEN: Message("it can't be opened"),
}
_BY_CLASS: Mapping[str, Message] = {
    # httpx
    "TimeoutException": _TIME_OUT,
    "NetworkError": _NO_CONNECTION,
    "ProtocolError": Message("its answer breaks off, or is of another kind"),
    # aiokafka
    "KafkaTimeoutError": _TIME_OUT,
    "RequestTimedOutError": _TIME_OUT,
    "KafkaConnectionError": _NO_CONNECTION,
    "KafkaUnavailableError": _NO_CONNECTION,
    "NodeNotReadyError": _NO_CONNECTION,
    "AuthenticationFailedError": _NOT_ADMITTED,
    "SaslAuthenticationFailed": _NOT_ADMITTED,
    "TopicAuthorizationFailedError": _NOT_ADMITTED,
    "GroupAuthorizationFailedError": _NOT_ADMITTED,
    "ClusterAuthorizationFailedError": _NOT_ADMITTED,
    # pymongo
    "NetworkTimeout": _TIME_OUT,
    "ConnectionFailure": _NO_CONNECTION,
    "ConfigurationError": Message("its address is not valid"),
}
_NOT_ADMITTED_BY_MONGO = frozenset({13, 18})


def cause_of(fault: BaseException) -> Message:
    """The cause of the fault, as a clause. An unknown one is told by its number, or by the name of its kind.

    An error of Karya says its own sentence.
    """
    if isinstance(fault, KaryaError):
        return as_message(fault.message)
    for link in _chain(fault):
        if (known := _known(link)) is not None:
            return known
    for name in ("errno", "sqlite_errorcode", "code"):
        if isinstance(number := getattr(fault, name, None), int):
            return Message("error {number} of {kind}", number=number, kind=type(fault).__name__)
    return Message("a fault of the kind {kind}", kind=type(fault).__name__)


def _chain(fault: BaseException) -> Iterator[BaseException]:
    """The fault, and what led to it: first what the operating system said, which a library wraps."""
    links = [fault]
    while (before := links[-1].__cause__ or links[-1].__context__) is not None and before not in links:
        links.append(before)
    system = [link for link in reversed(links) if isinstance(link, OSError)]
    return iter([*([fault] if isinstance(fault, OSError) else []), *system, *links])


def _known(fault: BaseException) -> Message | None:
    match fault:
        case socket.gaierror():
            return _UNKNOWN_NAME
        case ssl.SSLError():
            return _NO_SECURITY
        case OSError(errno=int() as number) if number in _BY_NUMBER:
            return _BY_NUMBER[number]
        case TimeoutError():
            return _TIME_OUT
        case sqlite3.Error():
            return _BY_SQLITE_CODE.get(getattr(fault, "sqlite_errorcode", 0) & 0xFF)
    if getattr(fault, "code", None) in _NOT_ADMITTED_BY_MONGO:
        return _NOT_ADMITTED
    names = (kind.__name__ for kind in type(fault).__mro__)
    return next((_BY_CLASS[name] for name in names if name in _BY_CLASS), None)
