"""Settings: file and variables; errors with key, place and what is allowed; secrets stay unseen."""

import logging
import pickle
import socket
from pathlib import Path

import pytest

from schemas.errors import BrokerError, SettingsError
from stream.settings import KafkaSettings, Secret, Settings, ViewSettings, load_settings
from stream.settings_source import RESERVED, variable_of


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "decibel.toml"
        path.write_text(text)
        return path

    return write


def complaint(path, environ=None):
    with pytest.raises(SettingsError) as caught:
        load_settings(path, environ or {})
    return str(caught.value)


def test_without_file_and_variables_all_are_defaults():
    assert load_settings(None, {}) == Settings()


def test_a_variable_goes_before_the_file(written):
    path = written('app_id = "filed"\n[kafka]\nbootstrap = "a:1"\n[worker]\nhttp_port = 1\n')
    settings = load_settings(path, {"DECIBEL_KAFKA_BOOTSTRAP": "b:2, c:3", "DECIBEL_WORKER_HTTP_PORT": "0"})
    assert settings.app_id == "filed"
    assert settings.kafka.servers == ["b:2", "c:3"]
    assert settings.worker.http_port == 0


def test_a_variable_names_the_file(written):
    path = written('clock = "stream"')
    assert load_settings(None, {"DECIBEL_SETTINGS": str(path)}).clock == "stream"


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("DECIBEL_WORKER_CONFLATE", "false", False),
        ("DECIBEL_WORKER_CONFLATE", "1", True),
        ("DECIBEL_WORKER_IDLE_GRACE_S", "2.5", 2.5),
        ("DECIBEL_WORKER_COMPRESSION", "none", "none"),
    ],
)
def test_variables_are_read_as_their_type(variable, text, value):
    key = variable.removeprefix("DECIBEL_WORKER_").lower()
    assert getattr(load_settings(None, {variable: text}).worker, key) == value


def test_an_empty_variable_counts_as_not_set(written):
    path = written("[topics]\npartitions = 3\n")
    assert load_settings(path, {"DECIBEL_TOPICS_PARTITIONS": ""}).topics.partitions == 3


def test_reserved_variables_and_those_of_kubernetes_are_no_settings():
    environ = dict.fromkeys(RESERVED - {"DECIBEL_SETTINGS"}, "x") | {
        "DECIBEL_WORKER_SERVICE_HOST": "10.0.0.1",
        "DECIBEL_WORKER_PORT_9646_TCP_ADDR": "10.0.0.1",
        "DECIBEL_GATEWAY_PORT": "tcp://10.0.0.1:80",
    }
    assert load_settings(None, environ) == Settings()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('[kafka]\nbotstrap = "a:1"', ["kafka.botstrap", "did you mean kafka.bootstrap?"]),
        ("[topic]\npartitions = 1", ["topic", "did you mean topics?"]),
        ("partitions = 1", ["partitions", "did you mean topics.partitions?"]),
        ("topics = 1", ["topics", "write [topics]"]),
        ("[topics]\npartitions = 0", ["topics.partitions: 0", "a whole number from 1 to 4096"]),
        ('[topics]\npartitions = "8"', ["topics.partitions: '8'", "a whole number"]),
        ("[worker]\ncommit_interval_s = nan", ["worker.commit_interval_s", "a number from 0.05 to 60"]),
        ('clock = "sundial"', ["clock: 'sundial'", "wall or stream"]),
        ('app_id = "a b"', ["app_id: 'a b'", "letters"]),
        ('[kafka]\nbootstrap = "broker"', ["kafka.bootstrap: 'broker'", "host:port"]),
        ("[worker]\nheartbeat_s = 10.0", ["worker.heartbeat_s", "a third of worker.session_timeout_s"]),
        ('[worker]\nstore = "rocksdb://"', ["worker.store", "worker.datadir"]),
        ('policy = "gone.toml"', ["policy", "gone.toml"]),
        ('[kafka]\nsecurity_protocol = "SASL_SSL"', ["kafka.security_protocol", "kafka.username"]),
        ('[kafka]\nusername = "u"', ["kafka.username", "SASL_SSL", "it is PLAINTEXT"]),
        ('[view]\nurl = "http://h"', ["view.url", "redis://", "embedded://"]),
        ('[view]\nprefix = "a:b"', ["view.prefix: 'a:b'", "letters"]),
        ("[view]\nlive_most = 1", ["view.live_most: 1", "a whole number from 100"]),
        ('[view]\nurl = "redis://h"\nusername = "u"', ["view.username", "view.password"]),
        ('[view]\npassword = "p"', ["view.password", "embedded://"]),
        ('[view]\nurl = "redis://:x@h"\npassword = "p"', ["view.password", "view.url holds a login"]),
        ('[view]\nurl = "redis://h"\nca_file = "decibel.toml"', ["view.ca_file", "rediss://"]),
        ('[view]\nurl = "rediss://h"\ncert_file = "decibel.toml"', ["view.cert_file", "view.key_file"]),
        ('[view]\nurl = "redis://h"\npassword_file = "gone"', ["view.password_file", "gone"]),
        ("[gateway]\nport = 70000", ["gateway.port: 70000", "a whole number from 0 to 65535"]),
        ('[gateway]\ntokens = "short"', ["gateway.tokens: token 1", "16 to 256"]),
        ('[gateway]\ntokens_file = "gone"', ["gateway.tokens_file", "gone"]),
        (
            '[gateway]\ntokens = "a-token-of-enough-letters"\ntokens_file = "decibel.toml"',
            ["set one of them"],
        ),
        ('[gateway]\ncors_origins = "example.org"', ["gateway.cors_origins", "https://example.org"]),
        ('[gateway]\nbase_url = "https://example.org/"', ["gateway.base_url", "does not end in /"]),
        ("[kafka", ["not TOML"]),
    ],
)
def test_a_wrong_file_is_told_by_key_place_and_what_is_allowed(written, text, parts):
    path = written(text)
    message = complaint(path)
    assert message.startswith(str(path))
    assert all(part in message for part in parts), message


