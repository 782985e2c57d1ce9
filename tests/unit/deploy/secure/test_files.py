"""Files of secrets: for their owner alone, whole, and of the right kind."""

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from deploy.local import kafka
from deploy.local.kafka import KafkaKind
from deploy.local.mongo import MongoKind
from deploy.local.services import ServiceKind, environment
from deploy.local.stack import LocalStack, StackError
from deploy.secure import certificates
from deploy.secure.certificates import SERVERS, new_authority, prepare, renew
from deploy.secure.files import ADMINISTRATOR, KAFKA, MONGO
from deploy.secure.users import ServerSecrets, new_credentials, other_name, user_names
from shared.credentials import read_credentials
from shared.errors import BadSettings
from shared.kafka_connection import connection, tls_context
from shared.mongo import mongo_access
from shared.private_file import replace_private
from shared.settings import Settings

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def subjects(file: Path) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(file.read_bytes())


@pytest.fixture
def secrets(tmp_path: Path) -> ServerSecrets:
    secrets = ServerSecrets(tmp_path / "secrets")
    prepare(secrets.folder, NOW)
    for server in (KAFKA, MONGO):
        secrets.credentials(server, ADMINISTRATOR)
    return secrets


def test_only_the_owner_can_read_them(secrets: ServerSecrets) -> None:
    files = [file for file in secrets.folder.rglob("*") if file.is_file()]
    assert len(files) == 6
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    for folder in (secrets.folder, secrets.folder / KAFKA):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder


def test_a_server_has_a_certificate_of_the_authority_for_its_addresses(secrets: ServerSecrets) -> None:
    [authority] = subjects(secrets.authorities)
    for name in SERVERS:
        [certificate] = subjects(secrets.server(name))
        certificate.verify_directly_issued_by(authority)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == ["localhost"]
        assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
        assert certificate.not_valid_after_utc - NOW <= timedelta(days=60)


