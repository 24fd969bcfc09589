"""kafka-python's clients, built from the settings here alone; and its errors in an operator's words."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import (
    AuthorizationError,
    IncompatibleBrokerVersion,
    InvalidReplicationFactorError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    SaslAuthenticationFailedError,
    UnknownTopicOrPartitionError,
    UnsupportedCodecError,
    UnsupportedVersionError,
)
from kafka.net.compat import KafkaNetClient

from schemas.errors import BrokerError
from stream.settings import KafkaSettings, Settings
from stream.topics import dead_letter_bytes

CONNECT_TIMEOUT_S: Final = 10.0
"""How long a client looks for a broker; a TLS handshake across the world takes one second."""

REQUEST_TIMEOUT_S: Final = 30.0
"""How long one request may take; Kafka's own default."""

DELIVERY_TIMEOUT_S: Final = 120.0
"""How long a record may wait for its acknowledgement, repeats included: a broker restart fits in."""


def admin(settings: Settings, *, connect_timeout_s: float = CONNECT_TIMEOUT_S) -> KafkaAdminClient:
    """Return an admin client; use it inside `broker_errors`. The caller closes it."""
    return _built(KafkaAdminClient, _common(settings, connect_timeout_s))


def producer(settings: Settings, *, linger_ms: int | None = None) -> KafkaProducer:
    """Return a producer that acknowledges by all replicas, keeps the order and repeats without doubling."""
    compression = settings.worker.compression
    return _built(
        KafkaProducer,
        _common(settings, CONNECT_TIMEOUT_S)
        | {
            "acks": "all",
            "enable_idempotence": True,
            "compression_type": None if compression == "none" else compression,
            "linger_ms": settings.worker.linger_ms if linger_ms is None else linger_ms,
            # One batch a partition and request: 256 KiB carries some hundred items and compresses well.
            "batch_size": 256 * 1024,
            "max_request_size": dead_letter_bytes(settings),
            "max_block_ms": int(CONNECT_TIMEOUT_S * 1000),
            "delivery_timeout_ms": int(DELIVERY_TIMEOUT_S * 1000),
            "allow_auto_create_topics": False,
        },
    )


@contextmanager
def open_producer(settings: Settings, *, linger_ms: int | None = None) -> Iterator[KafkaProducer]:
    """Give a producer and close it: sending what is left, but after an error or Ctrl-C at once."""
    client = producer(settings, linger_ms=linger_ms)
    try:
        yield client
    except BaseException:
        # What was not sent in time is no news any more, and would hide the error that ended it.
        with suppress(KafkaError):
            client.close(timeout=0)
        raise
    client.close(timeout=DELIVERY_TIMEOUT_S)


def consumer(settings: Settings) -> KafkaConsumer:
    """Return a consumer outside of any group: it is given its partitions and commits nothing."""
    return _built(
        KafkaConsumer,
        _common(settings, CONNECT_TIMEOUT_S)
        | {
            "group_id": None,
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",
            "fetch_max_wait_ms": settings.worker.fetch_wait_ms,
            "max_partition_fetch_bytes": dead_letter_bytes(settings),
            "allow_auto_create_topics": False,
        },
    )


@contextmanager
def broker_errors(settings: Settings, doing: str) -> Iterator[None]:
    """Turn what kafka-python raises inside into BrokerError: what was being done, and what to check."""
    with _last_words() as words:
        try:
            yield
        except (KafkaError, OSError, ssl.SSLError) as error:
            if isinstance(error, BrokenPipeError | FileNotFoundError):
                raise  # the reader of our own output, or a file: not Kafka's doing
            raise BrokerError(f"{doing}: {explain(settings, error, words)}") from error


def explain(settings: Settings, error: BaseException, words: list[str] | None = None) -> str:
    """Return what an error of kafka-python means here and what to do about it, without secrets."""
    kafka = settings.kafka
    heard = " ".join(words or [])
    if isinstance(error, SaslAuthenticationFailedError) or "SaslAuthenticationFailed" in heard:
        return (
            f"{kafka.bootstrap} refuses the login of {kafka.username!r} by {kafka.sasl_mechanism}; "
            "check kafka.username, kafka.password and kafka.sasl_mechanism"
        )
    if "UnsupportedSaslMechanism" in f"{type(error).__name__} {heard}":
        return f"{kafka.bootstrap} offers no {kafka.sasl_mechanism}; check kafka.sasl_mechanism"
    if "CERTIFICATE_VERIFY_FAILED" in f"{error} {heard}" or "certificate verify failed" in f"{error} {heard}":
        return (
            f"the certificate of {kafka.bootstrap} is not trusted or is for another name; "
            "check kafka.ca_file and the host in kafka.bootstrap"
        )
    if kafka.uses_sasl and "socket disconnected" in heard and isinstance(error, KafkaTimeoutError):
        return (
            f"{kafka.bootstrap} hangs up, as it does on a wrong login; check kafka.username, kafka.password, "
            "kafka.sasl_mechanism and kafka.security_protocol"
        )
    for kind, advice in _ADVICE:
        if isinstance(error, kind):
            causes = [word for word in words or [] if "failed: " in word and "Unable to" not in word]
            cause = causes[-1] if causes and isinstance(error, KafkaTimeoutError) else _brief(error)
            return f"{advice} ({cause}; kafka.bootstrap is {kafka.bootstrap})"
    return f"{_brief(error)} (kafka.bootstrap is {kafka.bootstrap})"