@pytest.mark.parametrize(
    ("variable", "value", "part"),
    [
        ("DECIBEL_KAFKA_BOOTSTRP", "a:1", "did you mean DECIBEL_KAFKA_BOOTSTRAP?"),
        ("DECIBEL_NONSENSE", "1", "there is no such setting"),
        ("DECIBEL_WORKER_HTTP_PORT", "many", "worker.http_port: 'many' is not allowed"),
        ("DECIBEL_WORKER_CONFLATE", "perhaps", "true or false"),
    ],
)
def test_a_wrong_variable_is_told_by_its_name(variable, value, part):
    message = complaint(None, {variable: value})
    assert message.startswith(variable)
    assert part in message


def test_a_missing_file_is_told():
    assert "no-such.toml: cannot be read" in complaint(Path("no-such.toml"))


def test_a_certificate_without_its_key_is_refused(written, tmp_path):
    (tmp_path / "cert.pem").touch()
    message = complaint(written('[kafka]\nsecurity_protocol = "SSL"\ncert_file = "cert.pem"'))
    assert "kafka.cert_file: needs kafka.key_file" in message


def test_paths_in_the_file_start_at_its_folder(written, tmp_path):
    (tmp_path / "mine.toml").touch()
    assert load_settings(written('policy = "mine.toml"'), {}).policy == str(tmp_path / "mine.toml")


SASL = '[kafka]\nsecurity_protocol = "SASL_SSL"\nusername = "u"\n'


def test_the_password_shows_nowhere(written):
    settings = load_settings(written(SASL), {"DECIBEL_KAFKA_PASSWORD": "hunter2"})
    assert settings.kafka.password.reveal() == "hunter2"
    for shown in (repr(settings), str(settings), f"{settings.kafka.password}", "%s" % (settings.kafka,)):  # noqa: UP031
        assert "hunter2" not in shown
    with pytest.raises(TypeError):
        pickle.dumps(settings.kafka.password)


def test_the_password_can_be_a_file(written, tmp_path):
    (tmp_path / "password").write_text("hunter2\n")
    settings = load_settings(written(SASL + 'password_file = "password"'), {})
    assert settings.kafka.password == Secret("hunter2")


def test_the_password_of_the_view_can_be_a_file_or_a_variable_and_shows_nowhere(written, tmp_path):
    (tmp_path / "password").write_text("hunter2\n")
    path = written('[view]\nurl = "redis://h"\npassword_file = "password"')
    variable = {"DECIBEL_VIEW_URL": "redis://h", "DECIBEL_VIEW_PASSWORD": "hunter2"}
    for settings in (load_settings(path, {}), load_settings(None, variable)):
        assert settings.view.password == Secret("hunter2")
        assert "hunter2" not in repr(settings)


def test_a_password_and_a_password_file_contradict(written, tmp_path):
    (tmp_path / "password").write_text("hunter2")
    message = complaint(written(SASL + 'password = "hunter3"\npassword_file = "password"'))
    assert "set one of them" in message
    assert "hunter" not in message


@pytest.mark.parametrize("text", ["[kafka]\npassword = 123456", '[view]\nurl = "redis//:123456@host"'])
def test_a_wrong_secret_is_not_repeated_in_the_error(written, text):
    assert "123456" not in complaint(written(text))


def test_the_password_of_the_view_is_hidden():
    for url in ("redis://user:hunter2@host:1/0", "redis://:hunter2@host", "unix:///s?password=hunter2"):
        settings = ViewSettings(url=url)
        assert "hunter2" not in repr(settings)
        assert "***" in settings.shown
    assert ViewSettings(url="redis://host:1/0").shown == "redis://host:1/0"


def test_kafka_pythons_debug_log_does_not_show_the_password(caplog):
    from stream.kafka_clients import admin, broker_errors

    # A port that swallows what it is sent: refused connections are sockets kafka-python forgets to close.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        bootstrap = f"127.0.0.1:{silent.getsockname()[1]}"
        kafka = KafkaSettings(bootstrap, "SASL_PLAINTEXT", username="u", password=Secret("hunter2"))
        settings = Settings(kafka=kafka)
        told = pytest.raises(BrokerError, match=bootstrap)
        with caplog.at_level(logging.DEBUG), told as caught, broker_errors(settings, "cannot connect"):
            admin(settings, connect_timeout_s=0.3)
    assert "Starting KafkaAdminClient" in caplog.text
    assert "hunter2" not in caplog.text + str(caught.value)


def test_each_key_has_a_variable_of_its_own():
    from stream.settings_source import _keys

    keys = list(_keys(Settings)[0])
    assert len({variable_of(key) for key in keys} - RESERVED) == len(keys)


def test_tokens_come_from_a_file_one_a_line_and_are_never_shown(written, tmp_path):
    (tmp_path / "tokens").write_text("first-token-of-this-test\n\nsecond_token_of_this_test\n")
    settings = load_settings(written('[gateway]\ntokens_file = "tokens"'), {})
    assert settings.gateway.token_list == ("first-token-of-this-test", "second_token_of_this_test")
    assert "token-of-this-test" not in repr(settings)
    (tmp_path / "tokens").write_text("\n")
    assert "holds no token" in complaint(written('[gateway]\ntokens_file = "tokens"'))
