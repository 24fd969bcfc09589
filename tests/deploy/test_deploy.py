"""What deploy/ ships: files that their own tools accept, and that agree with the code."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from scoring.policy import load_policy
from stream.alerts.rule_file import load_rules
from stream.settings import load_settings
from stream.settings_source import variable_of
from tests.real.kafka import VERSION
from tests.requirements import require

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose.yaml"
RULES = DEPLOY / "prometheus" / "rules" / "decibel.yml"
RULE_TESTS = RULES.with_name("decibel_test.yml")
CONTAINERFILE = DEPLOY / "Containerfile"

ENOUGH_S = 60


def accepted(*command, cwd=DEPLOY):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=ENOUGH_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def instructions():
    """The Containerfile's instructions in order, continued lines joined, as (name, rest)."""
    text = re.sub(r"^\s*#.*\n", "", CONTAINERFILE.read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [tuple(line.split(maxsplit=1)) for line in lines if line.strip()]


def given(name):
    return [rest for instruction, rest in instructions() if instruction == name]


@pytest.fixture
def services():
    return yaml.safe_load(COMPOSE.read_text())["services"]


# -- the image ----------------------------------------------------------------------------------------------


def test_the_image_has_only_instructions_that_exist():
    known = {
        "FROM",
        "LABEL",
        "ENV",
        "WORKDIR",
        "COPY",
        "RUN",
        "USER",
        "EXPOSE",
        "VOLUME",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
    }
    assert {name for name, _ in instructions()} == known


def test_the_image_runs_a_worker_as_a_numbered_user_that_is_not_root():
    assert given("ENTRYPOINT") == ['["decibel"]']
    assert given("CMD") == ['["worker"]']
    (user,) = given("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert [name for name, _ in instructions()].index("USER") > [name for name, _ in instructions()].index(
        "RUN"
    )


def test_what_is_installed_is_what_the_lock_names_checked_by_its_hashes():
    download, compiler, install, *_ = given("RUN")
    assert "pip download --require-hashes --only-binary :all: --requirement requirements.lock" in download
    assert "gcc" in compiler
    assert "DECIBEL_COMPILE=1" in install, "the image ships the compiled core"
    assert "--no-index" in install, "the second step must not reach a package index"
    assert "://" not in "".join(given("RUN")), "nothing is fetched by address"


def test_everything_the_image_copies_exists_and_goes_to_the_builder():
    sent = (DEPLOY / "Containerfile.dockerignore").read_text().splitlines()
    for rest in given("COPY"):
        if rest.startswith("--from"):
            continue
        for source in rest.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert f"!{source}" in sent, f"{source} is not sent to the builder"


def test_every_room_that_the_project_ships_is_in_the_image():
    shipped = {"schemas", "scoring", "agents", "stream"}
    assert shipped <= {source for rest in given("COPY") for source in rest.split()}


def test_the_settings_in_the_image_are_settings():
    values = dict(pair.split("=", 1) for rest in given("ENV") for pair in rest.split())
    load_settings(None, {name: value for name, value in values.items() if name.startswith("DECIBEL_")})
    assert values["DECIBEL_WORKER_DATADIR"] in given("VOLUME")[0], "only the volume can be written to"
    assert given("EXPOSE") == [str(load_settings(None, {}).worker.http_port)]
    assert variable_of("worker.http_port") in given("HEALTHCHECK")[0]


# -- compose ------------------------------------------------------------------------------------------------


def test_compose_accepts_the_file():
    accepted(
        require("docker-compose", "to check deploy/compose.yaml"), "-f", str(COMPOSE), "config", "--quiet"
    )


def test_every_image_has_a_version(services):
    for name, service in services.items():
        _, _, tag = service["image"].partition(":")
        assert re.search(r"\d+\.\d+\.\d+", tag), f"{name}: {service['image']}"


def test_compose_runs_the_kafka_that_is_tested(services):
    assert services["kafka"]["image"] == f"apache/kafka:{VERSION}"


def test_a_worker_starts_when_its_topics_are_made_and_again_when_it_ends(services):
    assert services["worker"]["depends_on"] == {
        "kafka": {"condition": "service_healthy"},
        "topics": {"condition": "service_completed_successfully"},
    }
    assert services["worker"]["restart"] in {"unless-stopped", "on-failure"}
    assert services["topics"]["command"] == ["topics", "apply"]
    assert services["topics"]["restart"] == "no"


def test_the_settings_in_compose_are_settings(services):
    for name in ("topics", "worker", "view", "gateway", "alerts"):
        told = services[name]["environment"]
        # The file of rules is there in the container alone; the test below looks at it.
        load_settings(None, {key: value for key, value in told.items() if key != "DECIBEL_ALERTS_RULES"})
        assert services[name]["read_only"] is True


def test_a_worker_has_time_to_drain_before_it_is_killed(services):
    grace_s = int(services["worker"]["stop_grace_period"].removesuffix("s"))
    assert grace_s > load_settings(None, services["worker"]["environment"]).worker.drain_timeout_s


def test_a_gateway_has_time_to_drain_and_its_port_is_published(services):
    settings = load_settings(None, services["gateway"]["environment"]).gateway
    assert int(services["gateway"]["stop_grace_period"].removesuffix("s")) > settings.drain_timeout_s
    assert services["gateway"]["ports"] == [f"127.0.0.1:{settings.port}:{settings.port}"]
    scraped = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    ports = {job["job_name"]: job["dns_sd_configs"][0]["port"] for job in scraped if "dns_sd_configs" in job}
    assert ports["decibel-gateway"] == settings.http_port


def test_nothing_listens_beyond_this_machine(services):
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


# -- alerts -------------------------------------------------------------------------------------------------


def test_the_alerts_have_rules_that_are_right_and_an_outbox_that_outlives_them(services):
    alerts = services["alerts"]
    told = load_settings(
        None, {name: value for name, value in alerts["environment"].items() if name != "DECIBEL_ALERTS_RULES"}
    )
    mounted = dict(volume.split(":")[:2] for volume in alerts["volumes"])
    assert mounted["./alerts.toml"] == alerts["environment"]["DECIBEL_ALERTS_RULES"]
    assert told.alerts.datadir.startswith(mounted["alerts"] + "/")
    assert mounted["alerts"] in given("VOLUME")[0], "there its user may write"
    assert str(told.alerts.http_port) in alerts["healthcheck"]["test"][-1]
    grace_s = int(alerts["stop_grace_period"].removesuffix("s"))
    assert grace_s > told.alerts.timeout_s
    [channel] = load_rules(DEPLOY / "alerts.toml", load_policy()).channels
    assert channel.url == "http://alertmanager:9093"
    assert services["alertmanager"]["ports"] == ["127.0.0.1:9093:9093"]


def test_alertmanager_accepts_its_configuration():
    amtool = require("amtool", "to check deploy/alertmanager")
    accepted(amtool, "check-config", str(DEPLOY / "alertmanager" / "alertmanager.yml"))


# -- Prometheus ---------------------------------------------------------------------------------------------


@pytest.fixture
def promtool():
    return require("promtool", "to check deploy/prometheus")


def alerts():
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}


