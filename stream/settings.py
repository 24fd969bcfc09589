"""What an operator sets: where Kafka is, how topics are laid out, how a worker runs. The mathematics is in
the policy.

A TOML file and `DECIBEL_*` variables, the variable before the file: `[kafka] bootstrap` is
`DECIBEL_KAFKA_BOOTSTRAP`, the top-level `app_id` is `DECIBEL_APP_ID`. An empty variable counts as not set. A
relative path in the file starts at the file's folder, one in a variable at the working directory. Every key
is checked at start: see `load_settings`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from stream.settings_source import Reading, Secret, read_sources

__all__ = [
    "GatewaySettings",
    "KafkaSettings",
    "RocksdbSettings",
    "Secret",
    "Settings",
    "TopicSettings",
    "ViewSettings",
    "WorkerSettings",
    "load_settings",
]

# Names of topics and groups: what Kafka allows, short enough that `-incidents-changelog` fits behind (249 at
# most).
_NAME: Final = r"^[A-Za-z0-9._-]{1,100}$"
_PREFIX: Final = r"^[A-Za-z0-9._-]{0,100}$"
_BOOTSTRAP: Final = r"^\s*[^\s,]+:\d{1,5}(\s*,\s*[^\s,]+:\d{1,5})*\s*$"

Port = Annotated[int, Meta(ge=0, le=65535)]
Compression = Literal["none", "gzip", "snappy", "lz4", "zstd"]
Name = Annotated[str, Meta(pattern=_NAME, description="1 to 100 of the letters A-Z a-z 0-9 . _ -")]
# From an hour to ten years.
Hours = Annotated[int, Meta(ge=1, le=87600)]


class KafkaSettings(Struct, frozen=True):
    """How to reach Kafka. Leave `api_version` empty; the embedded broker needs "2.3"."""

    bootstrap: Annotated[
        str, Meta(pattern=_BOOTSTRAP, description="host:port, several with commas between")
    ] = "127.0.0.1:9092"
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    username: str = ""
    password: Secret = Secret("")
    password_file: str = ""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    api_version: Annotated[str, Meta(pattern=r"^(\d+\.\d+(\.\d+)?)?$", description="empty, or as 2.3")] = ""

    @property
    def servers(self) -> list[str]:
        """The bootstrap servers, one `host:port` each."""
        return [server.strip() for server in self.bootstrap.split(",")]

    @property
    def uses_sasl(self) -> bool:
        """Whether clients log in with a user name and password."""
        return self.security_protocol.startswith("SASL_")

    @property
    def uses_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.security_protocol.endswith("SSL")


class TopicSettings(Struct, frozen=True):
    """How the topics are laid out. `max_record_bytes` bounds one record as Kafka takes it (compressed)."""

    prefix: Annotated[
        str, Meta(pattern=_PREFIX, description="up to 100 of the letters A-Z a-z 0-9 . _ -")
    ] = ""
    partitions: Annotated[int, Meta(ge=1, le=4096)] = 8
    replication: Annotated[int, Meta(ge=1, le=15)] = 1
    retention_hours: Hours = 168
    source_retention_hours: Hours = 168
    dead_letter_retention_hours: Hours = 720
    # At most 64 MiB: a dead letter may be half as large again, and a broker takes no request above 100 MB.
    max_record_bytes: Annotated[int, Meta(ge=65536, le=64 * 1024 * 1024)] = 16 * 1024 * 1024


class WorkerSettings(Struct, frozen=True):
    """How a worker runs, with seconds (`_s`) and milliseconds (`_ms`); `http_port` 0 takes any free port."""

    store: Literal["memory://", "rocksdb://"] = "memory://"
    datadir: str = ""
    session_timeout_s: Annotated[float, Meta(ge=1.0, le=1800.0)] = 20.0
    heartbeat_s: Annotated[float, Meta(ge=0.1, le=600.0)] = 3.0
    commit_interval_s: Annotated[float, Meta(ge=0.05, le=60.0)] = 1.0
    fetch_wait_ms: Annotated[int, Meta(ge=1, le=5000)] = 50
    max_batch_records: Annotated[int, Meta(ge=1, le=100000)] = 2000
    linger_ms: Annotated[int, Meta(ge=0, le=1000)] = 5
    compression: Compression = "lz4"
    conflate: bool = True
    http_host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
    http_port: Port = 9646
    standbys: Annotated[int, Meta(ge=0, le=10)] = 1
    idle_grace_s: Annotated[float, Meta(ge=0.0, le=60.0)] = 1.0
    drain_timeout_s: Annotated[float, Meta(ge=0.1, le=600.0)] = 10.0


class RocksdbSettings(Struct, frozen=True):
    """Memory of the tables on disk, per partition and table, in MiB."""

    block_cache_mb: Annotated[int, Meta(ge=1, le=65536)] = 64
    write_buffer_mb: Annotated[int, Meta(ge=1, le=4096)] = 16


class ViewSettings(Struct, frozen=True):
    """The view in Redis. `embedded://` is a stand-in that lives in one process: for demo and tests.

    The URL may hold a password, so its repr hides it. Caps (`_most`) bound what Redis keeps: points and changes of
    each incident, entries of the live stream.
    """

    url: Annotated[
        str,
        Meta(
            pattern=r"^(embedded://|(rediss?|unix)://.+)$",
            description="a URL that begins with redis://, rediss:// or unix://, or embedded://",
        ),
    ] = "embedded://"
    username: str = ""
    password: Secret = Secret("")
    password_file: str = ""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    prefix: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9._{}-]{1,100}$", description="1 to 100 of the letters A-Z a-z 0-9 . _ - { }"
        ),
    ] = "decibel"
    timeout_s: Annotated[float, Meta(ge=0.1, le=60.0)] = 5.0
    history_most: Annotated[int, Meta(ge=1, le=100_000)] = 720
    history_step_s: Annotated[int, Meta(ge=1, le=86400)] = 3600
    changes_most: Annotated[int, Meta(ge=10, le=100_000)] = 500
    live_most: Annotated[int, Meta(ge=100, le=10_000_000)] = 20_000
    http_host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
    http_port: Port = 9647

    @property
    def embedded(self) -> bool:
        """Whether the view lives in this process alone."""
        return self.url == "embedded://"

    @property
    def uses_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.url.startswith("rediss://")

    @property
    def shown(self) -> str:
        """The URL without its password, for people and logs."""
        hidden = re.sub(r"//([^:@/]*):[^@]*@", r"//\1:***@", self.url)
        return re.sub(r"([?&]password=)[^&]*", r"\1***", hidden)

    def __repr__(self) -> str:
        return f"ViewSettings(url={self.shown!r}, username={self.username!r}, prefix={self.prefix!r})"


class GatewaySettings(Struct, frozen=True):
    """How the gateway serves readers. `tokens` are separated by commas or spaces; with none, anybody may read.

    `rate_per_s` and `burst` bound the requests of one client (its token, else its address), 0 not at all; the `_most`
    bound live connections, of all and of one client. One that is behind by more than `buffer_kb` is cut off.
    """

    host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
    port: Port = 8765
    http_host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
    http_port: Port = 9648
    base_url: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[^\s/?#<>\"]+(/[^\s?#<>\"]*[^\s/?#<>\"])?)?$",
            description="empty, or a URL that begins with http:// or https:// and does not end in /",
        ),
    ] = ""
    cors_origins: Annotated[
        str,
        Meta(
            pattern=r"^(\*|\s*(https?://[^\s,/*]+(\s*,\s*https?://[^\s,/*]+)*)?\s*)$",
            description="empty, *, or origins such as https://example.org with commas between",
        ),
    ] = ""
    tokens: Secret = Secret("")
    tokens_file: str = ""
    forwarded: bool = False
    rate_per_s: Annotated[float, Meta(ge=0.0, le=100_000.0)] = 20.0
    burst: Annotated[int, Meta(ge=1, le=1_000_000)] = 100
    clients_most: Annotated[int, Meta(ge=1, le=100_000)] = 2000
    clients_each_most: Annotated[int, Meta(ge=1, le=100_000)] = 50
    buffer_kb: Annotated[int, Meta(ge=64, le=1_048_576)] = 4096
    tick_ms: Annotated[int, Meta(ge=0, le=1000)] = 50
    heartbeat_s: Annotated[float, Meta(ge=0.1, le=300.0)] = 15.0
    drain_timeout_s: Annotated[float, Meta(ge=0.1, le=600.0)] = 5.0

    @property
    def origins(self) -> frozenset[str]:
        """The origins whose pages may read answers; `*` is any."""
        return frozenset(origin.strip() for origin in self.cors_origins.split(",") if origin.strip())

    @property
    def token_list(self) -> tuple[str, ...]:
        """The tokens one by one."""
        return tuple(re.split(r"[\s,]+", self.tokens.reveal().strip())) if self.tokens else ()


class Settings(Struct, frozen=True):
    """All settings. `app_id` names consumer group and Faust app; an empty `policy` is the shipped one."""

    app_id: Name = "decibel"
    clock: Literal["wall", "stream"] = "wall"
    policy: str = ""
    kafka: KafkaSettings = KafkaSettings()
    topics: TopicSettings = TopicSettings()
    worker: WorkerSettings = WorkerSettings()
    rocksdb: RocksdbSettings = RocksdbSettings()
    view: ViewSettings = ViewSettings()
    gateway: GatewaySettings = GatewaySettings()


_PATHS: Final = (
    "policy",
    "kafka.password_file",
    "kafka.ca_file",
    "kafka.cert_file",
    "kafka.key_file",
    "worker.datadir",
    "view.password_file",
    "view.ca_file",
    "view.cert_file",
    "view.key_file",
    "gateway.tokens_file",
)
"""Keys that name a file or folder; a relative one in the settings file starts at that file's folder."""


