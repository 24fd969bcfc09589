"""`decibel merge` against the embedded broker: the profile it sends, and the merges it refuses."""

import json

import pytest
from click.testing import CliRunner

from schemas.codec import decode_profile, encode
from schemas.topics import INCIDENT_PROFILES
from stream.cli import main
from stream.cli.merge import send_profile
from stream.log_reader import read_to_end
from stream.settings import load_settings
from tests.builders import merged, profile
from tests.deployments import deployments


@pytest.fixture(scope="module")
def unused():
    with deployments(10, (INCIDENT_PROFILES,)) as each:
        yield each


@pytest.fixture
def environ(unused):
    return next(unused)


@pytest.fixture
def decibel(environ):
    def run(*arguments, code=0):
        result = CliRunner().invoke(main, arguments, env=environ, catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result

    return run


@pytest.fixture
def sent(environ):
    """The profiles that stand on the topic, as bytes by key, in order."""

    def records():
        settings = load_settings(None, environ)
        return [
            (each.key.decode(), each.value)
            for each in read_to_end(settings, settings.topics.prefix + INCIDENT_PROFILES)
        ]

    return records


@pytest.fixture
def put(environ):
    """Send profiles."""

    def send(*values):
        for value in values:
            line = value if isinstance(value, bytes) else encode(value)
            send_profile(load_settings(None, environ), json.loads(line)["incident_id"], line)

    return send


def test_the_last_profile_is_sent_again_with_the_merge_and_all_its_other_words(decibel, put, sent):
    # given: the editors use a field that this version does not know
    put(profile("leak", 10.0), b'{"incident_id":"leak","title":"It leaks","mood":"grim"}', profile("fire"))

    # when
    result = decibel("merge", "leak", "fire")

    # then
    assert result.stdout == "leak is merged into fire\n"
    last = [value for key, value in sent() if key == "leak"][-1]
    said = json.loads(last)
    assert (said["title"], said["mood"], said["merged_into"]) == ("It leaks", "grim", "fire")
    assert decode_profile(last).updated_at is not None


def test_an_incident_without_a_profile_can_be_merged_and_is_doubted(decibel, sent):
    result = decibel("merge", "leak", "fire")
    assert "leak has no profile yet" in result.stderr
    assert [key for key, _ in sent()] == ["leak"]


def test_items_of_a_chain_count_where_it_ends(decibel, put):
    put(merged("fire", "blaze"))
    assert "which was merged into blaze: its items count there" in decibel("merge", "leak", "fire").stdout
    assert json.loads(decibel("merge", "spill", "leak", "--json").stdout)["counts_in"] == "blaze"


@pytest.mark.parametrize(
    ("old", "into", "says"),
    [
        ("leak", "leak", "'leak' cannot be merged into 'leak'"),
        ("fire", "leak", "'fire' was merged into 'blaze', which is final; merge 'blaze' into 'leak'"),
        ("blaze", "fire", "that would be a circle: 'blaze' into 'fire' into 'blaze'"),
        ("leak", "x" * 300, "merged_into: expected str of length <= 256"),
    ],
)
def test_a_merge_that_cannot_be_is_refused_and_nothing_is_sent(decibel, put, sent, old, into, says):
    # given
    put(merged("fire", "blaze"))

    # when
    result = decibel("merge", old, into, code=1)

    # then
    assert says in result.stderr
    assert len(sent()) == 1