def test_prometheus_accepts_configuration_and_rules(promtool):
    accepted(promtool, "check", "config", str(DEPLOY / "prometheus" / "prometheus.yml"))


def test_the_rules_do_what_their_tests_say(promtool):
    accepted(promtool, "test", "rules", RULE_TESTS.name, cwd=RULES.parent)


def test_each_alert_is_tested_firing_and_silent():
    tried = [
        each
        for test in yaml.safe_load(RULE_TESTS.read_text())["tests"]
        for each in test.get("alert_rule_test", [])
    ]
    for name in alerts():
        expected = [bool(each["exp_alerts"]) for each in tried if each["alertname"] == name]
        assert set(expected) == {True, False}, name


def test_each_recording_is_tested():
    groups = yaml.safe_load(RULES.read_text())["groups"]
    recorded = {rule["record"] for group in groups for rule in group["rules"] if "record" in rule}
    tested = RULE_TESTS.read_text()
    for name in recorded - {"job:decibel_partitions_owned:sum", "job_reason:decibel_dead_letters:rate15m"}:
        assert f"expr: {name}" in tested, name


def test_each_alert_says_how_bad_it_is_and_what_to_do():
    operations = (ROOT / "docs" / "operations.md").read_text()
    for name, rule in alerts().items():
        assert rule["labels"]["severity"] in {"page", "ticket"}, name
        assert set(rule["annotations"]) == {"summary", "description", "action"}, name
        assert f"`{name}`" in operations, f"{name} is missing in docs/operations.md"
        for runbook in re.findall(r'runbook "([^"]+)"', rule["annotations"]["action"]):
            assert f"### {runbook}\n" in operations, f"{name}: there is no runbook {runbook!r}"
