"""A Kafka broker inside this process: for the demo and the tests, never for anything that must be kept.

It is librdkafka's mock cluster, which ships compiled inside the confluent-kafka wheel and is reached here by
ctypes, so a machine with nothing but Python can run the whole engine over the real Kafka protocol. Any client
of any process on this machine can connect to `bootstrap`. librdkafka's own threads serve it; the event loop
never does.

What it is not, and what follows:
- Topics are made through `create_topic` alone, for it answers no admin requests (Faust: set
  `topic_allow_declare=False`). A topic somebody merely asks for springs into being with four partitions, so
  make all of them first.
- A partition is a ring of 5 MiB in memory: older records fall out. No compaction, no retention, no disk.
- An empty fetch waits its full `fetch_max_wait_ms` and is not woken by new records: keep that small where
  delay counts.
- A client that can't negotiate (kafka-python) needs `api_version=(2, 3)`.
- A member that dies without leaving holds its group until its session times out; and where the last member
  left, the next one to join waits for its session timeout less a second. Give members a short one (2 s).
"""

import ctypes
import ctypes.util
import importlib.util
from collections.abc import Iterable, Mapping
from enum import IntEnum
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_PRODUCER = 0
"""rd_kafka_type_t; the cluster hangs on a client instance, and a producer's is the lightest."""

_REBALANCE_DELAY_MS = 100
"""How long the first member of a group waits for others. The library's 3 s would be most of a test's time."""

_BROKER_ID = 1
"""There is one broker, and the mock cluster counts from one."""


class ApiKey(IntEnum):
    """Requests of the Kafka protocol that a test may want to fail."""

    PRODUCE = 0
    FETCH = 1
    METADATA = 3
    OFFSET_COMMIT = 8
    OFFSET_FETCH = 9
    FIND_COORDINATOR = 10
    JOIN_GROUP = 11
    HEARTBEAT = 12
    SYNC_GROUP = 14


class BrokerError(IntEnum):
    """Error codes of the Kafka protocol, as a broker would answer them."""

    NOT_LEADER_FOR_PARTITION = 6
    """Clients ask for metadata and try again."""
    REQUEST_TIMED_OUT = 7
    """Clients try again: the records may or may not have been written."""
    MESSAGE_TOO_LARGE = 10
    """Clients give up this record."""
    REBALANCE_IN_PROGRESS = 27
    """The group's members join again."""
    TOPIC_AUTHORIZATION_FAILED = 29
    """Clients give up: trying again can't help."""


class EmbeddedBrokerError(RuntimeError):
    """The embedded broker could not be made, or would not do what was asked of it."""


class EmbeddedBroker:
    """A one-broker Kafka on a free port of the loopback interface, from construction until `stop`.

    Args:
        topics: how many partitions each topic has; more can follow by `create_topic`.

    Raises:
        EmbeddedBrokerError: librdkafka is missing or too old, or a topic's name or size is refused.

    Use it as a context manager:

        with EmbeddedBroker({"source-items": 8}) as broker:
            connect_to(broker.bootstrap)
    """

    def __init__(self, topics: Mapping[str, int]) -> None:
        self._library = _librdkafka()
        self._client, self._cluster = _start_cluster(self._library)
        self.bootstrap: str = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()
        """Where it listens: `host:port`."""
        try:
            for name, partitions in topics.items():
                self.create_topic(name, partitions)
        except BaseException:
            self.stop()
            raise

    def create_topic(self, name: str, partitions: int) -> None:
        """Make a topic. Raises EmbeddedBrokerError where it exists already or the broker refuses it."""
        if partitions < 1:  # librdkafka would abort the whole process
            raise EmbeddedBrokerError(f"the topic {name!r} needs at least one partition, not {partitions}")
        code = self._call("rd_kafka_mock_topic_create", name.encode(), partitions, 1)
        if code:
            raise EmbeddedBrokerError(
                f"embedded broker refused topic {name!r} of {partitions} partitions: {self._reason(code)}"
            )

    def push_errors(self, api: ApiKey, errors: Iterable[int]) -> None:
        """Answer the next requests of this kind, whoever sends them, with one of these codes each."""
        codes = list(errors)
        array = (ctypes.c_int * len(codes))(*codes)
        self._call("rd_kafka_mock_push_request_errors_array", int(api), len(codes), array)

    def refuse_produce(self, times: int, error: int = BrokerError.TOPIC_AUTHORIZATION_FAILED) -> None:
        """Refuse the next produce requests; by default with an error no client retries."""
        self.push_errors(ApiKey.PRODUCE, [error] * times)

    def clear_errors(self, api: ApiKey) -> None:
        """Forget the errors pushed for this kind of request that no client has met yet."""
        self._call("rd_kafka_mock_clear_request_errors", int(api))

    def broker_down(self) -> None:
        """Drop every connection and refuse new ones, until `broker_up`. Records and groups are kept."""
        self._call("rd_kafka_mock_broker_set_down", _BROKER_ID)

    def broker_up(self) -> None:
        """Accept connections again, on the same port."""
        self._call("rd_kafka_mock_broker_set_up", _BROKER_ID)

    def slow_down(self, delay_ms: int) -> None:
        """Delay every answer by this much; 0 ends it."""
        self._call("rd_kafka_mock_broker_set_rtt", _BROKER_ID, delay_ms)

    def stop(self) -> None:
        """Close every connection and free all records. Doing it twice is harmless."""
        cluster, self._cluster = self._cluster, None
        client, self._client = self._client, None
        if cluster is not None:
            self._library.rd_kafka_mock_cluster_destroy(cluster)
        if client is not None:
            self._library.rd_kafka_destroy(client)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _call(self, function: str, *arguments: Any) -> int:
        """Call a function on the cluster; on one already freed it would crash the process."""
        if self._cluster is None:
            raise EmbeddedBrokerError("the embedded broker is stopped: make a new one")
        return int(getattr(self._library, function)(self._cluster, *arguments) or 0)

    def _reason(self, code: int) -> str:
        return str(self._library.rd_kafka_err2str(code).decode())


