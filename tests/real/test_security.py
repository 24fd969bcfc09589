"""TLS and SASL against a real Kafka: who may come in does, who may not is told which setting to look at."""

import json
import os
import subprocess
import sys
from contextlib import closing

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ScramMechanism, UserScramCredentialUpsertion
from msgspec.structs import replace

from schemas.errors import BrokerError
from stream.log_reader import read_to_end
from stream.provisioning import apply
from stream.settings import KafkaSettings, Secret, Settings, TopicSettings, load_settings
from tests.real.kafka import RealKafka, _free_ports
from tests.requirements import require
from tests.wire import Deployment
from tests.workers import WorkerProcess

pytestmark = [pytest.mark.real, pytest.mark.slow]  # starts a broker with certificates and users of its own

ENOUGH_S = 60
PASSWORD = "hunter2-in-kafka"

_SECURITY = """
listeners=PLAINTEXT://{plain},CONTROLLER://127.0.0.1:{controller},TLS://127.0.0.1:{tls},LOGIN://127.0.0.1:{login}
advertised.listeners=PLAINTEXT://{plain},TLS://127.0.0.1:{tls},LOGIN://127.0.0.1:{login}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,TLS:SSL,LOGIN:SASL_SSL
ssl.keystore.type=PKCS12
ssl.keystore.location={store}
ssl.keystore.password=changeit
ssl.truststore.type=PKCS12
ssl.truststore.location={trust}
ssl.truststore.password=changeit
listener.name.tls.ssl.client.auth=required
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.login.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
user_decibel="{password}";
listener.name.login.scram-sha-256.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.login.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
"""


def keytool(*arguments):
    command = [require("keytool", "to make certificates"), *arguments, "-storepass", "changeit"]
    subprocess.run(command, check=True, capture_output=True, timeout=ENOUGH_S)


def certificate(folder, name):
    """A key and a certificate signed by itself, for 127.0.0.1: as PKCS12 and as PEM."""
    store, pem, key = (str(folder / f"{name}.{kind}") for kind in ("p12", "pem", "key"))
    subject = ["-dname", f"CN={name}", "-ext", "san=ip:127.0.0.1", "-validity", "2"]
    keytool(
        "-genkeypair", "-alias", name, "-keyalg", "EC", "-storetype", "PKCS12", "-keystore", store, *subject
    )
    keytool("-exportcert", "-rfc", "-alias", name, "-keystore", store, "-file", pem)
    openssl = [
        require("openssl", "to take a key out of a keystore"),
        "pkcs12",
        "-in",
        store,
        "-nocerts",
        "-nodes",
    ]
    subprocess.run(
        [*openssl, "-passin", "pass:changeit", "-out", key], check=True, capture_output=True, timeout=60
    )
    return store, pem, key


class SecureKafka(RealKafka):
    """A Kafka with a TLS listener that wants client certificates, and one that wants a login over TLS."""

    def __init__(self, folder):
        self.store, self.ca, _ = certificate(folder, "broker")
        _, self.client_cert, self.client_key = certificate(folder, "client")
        self.trust = str(folder / "trust.p12")
        keytool(
            *("-importcert", "-noprompt", "-alias", "client", "-file", self.client_cert),
            *("-storetype", "PKCS12", "-keystore", self.trust),
        )
        self.tls, self.login = _free_ports(2)
        super().__init__()

    def _format(self):
        text = self._settings.read_text()
        controller = text.partition("CONTROLLER://127.0.0.1:")[2].partition("\n")[0]
        security = _SECURITY.format(
            plain=self.bootstrap,
            controller=controller,
            tls=self.tls,
            login=self.login,
            store=self.store,
            trust=self.trust,
            password=PASSWORD,
        )
        replaced = ("listeners=", "advertised.listeners=", "listener.security.protocol.map=")
        kept = [line for line in text.splitlines() if not line.startswith(replaced)]
        self._settings.write_text("\n".join(kept) + security)
        super()._format()


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with SecureKafka(tmp_path_factory.mktemp("certificates")) as running:
        add_scram_users(running)
        yield running


def add_scram_users(broker):
    mechanisms = (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512)
    with closing(KafkaAdminClient(bootstrap_servers=broker.bootstrap)) as admin:
        for mechanism in mechanisms:
            user = UserScramCredentialUpsertion("decibel", mechanism, PASSWORD, iterations=4096)
            assert admin.alter_user_scram_credentials([user]) == {"decibel": None}


@pytest.fixture
def login(broker):
    return KafkaSettings(
        bootstrap=f"127.0.0.1:{broker.login}",
        security_protocol="SASL_SSL",
        sasl_mechanism="PLAIN",
        username="decibel",
        password=Secret(PASSWORD),
        ca_file=broker.ca,
    )


def settings_for(kafka, prefix):
    return Settings(kafka=kafka, topics=TopicSettings(prefix=prefix, partitions=1))


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_a_login_over_tls_lets_every_client_in(login, prefix, mechanism):
    settings = settings_for(replace(login, sasl_mechanism=mechanism), prefix)
    assert {topic.action for topic in apply(settings).topics} == {"created"}
    assert list(read_to_end(settings, prefix + "source-items")) == []


