"""No sequence of requests yields a live token after revocation, or more than four successors of a refresh token."""

from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from typing_extensions import override

from auth.grants.rules import MOST_USES, REFRESH_GRACE
from tests.auth.site import Tokens
from tests.auth.token_worlds import CLIENTS, DatabaseWorld, PureWorld


@dataclass(eq=False)
class SignIn:
    """What one sign-in gave, and whether it has to be dead by now."""

    client: str
    code: str
    dead: bool = False
    redeemed: bool = False
    access: list[str] = field(default_factory=list[str])
    spent: dict[str, list[timedelta]] = field(default_factory=dict[str, list[timedelta]])

    def presented_by(self, *, stranger: bool) -> str:
        """Name the client it was given to, or another."""
        return next(client for client in CLIENTS if (client != self.client) is stranger)


@dataclass(frozen=True)
class Refresh:
    """A refresh token and the sign-in it came of."""

    sign_in: SignIn
    token: str


# Most of what happens is done by whoever may, soon after what came before; so that much of it succeeds.
STRANGER = st.sampled_from([False, False, False, False, True])
ENDING = st.sampled_from(["nothing", "nothing", "nothing", "token", "grant"])
SECONDS = st.sampled_from([0, 1, 29, 60, 1800, 3599, 3601, 86_400, 15 * 86_400])

NOTHING: MultipleResults[Refresh] = multiple()


class TokenMachine(RuleBasedStateMachine):
    """Everything that clients and people do to codes and tokens, in any order and at any time."""

    sign_ins = Bundle[SignIn]("sign_ins")
    refresh_tokens = Bundle[Refresh]("refresh_tokens")

    def __init__(self, world: PureWorld | DatabaseWorld) -> None:
        super().__init__()
        self.world = world
        self.elapsed = timedelta()
        self.known: list[SignIn] = []
        self.buried: list[SignIn] = []

    @rule(target=sign_ins, client=st.sampled_from(CLIENTS))
    def sign_in(self, client: str) -> SignIn:
        """A person lets a client in."""
        return self._begin(client)

    @rule(target=refresh_tokens, client=st.sampled_from(CLIENTS))
    def sign_in_and_redeem(self, client: str) -> Refresh | MultipleResults[Refresh]:
        """A person lets a client in, which redeems the code at once."""
        sign_in = self._begin(client)
        return self._keep(sign_in, self.world.redeem(client, sign_in.code))

    @rule(target=refresh_tokens, sign_in=sign_ins, stranger=STRANGER)
    def redeem(self, sign_in: SignIn, *, stranger: bool) -> Refresh | MultipleResults[Refresh]:
        """Somebody presents a code, perhaps again, perhaps another's."""
        tokens = self.world.redeem(sign_in.presented_by(stranger=stranger), sign_in.code)
        if stranger or sign_in.dead:
            assert tokens is None
        elif sign_in.redeemed:
            assert tokens is None
            sign_in.dead = True
        return self._keep(sign_in, tokens)

    @rule(target=refresh_tokens, held=refresh_tokens, stranger=STRANGER)
    def refresh(self, held: Refresh, *, stranger: bool) -> Refresh | MultipleResults[Refresh]:
        """Somebody presents a refresh token, perhaps again, perhaps another's."""
        sign_in, uses = held.sign_in, held.sign_in.spent.setdefault(held.token, [])
        tokens = self.world.refresh(sign_in.presented_by(stranger=stranger), held.token)
        if stranger or sign_in.dead:
            assert tokens is None
        if uses and (stranger or len(uses) == MOST_USES or self.elapsed - uses[0] > REFRESH_GRACE):
            assert tokens is None
            # A token that lay idle for longer than it lives proves nothing: its family is over by itself.
            sign_in.dead = True
        if tokens is not None:
            uses.append(self.elapsed)
        return self._keep(sign_in, tokens)

    @rule(held=refresh_tokens, stranger=STRANGER, what=ENDING)
    def end(self, held: Refresh, what: str, *, stranger: bool) -> None:
        """A client revokes a refresh token, perhaps another's, which does nothing; or the person sends it away."""
        if what == "token":
            self.world.revoke(held.sign_in.presented_by(stranger=stranger), held.token)
            held.sign_in.dead = held.sign_in.dead or not stranger
        if what == "grant":
            self.world.end_grant(held.sign_in.client)
            for sign_in in self.known:
                sign_in.dead = sign_in.dead or sign_in.client == held.sign_in.client

    @rule(seconds=SECONDS)
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.elapsed += timedelta(seconds=seconds)
        self.world.clock.advance(timedelta(seconds=seconds))

    @rule()
    def sweep(self) -> None:
        """Housekeeping is done."""
        self.world.sweep()

    @invariant()
    def nothing_lives_after_revocation(self) -> None:
        """What came of a sign-in that has just died is dead."""
        died = [sign_in for sign_in in self.known if sign_in.dead and sign_in not in self.buried]
        self.buried += died
        assert not self._any_lives(died)

    @override
    def teardown(self) -> None:
        """Nothing has come to life again."""
        assert not self._any_lives(self.buried)

    def _any_lives(self, sign_ins: list[SignIn]) -> bool:
        return any(self.world.is_live(access) for sign_in in sign_ins for access in sign_in.access)

    def _begin(self, client: str) -> SignIn:
        sign_in = SignIn(client, self.world.sign_in(client))
        self.known.append(sign_in)
        return sign_in

    def _keep(self, sign_in: SignIn, tokens: Tokens | None) -> Refresh | MultipleResults[Refresh]:
        if tokens is None:
            return NOTHING
        sign_in.redeemed = True
        sign_in.access.append(tokens.access)
        assert self.world.is_live(tokens.access)
        return Refresh(sign_in, tokens.refresh)


@pytest.mark.requirement("state-machine")
def test_no_order_of_requests_brings_a_token_to_life_again_by_the_rules_alone() -> None:
    class PureTokens(TokenMachine):
        def __init__(self) -> None:
            super().__init__(PureWorld())

    run_state_machine_as_test(PureTokens, settings=settings(max_examples=300, stateful_step_count=40))


@pytest.mark.requirement("state-machine")
def test_no_order_of_requests_brings_a_token_to_life_again_over_the_endpoints_and_their_database() -> None:
    with closing(DatabaseWorld()) as world:

        class StoredTokens(TokenMachine):
            def __init__(self) -> None:
                super().__init__(world.anew())

        run_state_machine_as_test(StoredTokens, settings=settings(max_examples=20, stateful_step_count=30))
