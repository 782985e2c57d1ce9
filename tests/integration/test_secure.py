"""A secured stack: every right on Kafka and MongoDB, every denial, and a season over it."""

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.group import HeartbeatRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from cryptography.x509 import load_pem_x509_certificates
from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import OperationFailure, PyMongoError
from typer.testing import CliRunner

from cli import app, sessions
from cli.demo import PLAYER
from cli.mistakes import play_season
from cli.sample_accounts import new_account
from cli.stack_accounts import sign_in, start_with_accounts
from deploy.local.kafka import BROKERS, CLIENTS, NODE
from deploy.local.services import IDENTITY, OPERATIONS, LocalServices, environment
from deploy.local.stack import LocalStack
from deploy.secure import acls as rights
from deploy.secure.acls import Binding, Operation, Pattern, Resource, acls, bindings, principals
from deploy.secure.certificates import new_authority, prepare
from deploy.secure.files import ADMINISTRATOR, KAFKA, MONGO, OPERATOR, PORTAL
from deploy.secure.rotation import admit_other_users, renew_kafka_certificate, retire_former_users
from deploy.secure.users import ServerSecrets, new_credentials
from deploy.seed import set_up
from deploy.topics import SERVICES, all_topics, make_topics, read_topics
from edge.sync import GatewayRoute
from edge.terminal.terminal import Terminal
from ops.dlq import dead_letters
from shared.access.device_session import DeviceSession
from shared.access.session import Bearer
from shared.credentials import UserCredentials
from shared.errors import NotAnswered, NotPermitted, NotReached
from shared.events.identity import IDENTITY_COMMANDS
from shared.events.production import TERMINAL
from shared.events.sales import SALES
from shared.kafka import producer
from shared.kafka_connection import administrator
from shared.mongo import mongo_access
from shared.settings import AccessControl, Settings, UnsignedRecords
from tests.support.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(300)]

PLAYER_ACCOUNT = new_account("season", PLAYER)
OPERATOR_ACCOUNT = new_account("operator", ("operator",))
PREFIX = "denied."
# A subscriber of one public stream.
MARKET = "subscriber.market"
TOPIC_DENIED, GROUP_DENIED, CLUSTER_DENIED = 29, 30, 31
UNAUTHORIZED = 13  # MongoDB's
TOPICS = sorted({topic.name for topic in all_topics()} | {f"{name}.dlq" for name in read_topics()})
OTHER_GROUPS = ("subscriber.x", "subscriber.marketing.x", "subscriber.other.x", "x.subscriber.market.")
GROUPS = sorted(processor.group for processors in SERVICES.values() for processor in processors)
# What each user of MongoDB may read and write, without the prefix of databases.
WRITES = {service: {service} for service in SERVICES} | {
    "identity": {"identity", "identity_secrets"},
    PORTAL: {PORTAL},
    OPERATOR: {f"rebuilt_{service}" for service in SERVICES},
}
READS = {**WRITES, OPERATOR: {*SERVICES, *WRITES[OPERATOR]}}
DATABASES = sorted({*SERVICES, PORTAL, "identity_secrets", *WRITES[OPERATOR]})


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    with LocalStack(tmp_path_factory.mktemp("stack"), secure=True) as stack:
        yield stack


@pytest.fixture(scope="module")
def secrets(own: LocalStack) -> ServerSecrets:
    assert own.secrets is not None
    return own.secrets


@pytest.fixture
async def place(own: LocalStack) -> Settings:
    """Topics that no service works, with the administrator's credentials. Each test gives users their rights again:
    those on a season's topics withdraw them."""
    settings = own.addresses.settings().model_copy(update={"topic_prefix": PREFIX, "partitions": 1})
    await make_topics(settings)
    await rights.reconcile_acls(settings)
    return settings