def test_a_client_certificate_lets_in(broker, prefix):
    kafka = KafkaSettings(
        bootstrap=f"127.0.0.1:{broker.tls}",
        security_protocol="SSL",
        ca_file=broker.ca,
        cert_file=broker.client_cert,
        key_file=broker.client_key,
    )
    assert {topic.action for topic in apply(settings_for(kafka, prefix)).topics} == {"created"}


def test_the_commands_work_by_variables_and_a_password_file(broker, login, prefix, tmp_path):
    (tmp_path / "password").write_text(PASSWORD + "\n")
    environ = {
        "DECIBEL_KAFKA_BOOTSTRAP": login.bootstrap,
        "DECIBEL_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "DECIBEL_KAFKA_USERNAME": "decibel",
        "DECIBEL_KAFKA_PASSWORD_FILE": str(tmp_path / "password"),
        "DECIBEL_KAFKA_CA_FILE": broker.ca,
        "DECIBEL_TOPICS_PREFIX": prefix,
        "DECIBEL_TOPICS_PARTITIONS": "1",
    }
    apply(load_settings(None, environ))
    item = {"item_id": "1", "incident_id": "x", "platform": "p", "published_at": "2021-12-10T01:05:00Z"}
    sent = decibel(environ, "-v", "ingest", "-", stdin=json.dumps(item))
    assert sent.returncode == 0, sent.stderr
    tail = decibel(environ, "tail", "source-items", "--from", "beginning", "--limit", "1", "--json")
    assert json.loads(tail.stdout)["value"] == item
    assert PASSWORD not in sent.stdout + sent.stderr + tail.stdout + tail.stderr


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_a_worker_logs_in_over_tls_and_scores(broker, login, prefix, mechanism):
    deployment = Deployment(login.bootstrap, prefix)
    deployment.changes |= {
        "DECIBEL_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "DECIBEL_KAFKA_SASL_MECHANISM": mechanism,
        "DECIBEL_KAFKA_USERNAME": "decibel",
        "DECIBEL_KAFKA_PASSWORD": PASSWORD,
        "DECIBEL_KAFKA_CA_FILE": broker.ca,
        "DECIBEL_TOPICS_PARTITIONS": "1",
    }
    apply(deployment.settings)
    item = {"item_id": "1", "incident_id": "x", "platform": "p", "published_at": "2021-12-10T01:05:00Z"}
    with WorkerProcess(deployment) as worker:
        worker.until_ready()
        assert decibel(deployment.environ, "ingest", "-", stdin=json.dumps(item)).returncode == 0
        arguments = ("--from", "beginning", "--limit", "1", "--timeout", "20", "--json")
        tail = decibel(deployment.environ, "tail", "noise-scores", *arguments)
        assert json.loads(tail.stdout)["value"]["incident_id"] == "x", tail.stderr
        assert PASSWORD not in worker.log


def decibel(environ, *arguments, stdin=""):
    return subprocess.run(
        [sys.executable, "-c", "from stream.cli import main; main()", *arguments],
        env=os.environ | environ,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=ENOUGH_S,
        check=False,
    )


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({"KAFKA_PASSWORD": "wrong-password"}, "kafka.password"),
        ({"KAFKA_USERNAME": "stranger", "KAFKA_SASL_MECHANISM": "SCRAM-SHA-256"}, "kafka.username"),
        ({"KAFKA_CA_FILE": ""}, "kafka.ca_file"),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_USERNAME": "", "KAFKA_PASSWORD": ""},
            "kafka.security_protocol",
        ),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "KAFKA_CA_FILE": ""}, "kafka.security_protocol"),
    ],
)
def test_who_may_not_come_in_is_told_which_setting_to_look_at(broker, login, changes, advice):
    environ = {
        "DECIBEL_KAFKA_BOOTSTRAP": login.bootstrap,
        "DECIBEL_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "DECIBEL_KAFKA_USERNAME": "decibel",
        "DECIBEL_KAFKA_PASSWORD": PASSWORD,
        "DECIBEL_KAFKA_CA_FILE": broker.ca,
    }
    done = decibel(
        environ | {f"DECIBEL_{key}": value for key, value in changes.items()}, "-v", "doctor", "--json"
    )
    assert done.returncode == 1, done.stderr
    [failed] = [check for check in json.loads(done.stdout) if check["status"] == "fail"]
    assert advice in failed["detail"]
    assert login.bootstrap in failed["detail"]
    for secret in (PASSWORD, "wrong-password"):
        assert secret not in done.stdout + done.stderr


def test_a_certificate_file_that_is_none_is_told(login, prefix, tmp_path):
    (tmp_path / "ca.pem").write_text("nonsense")
    with pytest.raises(BrokerError, match=r"ca\.pem.*PEM files are expected"):
        apply(settings_for(replace(login, ca_file=str(tmp_path / "ca.pem")), prefix))