@pytest.mark.parametrize("written", [0, 1])
def test_an_authority_whose_making_was_interrupted_signs_nothing_that_nobody_trusts(
    secrets: ServerSecrets, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    files: list[Path] = []

    def write(file: Path, content: bytes) -> None:
        if len(files) == written:
            raise OSError("the process ends here")
        files.append(file)
        replace_private(file, content)

    with monkeypatch.context() as patched:
        patched.setattr(certificates, "replace_private", write)
        with pytest.raises(OSError, match="ends here"):
            new_authority(secrets, NOW)
    renew(secrets, KAFKA, NOW)
    [certificate] = subjects(secrets.server(KAFKA))
    key_ids = {
        x509.SubjectKeyIdentifier.from_public_key(a.public_key()).digest for a in subjects(secrets.authorities)
    }
    issuer = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    assert issuer in key_ids


def test_certificates_are_made_anew_a_month_before_they_end(secrets: ServerSecrets) -> None:
    before = secrets.server(KAFKA).read_bytes()
    prepare(secrets.folder, NOW + timedelta(days=29))
    assert secrets.server(KAFKA).read_bytes() == before
    prepare(secrets.folder, NOW + timedelta(days=31))
    assert secrets.server(KAFKA).read_bytes() != before


def test_a_new_authority_is_trusted_beside_the_former_one(secrets: ServerSecrets) -> None:
    [former] = subjects(secrets.authorities)
    new_authority(secrets, NOW)
    assert subjects(secrets.authorities)[1:] == [former]
    renew(secrets, KAFKA, NOW)
    [certificate] = subjects(secrets.server(KAFKA))
    certificate.verify_directly_issued_by(subjects(secrets.authorities)[0])
    new_authority(secrets, NOW)
    assert former not in subjects(secrets.authorities)


def test_a_principal_has_two_users_and_passwords_nobody_guesses() -> None:
    assert user_names("sales") == ("sales.1", "sales.2")
    assert (other_name("sales.1"), other_name("sales.2")) == ("sales.2", "sales.1")
    credentials = new_credentials("sales.1")
    assert len(credentials.password) == 32
    assert credentials.password not in repr(credentials)


def test_credentials_are_made_once(secrets: ServerSecrets) -> None:
    assert secrets.credentials(KAFKA, "sales") == secrets.credentials(KAFKA, "sales")
    assert secrets.credentials(KAFKA, "sales") != secrets.credentials(MONGO, "sales")


@pytest.mark.parametrize("content", ["", "user\n", "user\n\n", "\npassword\n", "user\npassword\nmore\n"])
def test_a_file_of_two_lines_is_needed(tmp_path: Path, content: str) -> None:
    file = tmp_path / "credentials"
    file.write_text(content)
    with pytest.raises(BadSettings, match="two lines"):
        read_credentials(file)


def test_without_the_files_nothing_connects(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    with pytest.raises(BadSettings, match="there is no such file"):
        connection(Settings(kafka_credentials=nowhere))
    with pytest.raises(BadSettings, match="there is no such file"):
        mongo_access(Settings(mongo_credentials=nowhere))
    with pytest.raises(BadSettings, match="authorities"):
        tls_context(nowhere)


@pytest.mark.parametrize("server", ["kafka", "mongo"])
def test_an_authority_without_credentials_is_a_mistake(tmp_path: Path, server: str) -> None:
    with pytest.raises(BadSettings, match=f"KARYA_{server.upper()}_CA counts with"):
        Settings.model_validate({f"{server}_ca": tmp_path})


def test_credentials_go_over_tls_alone(secrets: ServerSecrets) -> None:
    settings = secrets.of(ADMINISTRATOR, Settings())
    options = connection(settings)
    assert (options["security_protocol"], options["sasl_mechanism"]) == ("SASL_SSL", "SCRAM-SHA-512")
    context = options["ssl_context"]
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert mongo_access(settings)["tls"] is True


def test_no_password_is_among_the_arguments_of_a_process(secrets: ServerSecrets, tmp_path: Path) -> None:
    passwords = {secrets.credentials(server, ADMINISTRATOR).password for server in (KAFKA, MONGO)}
    # Data of an earlier start: neither is made anew.
    for folder in ("kafka/data", "mongo/data"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "kafka/data/meta.properties").touch()
    broker = KafkaKind(tmp_path / "kafka", (), secrets)
    commands = [
        broker.command(19092),
        MongoKind(tmp_path / "mongo", secrets).command(27117),
        ServiceKind("sales", tmp_path / "sales", environment(secrets.of(ADMINISTRATOR, Settings()))).command(8001),
    ]
    assert not any(password in argument for password in passwords for command in commands for argument in command)
    assert not any(password in Path(broker.marker).read_text() for password in passwords)


def test_a_secured_broker_has_no_listener_that_lets_everybody_in(secrets: ServerSecrets, tmp_path: Path) -> None:
    data = tmp_path / "kafka/data"
    data.mkdir(parents=True)
    (data / "meta.properties").touch()
    listeners = (kafka.Listener("LINE0", 1, 2),)
    KafkaKind(tmp_path / "kafka", listeners, secrets).command(19092)
    lines = (tmp_path / "kafka/server.properties").read_text().splitlines()
    properties = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    protocols = dict(entry.split(":") for entry in properties["listener.security.protocol.map"].split(","))
    assert protocols == {"CLIENTS": "SASL_SSL", "LINE0": "SASL_SSL", "BROKERS": "SSL", "CONTROLLER": "SSL"}
    for name in ("brokers", "controller"):
        assert properties[f"listener.name.{name}.ssl.client.auth"] == "required"
    assert properties["allow.everyone.if.no.acl.found"] == "false"
    assert properties["super.users"] == "User:administrator.1;User:administrator.2;User:CN=kafka"


def test_a_folder_stays_as_it_began(tmp_path: Path) -> None:
    (tmp_path / "open" / "kafka").mkdir(parents=True)
    assert LocalStack(tmp_path / "open").secrets is None
    with pytest.raises(StackError, match="without users"):
        LocalStack(tmp_path / "open", secure=True)
    (tmp_path / "known" / "secrets").mkdir(parents=True)
    assert LocalStack(tmp_path / "known").secrets is not None
