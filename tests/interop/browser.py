"""A person at a browser, signing in for a client that is a program of its own."""

import re
from collections.abc import Sequence
from html import unescape
from urllib.parse import parse_qs, parse_qsl, urlencode, urljoin, urlsplit

import httpx2

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def sign_in(address: str, person: str, scopes: Sequence[str] | None = None) -> str:
    """Go from a client's link through consent and Calendly's sign-in.

    Args:
        address: The link to /authorize.
        person: Who signs in. Calendly gives tokens to each person 8 times a minute, so every test has its own.
        scopes: What to tick on the consent page; None for all that is offered.

    Returns:
        The client's redirect URI with what it is told, where the browser was sent at last; nothing was fetched there.
    """
    back = parse_qs(urlsplit(address).query)["redirect_uri"][0]
    with httpx2.Client(trust_env=False) as http:
        page = http.get(address)
        assert page.status_code == 200, page.text
        transaction = re.search(r'name="transaction" value="([^"]+)"', page.text)
        assert transaction, page.text
        offered: list[str] = re.findall(r'type="checkbox" name="scope" value="([^"]+)"', page.text)
        ticked = offered if scopes is None else scopes
        fields = [("transaction", transaction[1]), *(("scope", scope) for scope in ticked), ("decision", "allow")]
        answer = _post(http, urljoin(address, "/consent"), fields)
        at_calendly = answer.headers["Location"]
        people = re.findall(r'name="person" value="([^"]+)"[^>]*>\s*<span>([^<]+)', http.get(at_calendly).text)
        [chosen] = [unescape(user) for user, name in people if unescape(name) == person]
        fields = [*parse_qsl(urlsplit(at_calendly).query), ("person", chosen), ("decision", "allow")]
        answer = _post(http, at_calendly.partition("?")[0], fields)
        arrived = http.get(answer.headers["Location"]).headers["Location"]
    assert arrived.startswith(f"{back}?"), arrived
    return arrived


def _post(http: httpx2.Client, address: str, fields: list[tuple[str, str]]) -> httpx2.Response:
    """Send a form of a page of the same site."""
    parts = urlsplit(address)
    headers = {**FORM, "Origin": f"{parts.scheme}://{parts.netloc}", "Sec-Fetch-Site": "same-origin"}
    answer = http.post(address, content=urlencode(fields), headers=headers)
    assert answer.is_redirect, answer.text
    return answer


def sign_in_and_return(address: str, person: str) -> None:
    """Sign in, and bring the answer to the client's own web server."""
    with httpx2.Client(trust_env=False) as http:
        page = http.get(sign_in(address, person), follow_redirects=True)
    assert page.is_success, page.text
