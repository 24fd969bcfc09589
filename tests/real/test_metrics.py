"""A real worker, scraped by a real Prometheus: what an operator's queries give."""

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from schemas.topics import INCIDENT_PROFILES, SOURCE_ITEMS
from stream.provisioning import apply
from stream.worker.metrics import WorkerMetrics
from tests.real.kafka import _free_ports
from tests.recordings import keyed
from tests.requirements import require
from tests.wire import Deployment
from tests.workers import WorkerProcess

pytestmark = [pytest.mark.real, pytest.mark.slow]  # a broker, a worker and a Prometheus start

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "rules" / "decibel.yml"
SAMPLES = ROOT / "samples"
ENOUGH_S = 60.0


class Prometheus:
    """A Prometheus that scrapes one worker every second, by the rules that deploy/ ships."""

    def __init__(self, address: str) -> None:
        self._api = f"http://{address}/api/v1"

    def query(self, expression: str) -> list[dict[str, object]]:
        """The series of an expression now."""
        url = f"{self._api}/query?{urllib.parse.urlencode({'query': expression})}"
        with urllib.request.urlopen(url, timeout=5) as answer:
            return list(json.load(answer)["data"]["result"])

    def value(self, expression: str) -> float:
        """The one value of an expression, awaited until it is there."""
        deadline = time.monotonic() + ENOUGH_S
        while True:
            try:
                found = self.query(expression)
            except (urllib.error.URLError, OSError):
                found = []
            if found:
                assert len(found) == 1, found
                return float(str(found[0]["value"][1]))  # type: ignore[index]
            assert time.monotonic() < deadline, f"Prometheus has no {expression}"
            time.sleep(0.2)  # the next scrape is another process's


@contextmanager
def prometheus(folder: Path, target: str):
    """Start a Prometheus on a free port and stop it."""
    program = require("prometheus", "to scrape a worker")
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(RULES)],
        "scrape_configs": [{"job_name": "decibel", "static_configs": [{"targets": [target]}]}],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{_free_ports(1)[0]}"
    command = [
        program,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address={address}",
        "--log.level=warn",
    ]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            yield Prometheus(address)
        finally:
            process.terminate()
            process.wait(ENOUGH_S)


@pytest.fixture
def deployment(kafka, prefix) -> Deployment:
    """Topics of this test alone; the wall clock, for that alone knows a lag in seconds."""
    made = Deployment(kafka.bootstrap, prefix)
    made.changes["DECIBEL_WORKER_SESSION_TIMEOUT_S"] = str(kafka.session_timeout_s)
    made.changes["DECIBEL_WORKER_HEARTBEAT_S"] = "0.5"
    made.changes["DECIBEL_CLOCK"] = "wall"
    apply(made.settings)
    return made


def page(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def lines(name: str) -> list[bytes]:
    return (SAMPLES / name).read_bytes().splitlines()


def as_of_now(items: list[bytes]) -> list[bytes]:
    """The same observations, moved in time so that the last one is made now: on the wall clock, old ones are silent."""
    read = [json.loads(line) for line in items]
    shift = datetime.now(UTC) - max(datetime.fromisoformat(item["observed_at"]) for item in read)
    for item in read:
        for field in ("published_at", "observed_at"):
            item[field] = (datetime.fromisoformat(item[field]) + shift).isoformat()
    return [json.dumps(item).encode() for item in read]


async def test_an_operator_sees_in_prometheus_what_the_worker_did(deployment, tmp_path):
    """Given samples with a broken record; when a worker has scored them; then Prometheus shows the numbers."""
    items = as_of_now(lines("items.jsonl"))
    broken = (b"choir-001", b'{"item_id": "reddit:1", "incident_id": "choir-001"}')
    await deployment.produce(INCIDENT_PROFILES, keyed(lines("profiles.jsonl")))
    await deployment.produce(SOURCE_ITEMS, [*keyed(items), broken])
    with WorkerProcess(deployment) as worker:
        worker.until_ready()
        await deployment.until_committed()
        address = str(worker._address())
        assert page(f"{address}/healthz") == (200, "ok\n")
        assert page(f"{address}/readyz") == (200, "ready\n")
        with prometheus(tmp_path, address.removeprefix("http://")) as seen:
            assert seen.value('up{job="decibel"}') == 1
            assert seen.value("sum(decibel_items_total)") == len(items)
            assert seen.value('decibel_dead_letters_total{reason="invalid"}') == 1
            assert seen.value("decibel_profiles_total") == len(lines("profiles.jsonl"))
            assert seen.value("decibel_revisions_total") > 0
            assert seen.value('decibel_events_total{topic="noise-scores"}') > 0
            assert seen.value("sum(decibel_state_changes_total)") >= 2
            assert seen.value("sum(decibel_peak_crossings_total)") > 0
            assert seen.value("sum(decibel_batch_records_sum)") >= len(items) + 1
            assert seen.value("decibel_batch_commit_seconds_count") > 0
            assert seen.value("decibel_partitions_owned") == deployment.settings.topics.partitions
            assert seen.value("decibel_ready") == 1
            assert seen.value("sum(decibel_lag_records)") == 0
            assert seen.value("max(decibel_lag_seconds)") == 0
            assert seen.value('decibel_table_rows{table="incidents"}') == 2
            assert seen.value("time() - process_start_time_seconds") < ENOUGH_S
            assert seen.value("job:decibel_partitions_owned:sum") == seen.value("decibel_partitions_owned")
            assert not seen.query('ALERTS{alertstate="firing"}')


async def test_the_metrics_page_passes_prometheus_own_lint_and_has_every_metric(deployment):
    await deployment.produce(SOURCE_ITEMS, keyed(lines("items.jsonl")))
    with WorkerProcess(deployment) as worker:
        worker.until_ready()
        await deployment.until_committed()
        text = worker.metrics()
    assert linted(text) == ""
    for family in WorkerMetrics().registry.collect():
        assert f"# TYPE {family.name}" in text, family.name


def linted(text: str) -> str:
    """What promtool has to say against a metrics page."""
    promtool = require("promtool", "to check the metrics page")
    done = subprocess.run(
        [promtool, "check", "metrics"],
        input=text,
        capture_output=True,
        text=True,
        timeout=ENOUGH_S,
        check=False,
    )
    return done.stdout + done.stderr
