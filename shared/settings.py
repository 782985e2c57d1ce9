"""Every setting of Karya, from `KARYA_*` variables."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared import typed
from shared.errors import BadSettings, ServersNotConfigured, WrongEntry
from shared.faults import fault_message
from shared.wording import Message, WrongValue, as_message


def _whole(value: object) -> object:
    # Pydantic alone reads the text 1.000 as 1.
    try:
        return typed.whole(value) if isinstance(value, str) else value
    except WrongEntry as wrong:
        raise WrongValue(as_message(wrong.message)) from None


PREFIX = "KARYA_"
Whole = Annotated[int, BeforeValidator(_whole)]


class MongoDriver(StrEnum):
    PYMONGO = "pymongo"
    MOTOR = "motor"


class AccessControl(StrEnum):
    """Whether requests need an access token. `OPEN` is for measurements and for tests of other things."""

    TOKENS = "tokens"
    OPEN = "open"


class UnsignedRecords(StrEnum):
    """Whether an account may send records that no enrolled device has signed."""

    ALLOWED = "allowed"
    REFUSED = "refused"


class DeviceRoute(StrEnum):
    """Where terminals and tills sync."""

    GATEWAY = "gateway"
    KAFKA = "kafka"


class Settings(BaseSettings):
    """The settings of services, agents and commands. Raises BadSettings for a wrong one."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    kafka: str = Field("127.0.0.1:19092", description="Kafka bootstrap addresses, host:port with commas")
    mongo: str = Field(
        "mongodb://127.0.0.1:27117/?directConnection=true",
        description="MongoDB connection string (replica set)",
    )
    kafka_credentials: Path | None = Field(
        None, description="file with a user of Kafka and its password, a line each; then SCRAM-SHA-512 over TLS"
    )
    kafka_ca: Path | None = Field(
        None, description="file with the authorities of Kafka's certificates; without it those of the system"
    )
    mongo_credentials: Path | None = Field(
        None, description="file with a user of MongoDB and its password, a line each; then SCRAM over TLS"
    )
    mongo_ca: Path | None = Field(
        None, description="file with the authorities of MongoDB's certificates; without it those of the system"
    )
    mongo_driver: MongoDriver = Field(
        MongoDriver.PYMONGO, description="pymongo (its async API), or motor with the extra `motor`"
    )
    topic_prefix: str = Field("", description="put before every topic and group name, e.g. `test7.`")
    database_prefix: str = Field("karya_", description="a service's database is this and its name")
    partitions: Whole = Field(6, ge=1, le=256, description="partitions of every topic, when topics are made")
    replication: Whole = Field(1, ge=1, description="replication factor of every topic, when topics are made")
    max_batch: Whole = Field(2000, ge=1, le=20_000, description="the most records worked in one step")
    session_timeout_ms: Whole = Field(
        10_000, ge=1000, description="how long Kafka waits for a silent instance before it gives its lanes away"
    )
    most_lag_seconds: Whole = Field(
        60, ge=1, description="a service is not ready while a record has waited for it for longer than this"
    )
    http_host: str = Field("127.0.0.1", description="where the HTTP APIs listen")
    http_names: str = Field(
        "", description="names by which clients reach the HTTP APIs, with commas; localhost and addresses need none"
    )
    http_port: Whole = Field(0, ge=0, le=65535, description="a service's HTTP port; 0 takes a free one")
    http_port_file: Path | None = Field(None, description="where a service writes the port that it listens on")
    http_proxies: str = Field(
        "127.0.0.1,::1",
        description="addresses of proxies, with commas, whose X-Forwarded-For and X-Forwarded-Proto are believed",
    )
    http_connections: Whole = Field(
        500, ge=1, description="the most connections of a service; beyond it the one that is idle the longest ends"
    )
    tls_host: str = Field("", description="a second address where a service listens, over HTTPS; empty: none")
    tls_port: Whole = Field(8443, ge=0, le=65535, description="the port of this address; 0 takes a free one")
    tls_certificate: Path | None = Field(
        None, description="file with the private key and the certificate of this address"
    )
    tls_authority: Path | None = Field(
        None, description="certificate of the authority that phones have to trust for it; the portal hands it out"
    )
    http_rate: Whole = Field(
        3000, ge=0, description="requests a minute of one account to one instance of a service; 0 sets no bound"
    )
    http_rate_strangers: Whole = Field(
        300, ge=0, description="requests a minute without a valid token from one address; 0 sets no bound"
    )
    access: AccessControl = Field(
        AccessControl.TOKENS,
        description="tokens: each request needs an access token of identity; open: everybody on this machine may do "
        "everything",
    )
    unsigned: UnsignedRecords = Field(
        UnsignedRecords.REFUSED,
        description="refused: the gateway takes records of enrolled devices alone; allowed: also those that a "
        "person's account sends for a device that is not enrolled",
    )
    identity_url: str = Field("http://127.0.0.1:8005", description="where services and commands reach identity")
    identity_issuer: str = Field(
        "",
        description="identity's address for people and devices, if services have another one; access tokens name it "
        "as their issuer; empty: `KARYA_IDENTITY_URL`",
    )
    production_url: str = Field("http://127.0.0.1:8001", description="production's address, for the portal")
    inventory_url: str = Field("http://127.0.0.1:8002", description="inventory's address, for the portal")
    festival_url: str = Field("http://127.0.0.1:8003", description="festival's address, for the portal")
    sales_url: str = Field("http://127.0.0.1:8004", description="sales' address, for the portal")
    operations_url: str = Field("http://127.0.0.1:8008", description="operations' address, for the portal")
    passwords: bool = Field(
        True, description="whether people sign in with a login and a password; false needs `KARYA_OIDC_ISSUER`"
    )
    oidc_issuer: str = Field(
        "", description="address of an OpenID Connect provider, where people sign in too; empty: there is none"
    )
    oidc_name: str = Field("", description="the provider's name on the button to sign in; empty: its host")
    oidc_client_id: str = Field("", description="identity's client id at the provider")
    oidc_client_secret: str = Field(
        "", repr=False, description="identity's secret at the provider; empty for a client that has none"
    )
    oidc_scopes: str = Field("openid profile", description="scopes that identity asks the provider for, with spaces")
    oidc_roles_claim: str = Field(
        "",
        description="the provider's claim that decides about roles, e.g. `groups` or `realm_access.roles`; empty: "
        "all people of the provider get an account, and no role",
    )
    oidc_roles: str = Field(
        "",
        description="roles by values of the claim, with commas: `admins=administrator, kupang=facility-staff:LP-KPG`",
    )
    oidc_session_hours: Whole = Field(
        12, ge=1, le=24 * 14, description="how long a session lasts at most that began at the provider"
    )
    portal_origins: str = Field(
        "",
        description="addresses under which people open the portal, with commas, such as `https://karya.example`: the "
        "provider sends browsers back there; a portal on the machine itself needs none",
    )
    gateway_url: str = Field(
        "", description="the gateway's address, where terminals and tills sync unless they are told otherwise"
    )
    route: DeviceRoute = Field(
        DeviceRoute.GATEWAY, description="gateway, or kafka: terminals and tills sync with Kafka itself"
    )
    operator: str = Field("", description="who mends and archives dead letters; empty: the account that is signed in")
    lang: str = Field(
        "", description="language of commands: id or en; else that of the locale, and Indonesian for other locales"
    )
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    log_json: bool | None = Field(None, description="JSON lines (true), for people (false), or by terminal")
    subscribers: str = Field(
        "market=karya.public.sales.v1",
        description="subscribers of a secured Kafka, each with a public topic or `*`, with commas; a name may stand "
        "more than once",
    )
    clock_skew_seconds: Whole = Field(
        900, ge=0, description="how far a terminal's clock may be ahead of Kafka's before a report is refused"
    )
    facility_percent: Whole = Field(60, ge=0, le=100, description="facility's share of a sale (made-up default)")
    maker_percent: Whole = Field(25, ge=0, le=100, description="maker premium of a sale (made-up default)")
    programme_percent: Whole = Field(15, ge=0, le=100, description="programme's share (made-up default)")

    @model_validator(mode="wrap")
    @classmethod
    def _checked(cls, values: object, validate: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            settings = validate(values)
        except ValidationError as error:
            fault = error.errors(include_input=False, include_url=False)[0]
            name = f"{PREFIX}{fault['loc'][0]}".upper()
            raise BadSettings(Message("{field}: {reason}", field=name, reason=fault_message(fault))) from None
        if settings.oidc_issuer and not settings.oidc_client_id:
            raise BadSettings(Message("KARYA_OIDC_ISSUER needs KARYA_OIDC_CLIENT_ID."))
        if not settings.passwords and not settings.oidc_issuer:
            raise BadSettings(Message("Without passwords and KARYA_OIDC_ISSUER nobody could sign in."))
        return settings

    @model_validator(mode="after")
    def _certificate_with_address(self) -> Self:
        if self.tls_host and self.tls_certificate is None:
            raise BadSettings(Message("KARYA_TLS_HOST needs KARYA_TLS_CERTIFICATE."))
        return self

    @model_validator(mode="after")
    def _authorities_with_credentials(self) -> Self:
        # Whoever names an authority expects TLS, which only credentials turn on.
        for server in ("kafka", "mongo"):
            if getattr(self, f"{server}_ca") is not None and getattr(self, f"{server}_credentials") is None:
                variable = f"{PREFIX}{server.upper()}"
                raise BadSettings(
                    Message(
                        "{ca} counts with {credentials} only.",
                        ca=f"{variable}_CA",
                        credentials=f"{variable}_CREDENTIALS",
                    )
                )
        return self

    @property
    def issuer(self) -> str:
        """Identity's address as people and devices know it. Tokens name it, and devices prove themselves for it."""
        return (self.identity_issuer or self.identity_url).rstrip("/")

    @property
    def names(self) -> list[str]:
        """The allowed hosts of a request, besides localhost and numeric addresses."""
        return [name.strip() for name in (self.http_host, *self.http_names.split(",")) if name.strip()]


def settings_for(*servers: str) -> Settings:
    """The settings of a command that needs these servers (`kafka`, `mongo`).

    Raises ServersNotConfigured unless their addresses are set. Where several stacks run side by side, the defaults
    would lead to another stack.
    """
    settings = Settings()
    missing = [f"{PREFIX}{name.upper()}" for name in servers if name not in settings.model_fields_set]
    if missing:
        *others, last = missing
        names = Message("{first} and {second}", first=", ".join(others), second=last) if others else last
        raise ServersNotConfigured(
            Message("Nothing of Karya runs here: run `make up`, or set {settings}.", settings=names)
        )
    return settings
