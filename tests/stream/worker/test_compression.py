"""A worker's zstd batches: made by the compressor that is kept, and the same records for whoever reads them."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st
from kafka.record import MemoryRecords as KafkaPythonRecords
from zstandard import ZstdDecompressor

from stream.worker import compression
from stream.worker.compression import keep_compressor, zstd

HEADER = 61
"""Bytes of a batch before its records, which alone are compressed."""

ZSTD = 4
"""Its number in a batch's attributes."""


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the compressor, for one test: it is a matter of the whole process."""
    builder = sys.modules[DefaultRecordBatchBuilder.__module__]
    monkeypatch.setattr(builder, "zstd_encode", None)  # what was there comes back after the test
    keep_compressor()


def batch(values: list[bytes]) -> bytes:
    """Return a batch of records as aiokafka's producer makes it."""
    builder = DefaultRecordBatchBuilder(
        2, ZSTD, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=0, batch_size=1 << 20
    )
    for offset, value in enumerate(values):
        builder.append(offset, 1000, b"key", value, [("ce_id", b"1")])
    return bytes(builder.build())


@pytest.mark.usefixtures("kept")
def test_the_client_makes_its_batches_by_the_compressor_that_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a kept compressor; when the client makes a batch; then what it holds is what came out of that one."""
    frames: list[bytes] = []
    compress = compression._kept.compress

    def noted(payload: bytes) -> bytes:
        frames.append(compress(payload))
        return frames[-1]

    monkeypatch.setattr(compression._kept, "compress", noted)
    made = batch([b"noise" * 100])
    assert frames == [made[HEADER:]]


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("values", [[b""], [b"one"], [b"%d" % n * 50 for n in range(500)]])
def test_both_clients_read_the_same_records(values: list[bytes]) -> None:
    """Given a batch of a kept compressor; when aiokafka and kafka-python read it; then both find every record."""
    made = batch(values)
    theirs = MemoryRecords(made).next_batch()
    assert theirs is not None
    assert [record.value for record in theirs] == values
    others = KafkaPythonRecords(made).next_batch()
    assert [record.value for record in others] == values


@given(st.lists(st.binary(max_size=5000), min_size=1, max_size=8))
def test_what_several_threads_compress_at_once_comes_back(payloads: list[bytes]) -> None:
    """Given payloads; when threads compress them at the same time; then each comes back as it was."""
    with ThreadPoolExecutor(4) as threads:
        frames = list(threads.map(zstd, payloads))
    assert [ZstdDecompressor().decompress(frame) for frame in frames] == payloads
