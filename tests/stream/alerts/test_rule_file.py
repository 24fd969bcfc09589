"""The file of rules is checked at start; what is wrong is named by its table and key."""

import re
from pathlib import Path
from typing import get_args

import pytest

from schemas.errors import SettingsError
from stream.alerts.channels import ChannelTable, shown, takes
from stream.alerts.rule_file import load_rules
from stream.alerts.rules import Resolve, Rule, Severity, When
from tests.alerting import POLICY, changed, desk, rule, rule_file, scored, told_until
from tests.builders import hours

SAMPLE = Path(__file__).parents[3] / "samples" / "alerts.toml"
HOOK = (
    '[[channel]]\nname = "hook"\nkind = "webhook"\nurl = "http://127.0.0.1:1/x?token=hush"\nsecret = "hush"\n'
)
RULE = '[[rule]]\nname = "all"\nchannels = ["hook"]\n'
STATES = "when.states = {}\n"


def test_the_sample_is_read_whole():
    told = load_rules(SAMPLE, POLICY)
    assert [each.name for each in told.rules] == ["major", "outbreak", "peaks", "watched"]
    assert told.rules[0].severity is Severity.CRITICAL
    assert [shown(each) for each in told.channels] == [
        "http://127.0.0.1:9093",
        "json://***",
        "http://127.0.0.1:9095",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[rule]", "not TOML"),
        ("[[rules]]\n", "rules: there are [[rule]] and [[channel]] tables"),
        (HOOK + RULE, "rule 'all': when: missing required field"),
        (HOOK + RULE + "when = {}\n", "rule 'all': when: no event can meet it"),
        (
            HOOK + RULE + 'when.states.to = ["Mayor"]\n',
            "rule 'all': when.states.to[1]: invalid enum value 'Mayor'; allowed: Emerging, Growing, Debated, Major",
        ),
        (HOOK + RULE + STATES + 'levels = ["x"]\n', "rule 'all': levels: there is no such key"),
        (HOOK + RULE + 'when.peaks.levels = ["Loud"]\n', "'Loud' is no level; there are: Silence, Whisper"),
        (HOOK + RULE + STATES + 'min_level = "Loud"\n', "'Loud' is no level"),
        (HOOK + RULE + STATES + "min_noise = 101.0\n", "rule 'all': min_noise: expected float <= 100.0"),
        (RULE + STATES, "rule 'all': channels: there is no channel 'hook'; there are: none"),
        (HOOK + HOOK, "channel 'hook': name: there are two of that name"),
        (HOOK + RULE + STATES + RULE + STATES, "rule 'all': name: there are two of that name"),
        (HOOK + RULE + 'when.spike = "more"\n', "rule 'all': when.spike: the workers tell no more than"),
        (HOOK + RULE + STATES + 'zone = "Berlin"\n', "rule 'all': zone: 'Berlin' is no time zone"),
        (
            HOOK + RULE + STATES + 'quiet = [{ from = "24:00", to = "07:00" }]\n',
            "rule 'all': quiet[1].from: not allowed; allowed: a time of day, as 22:00",
        ),
        (
            HOOK + RULE + STATES + 'quiet = [{ from = "01:00", to = "01:00" }]\n',
            "rule 'all': quiet: every day",
        ),
        (
            HOOK + RULE + STATES + 'repeat_after = "1 day"\n',
            "rule 'all': repeat_after: not allowed; allowed: a length of time",
        ),
        (HOOK + RULE + STATES + 'repeat_after = "1d"\n', "rule 'all': repeat_after: needs resolve"),
        (HOOK + RULE + STATES + "resolve.noise_below = 40.0\n", "resolve.noise_below: above the least noise"),
        (
            HOOK + RULE + "when.peaks = {}\nresolve.state_leaves = true\n",
            "used only where when.states is set",
        ),
        ('[[channel]]\nname = "x"\nkind = "pigeon"\n', "channel 'x': kind: invalid value 'pigeon'"),
        ('[[channel]]\nname = "x"\nkind = "apprise"\n', "channel 'x': url: set url or url_file"),
        (
            '[[channel]]\nname = "x"\nkind = "webhook"\nurl = "ftp://x"\n',
            "channel 'x': url: not allowed; allowed: a URL that begins with http",
        ),
        (HOOK + 'secret_file = "s"\n', "channel 'hook': secret_file: secret is set too"),
        (HOOK.replace('secret = "hush"', 'secret_file = "gone"'), "secret_file: 'gone' cannot be read"),
        (HOOK.replace('"hush"', "7"), "channel 'hook': secret: expected str"),
    ],
)
def test_what_is_wrong_is_named_and_no_secret_is_shown(tmp_path, text, message):
    file = rule_file(tmp_path, text)
    with pytest.raises(SettingsError) as raised:
        load_rules(file, POLICY)
    assert str(raised.value).startswith(f"{file}: ")
    assert message in str(raised.value)
    assert "hush" not in str(raised.value)


def test_a_secret_comes_from_a_file_beside_the_rules(tmp_path):
    (tmp_path / "key").write_text("hush\n")
    file = rule_file(tmp_path, HOOK.replace('secret = "hush"', 'secret_file = "key"'))
    [channel] = load_rules(file, POLICY).channels
    assert channel.secret.reveal() == "hush"
    assert "hush" not in repr(channel.secret)


def test_ends_and_repeats_go_to_those_channels_that_want_them():
    """Given a rule that repeats and ends; then Alertmanager gets no repeat, a service no end it did not ask for."""
    duty, newsroom, archive = load_rules(SAMPLE, POLICY).channels
    at = desk(rule(resolve={"after": "3h"}, repeat_after="2h"))
    at.hear(scored(), hours(0))
    notices = at.hear(changed(), hours(0)) + told_until(at, 10)
    assert [each.kind for each in notices if takes(duty, each)] == ["alert", "resolved"]
    assert [each.kind for each in notices if takes(newsroom, each)] == ["alert", "repeat"]
    assert [each.kind for each in notices if takes(archive, each)] == ["alert", "repeat", "resolved"]


def test_every_key_of_rules_and_channels_is_in_the_documentation():
    page = (Path(__file__).parents[3] / "docs" / "alerts.md").read_text()
    documented = set(re.findall(r"^\| `([^`]+)`", page, flags=re.MULTILINE))
    keys = {key for key in Rule.__struct_encode_fields__ if key not in {"when", "resolve"}}
    keys |= {f"when.{key}" for key in When.__struct_encode_fields__}
    keys |= {f"resolve.{key}" for key in Resolve.__struct_encode_fields__}
    keys |= {key for kind in get_args(ChannelTable) for key in kind.__struct_encode_fields__}
    assert keys - documented == set()