@asynccontextmanager
async def a_kafka_user(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = administrator(settings, request_timeout_ms=10_000)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


@asynccontextmanager
async def a_mongo_user(settings: Settings) -> AsyncIterator[AsyncMongoClient[dict[str, Any]]]:
    options = mongo_access(settings)
    async with AsyncMongoClient(settings.mongo, serverSelectionTimeoutMS=5000, **options) as client:
        yield client


def named(principal: str, operation: Operation, resource: Resource) -> set[str]:
    return {
        acl.name
        for acl in acls(Settings())
        if (acl.principal, acl.operation, acl.resource) == (principal, operation, resource)
    }


async def test_the_broker_has_the_rights_that_follow_from_the_declarations(
    place: Settings, secrets: ServerSecrets
) -> None:
    def ours(found: set[Binding] | frozenset[Binding]) -> set[Binding]:
        return {binding for binding in found if binding.name.startswith(PREFIX)}

    expected = bindings(place)
    assert ours(set(await rights.read_acls(place))) == expected
    wide = Binding(Resource.TOPIC, f"{PREFIX}karya.", Pattern.PREFIXED, "User:sales.1", "*", Operation.WRITE, 3)
    # Of names beyond the prefix, too.
    widest = wide._replace(name="*", pattern=Pattern.LITERAL)
    everybody = wide._replace(principal="User:*", operation=Operation.READ)
    async with a_kafka_user(place) as admin:
        await rights.create_acls(admin, {wide, widest, everybody})

    async def known() -> set[Binding]:
        return {right for right in await rights.read_acls(place) if right.name.startswith(PREFIX) or right == widest}

    await eventually(known, equals={*expected, wide, widest, everybody})
    async with a_kafka_user(secrets.of("sales", place)) as sales:
        # So the test of every denial would be red.
        assert [name for name, code in (await written(sales)).items() if code] == []
    changes = await rights.reconcile_acls(place)
    assert (changes.given, changes.withdrawn) == (0, 2)
    assert await known() == {*expected, everybody}
    [sentence] = changes.refused
    assert f"Everybody has a right on {PREFIX}karya." in sentence
    async with a_kafka_user(place) as admin:
        await rights.delete_acls(admin, {everybody})
    await eventually(known, equals=expected)


@pytest.mark.parametrize("principal", principals(Settings()))
async def test_a_user_of_kafka_can_do_what_it_may_and_nothing_else(
    place: Settings, secrets: ServerSecrets, principal: str
) -> None:
    async with a_kafka_user(secrets.of(principal, place)) as user:
        for operation, codes in (
            (Operation.WRITE, await written(user)),
            (Operation.READ, await read(user)),
            (Operation.DESCRIBE_CONFIGS, await described(user)),
        ):
            assert set(codes) == set(TOPICS)
            assert {name for name, code in codes.items() if code == 0} == named(
                principal, operation, Resource.TOPIC
            ), operation
            assert {code for code in codes.values() if code} <= {TOPIC_DENIED}
        groups = {name: await joined(user, f"{PREFIX}{name}") for name in (*GROUPS, f"{MARKET}.x", *OTHER_GROUPS)}
        allowed = {name for name, code in groups.items() if code != GROUP_DENIED}
        expected = named(principal, Operation.READ, Resource.GROUP)
        assert allowed == ({f"{MARKET}.x"} if principal == MARKET else expected)
        topic = await user.create_topics([NewTopic(f"{PREFIX}new", 1, 1)])
        assert [entry[1] for entry in topic.topic_errors] in ([TOPIC_DENIED], [CLUSTER_DENIED])
        everything = Binding(Resource.TOPIC, "*", Pattern.LITERAL, f"User:{principal}.1", "*", Operation.WRITE, 3)
        with pytest.raises(KafkaError, match="ClusterAuthorizationFailed"):
            await rights.create_acls(user, {everything})


async def test_a_replay_that_would_give_rights_asks_for_the_administrator(
    place: Settings, secrets: ServerSecrets
) -> None:
    record = (IDENTITY_COMMANDS.name, b"k", b"v", ())
    async with dead_letters(secrets.of(OPERATOR, place)) as letters:
        with pytest.raises(NotPermitted, match=r"write karya\.identity-commands\.v1\..*KARYA_KAFKA_CREDENTIALS"):
            await letters.publish(*record)
        await letters.publish(TERMINAL.name, *record[1:])
    async with dead_letters(place) as letters:
        await letters.publish(*record)


async def written(user: AIOKafkaAdminClient) -> Mapping[str, int]:
    """Kafka's answer to a record for each topic."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=1024,
    )
    builder.append(0, timestamp=0, key=b"k", value=b"v", headers=[])
    batch = bytes(builder.build())
    topics = [(f"{PREFIX}{name}", [(0, batch)]) for name in TOPICS]
    answer = await user._send_request(ProduceRequest(None, -1, 10_000, topics))
    return codes_of(answer)


async def read(user: AIOKafkaAdminClient) -> Mapping[str, int]:
    topics = [(f"{PREFIX}{name}", [(0, 0, 1024)]) for name in TOPICS]
    answer = await user._send_request(FetchRequest(0, 0, 1024 * 1024, 0, topics))
    return codes_of(answer)


def codes_of(answer: Any) -> Mapping[str, int]:
    return {name.removeprefix(PREFIX): partitions[0][1] for name, partitions in answer.topics}


async def described(user: AIOKafkaAdminClient) -> Mapping[str, int]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, f"{PREFIX}{name}") for name in TOPICS]
    return {
        name.removeprefix(PREFIX): code
        for answer in await user.describe_configs(resources)
        for code, _why, _kind, name, _entries in answer.resources
    }


async def joined(user: AIOKafkaAdminClient, group: str) -> int:
    """Kafka's answer to a member that it does not know: a denial comes before."""
    answer = await user._send_request(HeartbeatRequest(group, 0, "nobody"))
    return int(answer.error_code)


@pytest.mark.parametrize("principal", [*SERVICES, PORTAL, OPERATOR])
async def test_a_user_of_mongodb_can_do_what_it_may_and_nothing_else(
    own: LocalStack, secrets: ServerSecrets, principal: str
) -> None:
    settings = secrets.of(principal, own.addresses.settings())
    readable, writable = set[str](), set[str]()
    async with a_mongo_user(settings) as user:
        for name in DATABASES:
            collection = user[f"{settings.database_prefix}{name}"]["denials"]
            if await is_allowed(collection.find_one({})):
                readable.add(name)
            if await is_allowed(collection.insert_one({})):
                writable.add(name)
        async with a_mongo_user(own.addresses.settings()) as owner:
            # The season's checks would find documents that no service has written.
            for name in DATABASES:
                await owner[f"{settings.database_prefix}{name}"].drop_collection("denials")
        assert (readable, writable) == (READS[principal], WRITES[principal])
        for command in (
            {"createUser": "thief", "pwd": "x", "roles": []},
            {"updateUser": "identity.1", "pwd": "x"},
            {"grantRolesToUser": f"{principal}.1", "roles": [{"role": "root", "db": "admin"}]},
            {"dropUser": "identity.1"},
        ):
            assert not await is_allowed(user.admin.command(command)), command


async def is_allowed(work: Any) -> bool:
    try:
        await work
    except OperationFailure as fault:
        if fault.code != UNAUTHORIZED:
            raise
        return False
    return True


@pytest.mark.parametrize("wrong", ["no credentials", "password", "user", "authority"])
async def test_strangers_are_not_let_in(own: LocalStack, secrets: ServerSecrets, tmp_path: Path, wrong: str) -> None:
    stranger = ServerSecrets(tmp_path)
    for server in (KAFKA, MONGO):
        good = secrets.credentials(server, "sales")
        user = "nobody.1" if wrong == "user" else good.user
        stranger.keep(server, "sales", good if wrong == "authority" else new_credentials(user))
    prepare(tmp_path, datetime.now(UTC))
    if wrong != "authority":
        stranger.authorities.write_bytes(secrets.authorities.read_bytes())
    plain = Settings(kafka=own.addresses.kafka, mongo=own.addresses.mongo)
    settings = plain if wrong == "no credentials" else stranger.of("sales", plain)
    with pytest.raises(KafkaError):
        async with a_kafka_user(settings) as admin:
            await admin.list_topics()
    async with a_mongo_user(settings) as client:
        with pytest.raises(PyMongoError):
            await client["karya_sales"]["denials"].find_one({})


def test_no_other_user_of_the_machine_reads_the_data_of_the_servers(own: LocalStack) -> None:
    assert own.folder.stat().st_mode & 0o077 == 0


async def test_a_good_user_is_let_in(own: LocalStack, secrets: ServerSecrets) -> None:
    settings = secrets.of("sales", own.addresses.settings())
    async with a_kafka_user(settings) as admin, a_mongo_user(settings) as client:
        await admin.list_topics()
        await client["karya_sales"]["denials"].find_one({})


@pytest.fixture(scope="module")
def services(own: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServices]:
    """The eight services, each a user of its own, with an account for everything that people do."""
    folder = tmp_path_factory.mktemp("services")
    settings = own.addresses.settings().model_copy(
        update={
            "access": AccessControl.TOKENS,
            "unsigned": UnsignedRecords.REFUSED,
            "http_rate_strangers": 0,  # all devices have one address
        }
    )
    asyncio.run(set_up(settings))
    services = LocalServices(folder, settings, secrets=own.secrets)
    try:
        start_with_accounts(services, settings, [PLAYER_ACCOUNT, OPERATOR_ACCOUNT])
        yield services
    finally:
        services.stop()


@pytest.mark.timeout(600)
def test_a_season_is_played_over_it(
    own: LocalStack, services: LocalServices, secrets: ServerSecrets, tmp_path: Path
) -> None:
    session = tmp_path / "session.json"
    sign_in(services.urls[IDENTITY], PLAYER_ACCOUNT, session)
    settings = own.addresses.settings(OPERATOR).model_copy(update={"access": AccessControl.TOKENS})
    played = play_season(settings, services.urls, tmp_path / "devices", session, quiet=True)
    assert played.wrong == {}
    assert played.steps > 150
    enrol_and_sync(settings, services.urls, session, tmp_path / "tablet")


def test_operators_verify_and_rebuild_over_http_though_their_user_of_the_servers_may_not_do_everything(
    services: LocalServices, tmp_path: Path
) -> None:
    session = sign_in(services.urls[IDENTITY], OPERATOR_ACCOUNT, tmp_path / "operator.json")
    with httpx.Client(base_url=services.urls[OPERATIONS], auth=Bearer(session), timeout=60) as api:
        assert api.get("/letters", params={"settled": "true"}).status_code == 200
        assert api.post("/verification", json={}).status_code == 202
        verified = ended(lambda: api.get("/verification").json())
        assert (verified["ok"], verified["fault"]) == (True, None), verified
        assert api.post("/rebuilds/inventory", json={}).status_code == 202
        rebuilt = ended(lambda: next(row for row in api.get("/rebuilds").json() if row["service"] == "inventory"))
        assert (rebuilt["ok"], rebuilt["fault"]) == (True, None), rebuilt


def ended(look: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The page of a run once it has ended."""
    end = time.monotonic() + 120
    while (page := look())["status"] == "running":
        assert time.monotonic() < end, page
        time.sleep(0.2)
    return page


def run(settings: Settings, urls: Mapping[str, str], session: Path, *words: str) -> Any:
    """What a command answers in JSON."""
    addresses = {f"KARYA_{name.upper()}_URL": url for name, url in urls.items()}
    variables = {**environment(settings), **addresses, sessions.FILE: str(session), "COLUMNS": "300"}
    result = CliRunner().invoke(app, [*words, "--json"], env=variables)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def enrol(settings: Settings, urls: Mapping[str, str], session: Path, devices: Path, name: str) -> tuple[str, ...]:
    """Enrol a tablet of nobody's account, and return its options."""
    options = ("--facility", "PR-KPG", "--terminal", name, "--zone", "Asia/Makassar", "--spool-dir", str(devices))
    code = run(settings, urls, session, "devices", "code", "terminal:PR-KPG")["code"]
    run(settings, urls, devices.with_name("nobody.json"), "terminal", *options, "enrol", code)
    return options


def enrol_and_sync(settings: Settings, urls: Mapping[str, str], session: Path, devices: Path) -> None:
    """A tablet of nobody's account sends a signed record, which is checked where it is stored."""
    place = enrol(settings, urls, session, devices, "T7")
    nobody = devices.with_name("nobody.json")
    run(settings, urls, nobody, "terminal", *place, "record", "KTI", "5", "--unlisted")
    report = run(settings, urls, nobody, "terminal", *place, "sync", "--wait", "30")
    assert (report["sent"], report["unanswered"], report["not_taken"]) == (1, 0, [])
    checks = run(settings, urls, session, "verify", "--signatures", "--within", "60")["checks"]
    [check] = [check for check in checks if check["name"] == "signatures"]
    assert (check["looked_at"] > 0, check["broken"]) == (True, [])


async def test_passwords_change_while_clients_work(own: LocalStack, secrets: ServerSecrets, place: Settings) -> None:
    settings = secrets.of("sales", place)
    topic, value = f"{PREFIX}{SALES.name}", b"kept"
    former = {server: secrets.credentials(server, "sales") for server in (KAFKA, MONGO)}
    async with a_kafka_user(settings) as reader, a_mongo_user(settings) as database:
        working = producer(settings)
        await working.start()
        try:
            assert topic in await reader.list_topics()
            await working.send_and_wait(topic, value)
            await database["karya_sales"]["denials"].find_one({})
            await admit_other_users(place, secrets, ["sales"])
            assert {secrets.credentials(server, "sales").user for server in former} == {"sales.2"}
            for server, credentials in former.items():
                assert await lets_in(own, tmp_secrets(secrets, server, credentials), server), "not retired yet"
            await retire_former_users(place, secrets, ["sales"])
            # What is open goes on; new clients work as the other user, and the former one is let in no more.
            await working.send_and_wait(topic, value)
            assert topic in await reader.list_topics()
            await database["karya_sales"]["denials"].find_one({})
        finally:
            await working.stop()
    for server, credentials in former.items():
        await eventually(lambda s=server, c=credentials: lets_in(own, tmp_secrets(secrets, s, c), s), equals=False)
        assert await lets_in(own, secrets, server)
    async with a_kafka_user(secrets.of("sales", place)) as user:
        codes = await written(user)
    assert {name for name, code in codes.items() if code == 0} == named("sales", Operation.WRITE, Resource.TOPIC)


def tmp_secrets(secrets: ServerSecrets, server: str, credentials: UserCredentials) -> ServerSecrets:
    """These credentials beside the authority of the stack."""
    other = ServerSecrets(secrets.folder.with_name(f"former-{server}"))
    other.keep(server, "sales", credentials)
    other.authorities.write_bytes(secrets.authorities.read_bytes())
    return other


async def lets_in(own: LocalStack, secrets: ServerSecrets, server: str) -> bool:
    """Whether the server lets the user of sales in."""
    settings = secrets.of("sales", Settings(kafka=own.addresses.kafka, mongo=own.addresses.mongo))
    try:
        if server == KAFKA:
            async with a_kafka_user(settings) as admin:
                await admin.list_topics()
        else:
            async with a_mongo_user(settings) as client:
                await client["karya_sales"]["denials"].find_one({})
    except (KafkaError, PyMongoError):
        return False
    return True


async def test_kafkas_certificate_changes_while_clients_work(
    own: LocalStack, secrets: ServerSecrets, place: Settings
) -> None:
    settings = secrets.of("sales", place)
    before = ssl.get_server_certificate(("127.0.0.1", own.kafka.port))
    now = datetime.now(UTC)
    async with a_kafka_user(settings) as open_client:
        # The client connects to the broker itself by its first request.
        await open_client.list_topics()
        # Clients trust the next authority before a server shows a certificate of it.
        new_authority(secrets, now)
        await renew_kafka_certificate(place, secrets, NODE, (CLIENTS, BROKERS), now)

        def shown() -> str:
            return ssl.get_server_certificate(("127.0.0.1", own.kafka.port))

        assert await eventually(shown, until=lambda certificate: certificate != before)
        await open_client.list_topics()
    async with a_kafka_user(settings) as new_client:
        await new_client.list_topics()
    async with a_mongo_user(settings) as client:
        await client["karya_sales"]["denials"].find_one({})


@pytest.mark.timeout(600)
def test_all_passwords_and_certificates_change_while_a_tablet_records(
    own: LocalStack,
    services: LocalServices,
    secrets: ServerSecrets,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    session, devices = tmp_path / "session.json", tmp_path / "tablet"
    sign_in(services.urls[IDENTITY], PLAYER_ACCOUNT, session)
    settings = own.addresses.settings(OPERATOR).model_copy(update={"access": AccessControl.TOKENS})
    enrol(settings, services.urls, session, devices, "T8")
    former = {
        (server, principal): secrets.credentials(server, principal)
        for server in (KAFKA, MONGO)
        for principal in ("sales", ADMINISTRATOR)
    }
    before = {server.name: shown_serial(server.port) for server in own.servers}
    rotating = import_module("cli.rotate")
    monkeypatch.setattr(rotating, "LocalStack", lambda *_, **__: own)
    monkeypatch.setattr(rotating, "local_services", lambda _: services)
    stopping = Event()
    with ThreadPoolExecutor(1) as threads:
        recording = threads.submit(asyncio.run, record_until(stopping, devices, services.urls))
        try:
            rotating.rotate(as_json=True)
        finally:
            stopping.set()
        recorded, synced = recording.result()
    assert {ADMINISTRATOR, "sales", KAFKA, MONGO} <= set(json.loads(capsys.readouterr().out)["rotated"])
    assert synced > 10, "it worked meanwhile"
    for server in own.servers:
        renewed = serial(secrets.server(server.name).read_text())
        assert renewed != before[server.name]
        # Kafka applies a setting some moments after it has taken it.
        asyncio.run(eventually(partial(shown_serial, server.port), equals=renewed))
    for (server, principal), credentials in former.items():
        refused = tmp_secrets(secrets, server, credentials)
        assert not asyncio.run(lets_in(own, refused, server)), (server, principal)
    with MongoClient[dict[str, Any]](own.addresses.mongo, **mongo_access(own.addresses.settings())) as client:
        lots = client["karya_production"]["lots"].find({"report": {"$in": recorded}}, {"report": 1})
        assert sorted(lot["report"] for lot in lots) == sorted(recorded), "each record counts, and counts once"


async def record_until(stopping: Event, devices: Path, urls: Mapping[str, str]) -> tuple[list[str], int]:
    """The ids of what a tablet records while it syncs again and again, and how many syncs went well."""
    recorded, synced = list[str](), 0
    with Terminal(devices, "PR-KPG", "T8") as terminal:
        route = GatewayRoute(urls["gateway"], Bearer(DeviceSession(urls[IDENTITY], terminal.spool.device_key)))
        while not stopping.is_set():
            now = datetime.now(UTC)
            recorded.append(terminal.record("KTI", 1, made_on=now.date(), at=now, unlisted=True).id)
            with suppress(NotReached, NotAnswered):
                await terminal.sync(route, wait=0)
                synced += 1
            await asyncio.sleep(0.1)
        report = await terminal.sync(route, wait=60)
        assert (report.unanswered, report.refused, terminal.counts().pending) == (0, 0, 0)
    return recorded, synced


def shown_serial(port: int) -> int:
    """The serial number of the certificate that a server shows."""
    return serial(ssl.get_server_certificate(("127.0.0.1", port)))


def serial(certificate: str) -> int:
    [found] = load_pem_x509_certificates(certificate.encode())
    return found.serial_number