_NO_ANSWER: Final = (
    "no answer in time; check that Kafka runs, that kafka.bootstrap and kafka.security_protocol are right, "
    "and that the listeners it advertises can be reached from here"
)
_ADVICE: Final = (
    (UnknownTopicOrPartitionError, "the topic does not exist; run `decibel topics apply`"),
    (AuthorizationError, "the user may not do this; grant it in Kafka's access control lists"),
    (MessageSizeTooLargeError, "a record is larger than the topic takes; raise topics.max_record_bytes"),
    (InvalidReplicationFactorError, "Kafka has fewer brokers than topics.replication asks for; lower it"),
    (UnsupportedCodecError, "the codec of worker.compression is missing; install it or choose another"),
    ((UnsupportedVersionError, IncompatibleBrokerVersion), "Kafka 2.4 or later is needed"),
    (KafkaTimeoutError, _NO_ANSWER),
)


def _brief(error: BaseException) -> str:
    text = str(error).partition("\n")[0].strip()
    name = type(error).__name__
    return text if text.startswith(name) or not text else f"{name}: {text.removeprefix('[Error] ')}"


class _Masked(str):
    """A password for kafka-python, which logs its configuration at debug level: the repr hides it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


def _built(kind: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """Return a client; where it cannot connect, close what kafka-python leaves: a thread and its sockets."""
    made: list[KafkaNetClient] = []

    def network(**configuration: Any) -> KafkaNetClient:
        made.append(KafkaNetClient(**configuration))
        return made[-1]

    try:
        return kind(**arguments, kafka_client=network)
    except BaseException:
        for client in made:
            client.close()
        raise


def _common(settings: Settings, connect_timeout_s: float) -> dict[str, Any]:
    """Return the arguments every client takes: where, as whom, with which certificates, how long to wait."""
    kafka = settings.kafka
    arguments: dict[str, Any] = {
        "bootstrap_servers": kafka.servers,
        "client_id": f"{settings.app_id}-cli",
        "security_protocol": kafka.security_protocol,
        "request_timeout_ms": int(REQUEST_TIMEOUT_S * 1000),
        "bootstrap_timeout_ms": int(connect_timeout_s * 1000),
        # Nobody reads the client's own metrics here.
        "metric_reporters": [],
    }
    if kafka.api_version:
        arguments["api_version"] = tuple(int(part) for part in kafka.api_version.split("."))
    if kafka.uses_sasl:
        arguments |= {
            "sasl_mechanism": kafka.sasl_mechanism,
            "sasl_plain_username": kafka.username,
            "sasl_plain_password": _Masked(kafka.password.reveal()),
        }
    if kafka.uses_tls:
        arguments["ssl_context"] = tls_context(kafka)
    return arguments


def tls_context(kafka: KafkaSettings) -> ssl.SSLContext:
    """Return the TLS context: verified by `ca_file` or the system's authorities, the host name checked.

    Raises BrokerError if a certificate or key cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=kafka.ca_file or None)
        if kafka.cert_file:
            context.load_cert_chain(kafka.cert_file, kafka.key_file)
    except (OSError, ssl.SSLError) as error:
        files = ", ".join(name for name in (kafka.ca_file, kafka.cert_file, kafka.key_file) if name)
        raise BrokerError(f"TLS: one of {files} cannot be used: {error}; PEM files are expected") from error
    return context


class _Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.words: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if len(self.words) < 20:
            self.words.append(record.getMessage()[:500])


@contextmanager
def _last_words() -> Iterator[list[str]]:
    """What kafka-python logs meanwhile: it is the only place where it says why it cannot connect."""
    logger = logging.getLogger("kafka")
    listener = _Listener()
    logger.addHandler(listener)
    try:
        yield listener.words
    finally:
        logger.removeHandler(listener)
