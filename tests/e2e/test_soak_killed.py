"""Bookings whose process is killed at one moment or another; the next process, with the same key, books no second time.

The suite runs each moment once or twice; `make soak` runs a twentieth of its bookings here (`--bookings`).
"""

import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.e2e.conftest import Sandbox
from tests.e2e.processes import Program, greet, program, request

BOOK: Final = "create_event_invitee"
SHARE: Final = 20


@dataclass
class Trial:
    """One booking by a server that will be killed.

    Attributes:
        sandbox: What the server takes for Calendly.
        database: Where the server keeps its keys.
        email: The invitee, of whom there is no other booking.
        arguments: What the agent calls with, each time.
        before: How many calls the sandbox had received when it began.
    """

    sandbox: Sandbox
    database: Path
    email: str
    arguments: dict[str, Any]
    before: int

    def requests(self) -> list[str]:
        """List what the sandbox has received since."""
        return self.sandbox.requests()[self.before :]

    def has_received(self, call: str) -> bool:
        """Say whether the sandbox has received a call."""
        return any(received.startswith(call) for received in self.requests())

    def has_key(self) -> bool:
        """Say whether the key is taken in the database."""
        try:
            with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
                return bool(connection.execute("SELECT 1 FROM booking_key").fetchall())
        except sqlite3.OperationalError:  # there is no such file or table yet
            return False

    def booked(self) -> int:
        """Count the bookings there are."""
        return self.sandbox.booked(self.email)


@dataclass(frozen=True)
class Moment:
    """When a server is killed.

    Attributes:
        name: What it is called.
        faults: What the sandbox is told, so that the moment can be met.
        reached: Says whether it has come; None for when the answer was read.
        then: What the next process may answer.
    """

    name: str
    faults: tuple[dict[str, Any], ...]
    reached: Callable[[Trial], bool] | None
    then: frozenset[str]


ANSWERED: Final = frozenset({"answered"})
EITHER: Final = frozenset({"answered", "outcome_unknown"})
POST: Final = {"method": "POST", "path": "/invitees"}
LAG: Final = {"read_lag": 2}

MOMENTS: Final = (
    Moment(
        "while it looks into the booking",
        ({"method": "GET", "path": "/event_type_available_times", "delay": 2},),
        lambda trial: trial.has_received("GET /event_type_available_times"),
        ANSWERED,
    ),
    Moment("when the key is taken", ({**POST, "delay": 1},), Trial.has_key, EITHER),
    Moment(
        "when the request was sent",
        ({**POST, "delay": 1},),
        lambda trial: trial.has_received("POST /invitees"),
        ANSWERED,
    ),
    Moment(
        "when Calendly has acted",
        ({**POST, "drop": "after"}, LAG),
        lambda trial: trial.booked() == 1,
        ANSWERED,
    ),
    Moment(
        "while it looks for the booking",
        ({**POST, "drop": "after"}, LAG),
        lambda trial: trial.has_received("GET /scheduled_events"),
        ANSWERED,
    ),
    Moment("when it has answered", (), None, ANSWERED),
)


@contextmanager
def server(settings: dict[str, str], folder: Path) -> Generator[Program]:
    """Run a server over stdio with a data folder of its own."""
    with program("stdio", **settings, XDG_DATA_HOME=str(folder)) as running:
        greet(running)
        yield running


def answer_of(running: Program) -> dict[str, Any]:
    """Read the answer to a call."""
    while True:
        message = running.hear()
        if "result" in message:
            content: dict[str, Any] = message["result"]["structuredContent"]
            return content


def trial_of(sandbox: Sandbox, database: Path, number: int) -> Trial:
    """Make a booking that nothing is wrong with."""
    sandbox.reset()
    email = f"lee-{number}@acme.example"
    arguments = {**sandbox.booking(email, number), "idempotency_key": "the key"}
    return Trial(sandbox, database, email, arguments, len(sandbox.requests()))


def kind_of(content: dict[str, Any]) -> str:
    """Say how a call ended."""
    return str(content["error"]["kind"]) if "error" in content else "answered"


def test_a_key_books_once_although_its_process_is_killed(
    sandbox: Sandbox, settings: dict[str, str], tmp_path: Path, bookings: int
) -> None:
    for number in range(max(len(MOMENTS), bookings // SHARE)):
        moment = MOMENTS[number % len(MOMENTS)]
        folder = tmp_path / str(number)
        trial = trial_of(sandbox, folder / "calendly-mcp" / "calendly-mcp.sqlite3", number)
        first = _killed(trial, moment, settings, folder)
        with server(settings, folder) as successor:
            successor.say(request("tools/call", 3, name=BOOK, arguments=trial.arguments))
            content = answer_of(successor)
        assert kind_of(content) in moment.then, (moment.name, content)
        assert trial.booked() in ({1} if kind_of(content) == "answered" else {0, 1}), moment.name
        assert trial.requests().count("POST /invitees") <= 1, moment.name
        assert first in (None, content)


def _killed(trial: Trial, moment: Moment, settings: dict[str, str], folder: Path) -> dict[str, Any] | None:
    """Have a server book, and kill it at the moment; what it answered, if that was before."""
    for fault in moment.faults:
        trial.sandbox.will_fail(**fault)
    with server(settings, folder) as doomed:
        doomed.say(request("tools/call", 2, name=BOOK, arguments=trial.arguments))
        if moment.reached is None:
            answer = answer_of(doomed)
            doomed.process.kill()
            return answer
        while not moment.reached(trial):
            assert doomed.process.poll() is None
        doomed.process.kill()
    return None