def _start_cluster(library: ctypes.CDLL) -> tuple[int | None, int | None]:
    """A client instance and the mock cluster on it, both to be freed by `EmbeddedBroker.stop`."""
    reason = ctypes.create_string_buffer(512)
    settings = library.rd_kafka_conf_new()
    # Without this it says on stderr that it has no brokers to connect to, which is how it should be here.
    library.rd_kafka_conf_set(settings, b"log_level", b"0", reason, len(reason))
    client = library.rd_kafka_new(_PRODUCER, settings, reason, len(reason))
    if not client:
        raise EmbeddedBrokerError(f"librdkafka would not start: {reason.value.decode()}")
    cluster = library.rd_kafka_mock_cluster_new(client, 1)
    if not cluster:
        library.rd_kafka_destroy(client)
        raise EmbeddedBrokerError("librdkafka would not start its mock cluster: are ports of 127.0.0.1 free?")
    library.rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, _REBALANCE_DELAY_MS)
    return client, cluster


_HANDLE, _TEXT, _INT, _SIZE = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_size_t

# Result and arguments as rdkafka.h and rdkafka_mock.h declare them: undeclared, pointers are cut to 32 bits.
_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "rd_kafka_conf_new": (_HANDLE, ()),
    "rd_kafka_conf_set": (_INT, (_HANDLE, _TEXT, _TEXT, _TEXT, _SIZE)),
    "rd_kafka_new": (_HANDLE, (_INT, _HANDLE, _TEXT, _SIZE)),
    "rd_kafka_destroy": (None, (_HANDLE,)),
    "rd_kafka_err2str": (_TEXT, (_INT,)),
    "rd_kafka_mock_cluster_new": (_HANDLE, (_HANDLE, _INT)),
    "rd_kafka_mock_cluster_destroy": (None, (_HANDLE,)),
    "rd_kafka_mock_cluster_bootstraps": (_TEXT, (_HANDLE,)),
    "rd_kafka_mock_topic_create": (_INT, (_HANDLE, _TEXT, _INT, _INT)),
    "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, (_HANDLE, ctypes.c_int32)),
    "rd_kafka_mock_push_request_errors_array": (None, (_HANDLE, ctypes.c_int16, _SIZE, ctypes.POINTER(_INT))),
    "rd_kafka_mock_clear_request_errors": (None, (_HANDLE, ctypes.c_int16)),
    "rd_kafka_mock_broker_set_down": (_INT, (_HANDLE, ctypes.c_int32)),
    "rd_kafka_mock_broker_set_up": (_INT, (_HANDLE, ctypes.c_int32)),
    "rd_kafka_mock_broker_set_rtt": (_INT, (_HANDLE, ctypes.c_int32, _INT)),
}


@cache
def _librdkafka() -> ctypes.CDLL:
    """The shared library, loaded once, its functions typed."""
    path = _library_path()
    try:
        library = ctypes.CDLL(path)
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise EmbeddedBrokerError(f"{path} can't serve as the embedded broker: {error}") from error
    return library


def _library_path() -> str:
    """Where librdkafka is: inside confluent-kafka's wheel (where, differs by platform) or on the system."""
    spec = importlib.util.find_spec("confluent_kafka")
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        for folder in (package.with_name("confluent_kafka.libs"), package / ".dylibs"):
            for found in sorted(folder.glob("*rdkafka*")):
                return str(found)
    if found_by_system := ctypes.util.find_library("rdkafka"):
        return found_by_system
    raise EmbeddedBrokerError(
        "the embedded broker needs librdkafka, which the wheel of confluent-kafka brings: "
        "run `make setup` (or: pip install confluent-kafka), or name a real broker in the settings"
    )