def load_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Return the settings of `path` (else of the file DECIBEL_SETTINGS names, else the defaults) and of
    `environ`.

    Raises SettingsError: the message names the key, where it came from (file or variable) and what is
    allowed.
    """
    named = environ.get("DECIBEL_SETTINGS", "")
    file = path or (Path(named) if named else None)
    reading = read_sources(Settings, file, environ, paths=_PATHS, hidden=("view.url",))
    _check_files(reading)
    _check_kafka(reading)
    _check_worker(reading)
    _check_view(reading)
    _check_gateway(reading)
    return reading.build(Settings)


def _check_files(reading: Reading) -> None:
    for key in _PATHS:
        name = str(reading.get(key))
        if key != "worker.datadir" and name and not Path(name).is_file():
            raise reading.error(key, f"there is no file {name!r}; give the path of one that can be read")
    for key in ("kafka.password", "view.password", "gateway.tokens"):
        _read_secret(reading, key)


def _read_secret(reading: Reading, secret: str) -> None:
    """Put what the file of a secret holds in its place."""
    key = f"{secret}_file"
    file = str(reading.get(key))
    if not file:
        return
    if reading.get(secret):
        raise reading.error(key, f"{secret} is set too; set one of them")
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise reading.error(key, f"{file!r} cannot be read as text: {type(error).__name__}") from None
    reading.values[secret] = Secret(text.rstrip("\r\n"))


def _check_kafka(reading: Reading) -> None:
    protocol = str(reading.get("kafka.security_protocol"))
    for key in ("kafka.username", "kafka.password"):
        if protocol.startswith("SASL_") and not reading.get(key):
            raise reading.error("kafka.security_protocol", f"{protocol} needs {key}; set it")
        if not protocol.startswith("SASL_") and reading.get(key):
            wanted = "kafka.security_protocol is SASL_SSL or SASL_PLAINTEXT"
            raise reading.error(key, f"used only where {wanted}; it is {protocol}")
    for key in ("kafka.ca_file", "kafka.cert_file", "kafka.key_file"):
        if reading.get(key) and not protocol.endswith("SSL"):
            raise reading.error(
                key, f"used only where kafka.security_protocol is SSL or SASL_SSL; it is {protocol}"
            )
    for key, other in (("kafka.cert_file", "kafka.key_file"), ("kafka.key_file", "kafka.cert_file")):
        if reading.get(key) and not reading.get(other):
            raise reading.error(key, f"needs {other} as well; set both or neither")


def _check_worker(reading: Reading) -> None:
    session = float(str(reading.get("worker.session_timeout_s")))
    heartbeat = float(str(reading.get("worker.heartbeat_s")))
    if heartbeat * 3 > session:
        # Three missed heartbeats before a worker counts as dead is what Kafka itself advises.
        allowed = f"at most a third of worker.session_timeout_s ({session:g}), that is {session / 3:g}"
        raise reading.error("worker.heartbeat_s", f"{heartbeat:g} is too long; allowed: {allowed}")
    if reading.get("worker.store") == "rocksdb://" and not reading.get("worker.datadir"):
        raise reading.error(
            "worker.store", "rocksdb:// needs worker.datadir, a folder of this worker alone; set it"
        )


def _check_view(reading: Reading) -> None:
    _check_view_login(reading, str(reading.get("view.url")))
    for key in ("view.ca_file", "view.cert_file", "view.key_file"):
        if reading.get(key) and not str(reading.get("view.url")).startswith("rediss://"):
            raise reading.error(key, "used only where view.url begins with rediss://")
    for key, other in (("view.cert_file", "view.key_file"), ("view.key_file", "view.cert_file")):
        if reading.get(key) and not reading.get(other):
            raise reading.error(key, f"needs {other} as well; set both or neither")


def _check_view_login(reading: Reading, url: str) -> None:
    in_url = re.search(r"//[^/]*:[^@/]*@|[?&]password=", url)
    for key in ("view.username", "view.password"):
        if reading.get(key) and in_url:
            raise reading.error(key, "view.url holds a login too; set one of them")
        if reading.get(key) and url == "embedded://":
            raise reading.error(key, "used only with a Redis; view.url is embedded://")
    if reading.get("view.username") and not reading.get("view.password"):
        raise reading.error("view.username", "needs view.password or view.password_file; set one of them")


def _check_gateway(reading: Reading) -> None:
    tokens = reading.get("gateway.tokens")
    assert isinstance(tokens, Secret)
    key = "gateway.tokens_file" if reading.get("gateway.tokens_file") else "gateway.tokens"
    if reading.get("gateway.tokens_file") and not tokens.reveal().strip():
        raise reading.error(key, "the file holds no token; write one a line")
    for number, token in enumerate(GatewaySettings(tokens=tokens).token_list, 1):
        if not re.fullmatch(r"[A-Za-z0-9._~+/=-]{16,256}", token):
            allowed = "16 to 256 of the letters A-Z a-z 0-9 . _ ~ + / = -"
            raise reading.error(key, f"token {number} is not allowed; allowed: {allowed}")
