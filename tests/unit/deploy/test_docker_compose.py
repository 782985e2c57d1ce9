"""The compose file, as far as it can be judged without an engine."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy import docker_stack
from deploy.secure.files import PORTAL
from deploy.topics import SERVICES
from shared.http.unsafe_settings import unsafe
from shared.settings import Settings

ROOT = Path(__file__).parents[3]
COMPOSE = ROOT / "docker-compose.yml"

services: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]


def check_schema(file: Path) -> subprocess.CompletedProcess[str]:
    """Judge a compose file by the schema of the Compose specification, which the tool brings with it."""
    tool = Path(sys.executable).with_name("check-jsonschema")
    command = [str(tool), "--builtin-schema", "vendor.compose-spec", str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_it_follows_the_compose_specification() -> None:
    judged = check_schema(COMPOSE)
    assert judged.returncode == 0, judged.stdout


def test_a_file_that_does_not_is_found(tmp_path: Path) -> None:
    broken_file = tmp_path / "docker-compose.yml"
    broken_file.write_text(COMPOSE.read_text().replace("healthcheck:", "health_check:"))
    judged = check_schema(broken_file)
    assert judged.returncode == 1
    assert "health_check" in judged.stdout


def test_every_service_runs_from_the_one_image() -> None:
    for name in [*SERVICES, PORTAL]:
        assert services[name]["command"] == ["python", "-m", f"services.{name}.app"]
        assert (ROOT / "services" / name / "app.py").exists()
        assert services[name]["build"]["dockerfile"] == "deploy/Dockerfile"
    assert len({services[name]["image"] for name in [*SERVICES, PORTAL, "topics"]}) == 1


def test_nothing_starts_before_what_it_needs() -> None:
    for name in SERVICES:
        assert services[name]["depends_on"] == {
            "kafka": {"condition": "service_healthy"},
            "mongo": {"condition": "service_healthy"},
            "topics": {"condition": "service_completed_successfully"},
        }
    assert services[PORTAL]["depends_on"] == {"mongo": {"condition": "service_healthy"}}
    assert services["topics"]["depends_on"] == {"kafka": {"condition": "service_healthy"}}
    assert all("healthcheck" in services[name] for name in ("kafka", "mongo"))


@pytest.mark.parametrize("name", services)
def test_nobody_outside_the_machine_can_connect(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in services[name].get("ports", ()))


def test_all_images_are_pinned_and_the_same_as_in_tests() -> None:
    assert services["kafka"]["image"] == docker_stack.KAFKA_IMAGE
    assert services["mongo"]["image"] == docker_stack.MONGO_IMAGE
    assert all(":" in service["image"] and not service["image"].endswith(":latest") for service in services.values())


def test_the_broker_is_set_up_as_in_tests() -> None:
    environment = services["kafka"]["environment"]
    assert {name: environment.get(name) for name in docker_stack.KAFKA_ALONE} == docker_stack.KAFKA_ALONE
    ours = docker_stack.kafka_environment("cluster")
    for name in ("KAFKA_LISTENERS", "KAFKA_CONTROLLER_QUORUM_VOTERS"):
        assert environment[name] == ours[name]


def test_mongo_is_made_a_replica_set_as_in_tests() -> None:
    test = services["mongo"]["healthcheck"]["test"]
    assert test == ["CMD", "mongosh", "--quiet", "--eval", docker_stack.initiate_script("mongo:27017")]


def test_every_setting_that_it_gives_is_one() -> None:
    settings = {f"KARYA_{name.upper()}" for name in Settings.model_fields}
    for name in [*SERVICES, "topics"]:
        assert services[name]["environment"].keys() <= settings


def test_tokens_name_the_address_of_identity_that_the_host_reaches() -> None:
    [published] = services["identity"]["ports"]
    host, _, port = published.rpartition(":")
    assert (host, port) == ("127.0.0.1:${KARYA_IDENTITY_PORT:-8005}", "8000")
    for name in SERVICES:
        environment = services[name]["environment"]
        assert environment["KARYA_IDENTITY_ISSUER"] == f"${{KARYA_IDENTITY_ISSUER:-http://{host}}}"
        # The host's own variable of this name has the published address, which no container reaches.
        assert environment["KARYA_IDENTITY_URL"] == f"http://identity:{port}"


@pytest.mark.parametrize("name", SERVICES)
def test_its_services_may_start(name: str) -> None:
    given = {variable: with_defaults(value) for variable, value in services[name]["environment"].items()}
    fields = {variable.removeprefix("KARYA_").lower(): value for variable, value in given.items()}
    assert "KARYA_HTTP_HOST=0.0.0.0" in (ROOT / "deploy" / "Dockerfile").read_text()
    settings = Settings.model_validate({"access": "tokens", "unsigned": "refused", **fields, "http_host": "0.0.0.0"})
    assert settings.issuer == "http://127.0.0.1:8005"
    assert unsafe(settings) == []


def with_defaults(text: str) -> str:
    """The value of a setting where the host sets no variable."""
    while (inner := re.search(r"\$\{\w+:-([^{}]*)\}", text)) is not None:
        text = text.replace(inner[0], inner[1])
    return text


def test_data_outlives_its_container() -> None:
    assert services["kafka"]["environment"]["KAFKA_LOG_DIRS"] == "/var/lib/kafka/data"
    assert services["kafka"]["volumes"] == ["kafka-data:/var/lib/kafka/data"]
    assert "mongo-data:/data/db" in services["mongo"]["volumes"]
