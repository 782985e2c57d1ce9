"""Faults of the operating system, the network and libraries, in sentences of our own."""

import errno
import os
import socket
import sqlite3
import ssl
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from aiokafka import errors as kafka
from pymongo import errors as mongo

from shared.causes import cause_of
from shared.errors import NotRelayed
from shared.translation import catalogue

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (errno.ENOENT, "there is no such file or folder"),
        (errno.EACCES, "there is no permission for it"),
        (errno.EPERM, "there is no permission for it"),
        (errno.ENOSPC, "there is no room left on the disk"),
        (errno.EISDIR, "it is a folder"),
        (errno.EROFS, "it can only be read"),
        (errno.EBUSY, "another program is using it"),
        (errno.EADDRINUSE, "another program is using this address"),
        (errno.ECONNREFUSED, "nothing listens there"),
        (errno.ECONNRESET, "the connection broke off"),
        (errno.ETIMEDOUT, "no answer came in time"),
        (errno.EHOSTUNREACH, "no network leads there"),
        (errno.ENOTTY, "error 25 of OSError"),
    ],
)
def test_an_error_of_the_system_is_told_without_its_words(number: int, cause: str) -> None:
    assert cause_of(OSError(number, os.strerror(number), "made.csv")).english == cause


def test_no_number_of_the_system_brings_its_words() -> None:
    for number in errno.errorcode:
        assert os.strerror(number) not in cause_of(OSError(number, os.strerror(number))).english


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (TimeoutError(), "no answer came in time"),
        (socket.gaierror(-2, "Name or service not known"), "the network knows no such name"),
        (ssl.SSLCertVerificationError(1, "certificate verify failed"), "the connection can't be secured"),
        (httpx.ConnectTimeout("timed out"), "no answer came in time"),
        (httpx.ReadTimeout("timed out"), "no answer came in time"),
        (httpx.ConnectError("All connection attempts failed"), "no connection is possible"),
        (httpx.RemoteProtocolError("Server disconnected"), "its answer breaks off, or is of another kind"),
        (kafka.KafkaConnectionError("Unable to bootstrap from"), "no connection is possible"),
        (kafka.KafkaTimeoutError(), "no answer came in time"),
        (kafka.RequestTimedOutError(), "no answer came in time"),
        (kafka.NodeNotReadyError(), "no connection is possible"),
        (kafka.KafkaUnavailableError(), "no connection is possible"),
        (kafka.TopicAuthorizationFailedError(), "it does not admit this user"),
        (kafka.GroupAuthorizationFailedError(), "it does not admit this user"),
        (kafka.ClusterAuthorizationFailedError(), "it does not admit this user"),
        (kafka.SaslAuthenticationFailed(), "it does not admit this user"),
        (kafka.AuthenticationFailedError(), "it does not admit this user"),
        (kafka.InvalidTopicError("bad"), "error 17 of InvalidTopicError"),
        (mongo.ServerSelectionTimeoutError("No servers found"), "no connection is possible"),
        (mongo.AutoReconnect("connection closed"), "no connection is possible"),
        (mongo.NetworkTimeout("timed out"), "no answer came in time"),
        (mongo.OperationFailure("Authentication failed.", 18), "it does not admit this user"),
        (mongo.OperationFailure("no such command", 59), "error 59 of OperationFailure"),
        (mongo.InvalidURI("Invalid URI scheme"), "its address is not valid"),
        (RuntimeError("what a library says"), "a fault of the kind RuntimeError"),
        (NotRelayed("Kafka did not acknowledge them."), "Kafka did not acknowledge them."),
    ],
)
def test_a_fault_of_a_library_is_told_without_its_words(fault: BaseException, cause: str) -> None:
    assert cause_of(fault).english == cause


def test_what_the_system_said_to_a_library_counts_first() -> None:
    def refused() -> None:
        try:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        except OSError as fault:
            raise httpx.ConnectError("All connection attempts failed") from fault

    with pytest.raises(httpx.ConnectError) as raised:
        refused()
    assert cause_of(raised.value).english == "nothing listens there"


def _damaged(folder: Path) -> None:
    (folder / "spool").write_bytes(b"no database at all" * 100)
    sqlite3.connect(folder / "spool").execute("select * from said")


def _missing(folder: Path) -> None:
    sqlite3.connect(folder / "no" / "spool")


def _read_only(folder: Path) -> None:
    sqlite3.connect(folder / "spool").execute("create table said (number)")
    sqlite3.connect(f"file:{folder / 'spool'}?mode=ro", uri=True).execute("insert into said values (1)")


def _malformed(_: Path) -> None:
    sqlite3.connect(":memory:").execute("selekt")


@pytest.mark.parametrize(
    ("act", "cause"),
    [
        (_damaged, "it is damaged"),
        (_missing, "it can't be opened"),
        (_read_only, "it can only be read"),
        (_malformed, "error 1 of OperationalError"),
    ],
)
def test_a_fault_of_sqlite_is_told_without_its_words(act: Callable[[Path], None], cause: str, tmp_path: Path) -> None:
    with pytest.raises(sqlite3.Error) as raised:
        act(tmp_path)
    assert cause_of(raised.value).english == cause


def test_every_cause_has_an_indonesian_text() -> None:
    causes = [cause_of(OSError(number, "")) for number in errno.errorcode]
    assert not [cause.template for cause in causes if (None, cause.template) not in catalogue()]
