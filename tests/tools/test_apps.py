"""Every app is one document that reaches nobody, and belongs to tools that there are."""

import re
from pathlib import Path

import pytest

import tools.apps
from tools import ALL
from tools.apps import APPS, EXTENSION, MIME_TYPE, App, app_at, view_of
from tools.endpoints.availability import list_event_type_available_times, list_user_busy_times
from tools.toolset.tool import tool_of

FOLDER = Path(tools.apps.__file__).parent
EVALUATES = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "srcdoc")
FETCHES = (
    "fetch(",
    "XMLHttpRequest",
    "WebSocket",
    "EventSource",
    "import(",
    "import ",
    "sendBeacon",
    "url(",
    "@import",
)

every_app = pytest.mark.parametrize("app", APPS, ids=lambda app: app.name)


def test_the_names_are_those_of_the_extension() -> None:
    assert (EXTENSION, MIME_TYPE) == ("io.modelcontextprotocol/ui", "text/html;profile=mcp-app")


@every_app
def test_it_is_found_at_its_uri_alone(app: App) -> None:
    assert app.uri.startswith("ui://calendly/")
    assert app_at(app.uri) is app
    assert app_at(f"{app.uri}/") is None


@every_app
def test_it_is_one_html_document_without_an_address_in_it(app: App) -> None:
    assert app.html.startswith("<!DOCTYPE html>\n<html lang=")
    assert app.html.count("<style>") == app.html.count("<script>") == app.html.count("<head>") == 1
    assert "://" not in app.html
    assert not re.search(r"\b(src|href|action)=", app.html)
    assert [call for call in FETCHES if call in app.html] == []


@every_app
def test_it_makes_no_html_of_what_it_is_told(app: App) -> None:
    assert [name for name in EVALUATES if name in app.html] == []


@every_app
def test_it_asks_for_no_origin_and_no_permission(app: App) -> None:
    nothing: list[str] = []
    policy = dict.fromkeys(("connectDomains", "resourceDomains", "frameDomains", "baseUriDomains"), nothing)
    assert app.meta == {"ui": {"csp": policy, "prefersBorder": True}}


@every_app
def test_every_file_of_its_folder_is_in_it(app: App) -> None:
    files = {path.name for path in (FOLDER / app.name).iterdir()}
    assert files == {"page.html", "style.css", *app.scripts}


@every_app
def test_it_calls_tools_that_there_are(app: App) -> None:
    called = set(re.findall(r'"((?:get|list|create|cancel|find)_[a-z_]+)"', app.html))
    assert {tool.name for tool in app.shows} <= called <= {tool.name for tool in ALL}


def test_a_tool_names_the_app_that_shows_its_answers_and_others_name_none() -> None:
    assert view_of(tool_of(list_event_type_available_times)) == {"ui": {"resourceUri": "ui://calendly/slot-picker"}}
    assert view_of(tool_of(list_user_busy_times)) == {}
