"""The files of `specs/deploy` and the containers' fit the program that they start and watch."""

import asyncio
import configparser
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from promql_parser import VectorSelector, parse, walk

from bot.feed.feed_metrics import BoardState
from bot.supervisor import JobState
from streaming.errors import ConfigurationError, LoginRequiredError, RequestError
from streaming.status import RecorderStatus, SourceState
from streaming.telemetry.prometheus import exposition
from tests.support.telemetry import Rig

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "specs" / "deploy"
BOARD = json.loads((DEPLOY / "grafana.json").read_text())
RULES = yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"][0]["rules"]
ALARMS = (ROOT / "specs" / "operations.md").read_text().partition("## Alarms")[2].partition("\n## ")[0]
UNITS = {
    "gexcord.service": {ConfigurationError, LoginRequiredError},
    "gexcord-stream.service": {ConfigurationError, LoginRequiredError, RequestError},
}
"""Each unit, and what it does not start again after."""
OF_TARGETS = {"instance", "job"}
"""Labels that Prometheus adds, and that no metric may have of its own."""
STATES = {
    "gexcord_job_state": {str(state) for state in JobState},
    "gexcord_board_state": set(get_args(BoardState)),
    "gexcord_source_state": set(get_args(SourceState)),
    "gexcord_recorder_state": set(get_args(get_type_hints(RecorderStatus)["state"])),
}


def expressions():
    """What is asked for by an alarm, a panel, or a list to choose from."""
    for rule in RULES:
        yield pytest.param(rule["expr"], id=rule["alert"])
    for panel in BOARD["panels"]:
        for target in panel.get("targets", ()):
            yield pytest.param(target["expr"], id=f"{panel['title']} {target['refId']}")


def selectors(expression):
    found = []

    def visit(node):
        if isinstance(node, VectorSelector):
            found.append(node)

    walk(parse(expression), visit)
    return found


@pytest.fixture(scope="module")
def scraped():
    """The labels of every metric in a scrape in which everything has a figure."""
    text = exposition(asyncio.run(Rig().telemetry().tables())).decode()
    labels = {"up": set()}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels)
    return labels


@pytest.mark.parametrize("expression", list(expressions()))
def test_every_expression_can_be_parsed_and_asks_for_what_a_scrape_has(expression, scraped):
    asked = selectors(expression)
    assert asked
    for selector in asked:
        assert selector.name in scraped
        for matcher in selector.matchers.matchers:
            assert matcher.name in scraped[selector.name] | OF_TARGETS
            if matcher.name == "state" and selector.name in STATES:
                assert set(matcher.value.split("|")) <= STATES[selector.name]
    for labels in re.findall(r"\bon \(([^)]*)\)", expression):
        wanted = {label.strip() for label in labels.split(",")}
        assert all(wanted <= scraped[selector.name] | OF_TARGETS for selector in asked)


def test_no_metric_has_a_label_that_prometheus_gives_to_targets(scraped):
    assert [name for name, labels in scraped.items() if labels & OF_TARGETS] == []


def test_what_the_words_of_an_alarm_fill_in_is_a_label_of_what_it_asks_for(scraped):
    for rule in RULES:
        known = OF_TARGETS | set().union(*(scraped[selector.name] for selector in selectors(rule["expr"])))
        assert set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])) <= known


def test_every_alarm_and_no_other_is_explained():
    assert re.findall(r"^\| `(\w+)` \|", ALARMS, flags=re.MULTILINE) == [rule["alert"] for rule in RULES]


def test_the_lists_of_the_board_are_made_of_labels_that_are_there(scraped):
    chosen = [item["query"] for item in BOARD["templating"]["list"] if item["type"] == "query"]
    found = [re.fullmatch(r"label_values\((\w+), (\w+)\)", query).groups() for query in chosen]
    assert [(name, label) for name, label in found if label not in scraped[name] | OF_TARGETS] == []


def test_the_panels_of_the_board_do_not_overlap():
    taken = set()
    for panel in BOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        taken |= cells


def unit(name):
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str
    parser.read(DEPLOY / name)
    return parser


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_is_not_started_again_after_what_needs_a_person(name):
    service = unit(name)["Service"]
    assert set(map(int, service["RestartPreventExitStatus"].split())) == {kind.exit_status for kind in UNITS[name]}
    assert (service["Type"], service["Restart"]) == ("notify", "on-failure")
    assert int(service["WatchdogSec"]) >= 30
    assert unit(name)["Unit"]["After"] == unit(name)["Unit"]["Wants"] == "network-online.target"


@pytest.mark.parametrize("name", UNITS)
def test_what_a_unit_starts_is_in_the_repository(name):
    python, *arguments = unit(name)["Service"]["ExecStart"].split()
    assert python == "/opt/gexcord/.venv/bin/python"
    place = arguments[0].replace("/opt/gexcord", str(ROOT)) if arguments[0] != "-m" else ROOT / arguments[1]
    assert Path(place).exists()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
@pytest.mark.parametrize("name", UNITS)
def test_systemd_has_nothing_against_a_unit(name, tmp_path):
    text = (DEPLOY / name).read_text().replace("/opt/gexcord/.venv/bin/python", sys.executable)
    (tmp_path / name).write_text(text)
    command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    newer = re.compile(r"Unknown key( name)? 'Restart(Steps|MaxDelaySec)'")
    ours = [line for line in done.stderr.splitlines() if name in line and not newer.search(line)]
    assert (done.returncode, ours) == (0, [])
