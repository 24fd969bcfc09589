"""The samples are what their README says, and each is accepted by what it is for."""

import re
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from samples import make
from schemas.codec import decode_item, decode_profile
from stream.cli import main
from stream.settings import load_settings
from stream.settings_source import variable_of

SAMPLES = Path(__file__).parents[2] / "samples"


def items():
    return [decode_item(line) for line in (SAMPLES / "items.jsonl").read_bytes().splitlines()]


def test_the_items_are_few_and_of_two_incidents_on_three_platforms():
    assert 40 <= len(items()) <= 60
    assert len({item.incident_id for item in items()}) == 2
    assert len({item.platform for item in items()}) == 3
    assert str(len(items())) in (SAMPLES / "README.md").read_text()


def test_the_items_are_in_the_order_of_observation():
    seen = [item.observed_at for item in items()]
    assert seen == sorted(seen)


def test_each_incident_has_its_profile():
    profiles = [decode_profile(line) for line in (SAMPLES / "profiles.jsonl").read_bytes().splitlines()]
    assert {profile.incident_id for profile in profiles} == {item.incident_id for item in items()}


def test_the_samples_are_what_their_program_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(make, "FOLDER", tmp_path)
    make.main()
    for name in ("items.jsonl", "profiles.jsonl", "items.csv"):
        assert (tmp_path / name).read_bytes() == (SAMPLES / name).read_bytes(), (
            f"run python -m samples.make ({name})"
        )


def test_the_csv_file_gives_the_same_observations_by_the_map_in_the_readme():
    (columns,) = re.findall(r"^item_id=\S+$", (SAMPLES / "README.md").read_text(), flags=re.MULTILINE)
    command = ["replay", str(SAMPLES / "items.csv"), "--columns", columns, "--out", "-"]
    done = CliRunner().invoke(main, command, catch_exceptions=False)
    assert done.exit_code == 0
    assert done.stdout.count('"noise-scores"') > 5
    assert "dead-letters" not in done.stdout


def test_the_settings_are_accepted():
    settings = load_settings(SAMPLES / "settings.toml", {})
    assert settings.clock == "stream"


def test_each_setting_that_is_commented_out_exists():
    text = (SAMPLES / "settings.toml").read_text()
    uncommented = re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE)
    tables = tomllib.loads(uncommented)
    keys = [
        name if not isinstance(value, dict) else f"{name}.{key}"
        for name, value in tables.items()
        for key in (value if isinstance(value, dict) else [""])
    ]
    known = {"_".join(["DECIBEL", key.replace(".", "_").upper()]) for key in all_keys()}
    assert {variable_of(key) for key in keys} <= known


@pytest.mark.parametrize("name", ["items.jsonl", "profiles.jsonl"])
def test_nobody_real_is_named(name):
    addresses = re.findall(rb"https?://([^/\"]+)", (SAMPLES / name).read_bytes())
    assert all(address.endswith(b".example") for address in addresses)


def all_keys():
    from stream.settings import Settings
    from stream.settings_source import _keys

    return _keys(Settings)[1]
