"""People at a browser, played over HTTP: they allow what an agent asks for, and sign in at the sandbox."""

import re
from dataclasses import dataclass, field
from html import unescape
from typing import Final
from urllib.parse import parse_qs, parse_qsl, urlencode, urljoin, urlsplit

import httpx2

from tests.consent_forms import Levels, levels_on

OWNER: Final = "Maya Lindqvist"
ADMIN: Final = "Tomás Herrera"
MEMBER: Final = "Priya Raman"

_HIDDEN: Final = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
_PERSON: Final = re.compile(r'name="person" value="([^"]+)"[^>]*>\s*<span>([^<]+)')


@dataclass
class Browser:
    """A person at a browser, who allows what is asked.

    Attributes:
        person: Who signs in at Calendly, by name. Calendly gives tokens to each person 8 times a minute.
        access: The levels that are chosen, None for what the page preselects.
        asked: The scopes that the client asks for, None for those that it has asked for itself. Most ask for all.
        consents: What each consent page offered.
    """

    person: str = OWNER
    access: str | None = None
    asked: str | None = None
    consents: list[Levels] = field(default_factory=list[Levels])

    async def open(self, address: str) -> str:
        """Follow a client's link through consent and sign-in, up to where the browser is sent back to the client."""
        address = self._asking(address)
        back = parse_qs(urlsplit(address).query)["redirect_uri"][0]
        async with httpx2.AsyncClient(timeout=60) as http:
            response = await http.get(address)
            while True:
                if response.is_redirect:
                    target = urljoin(str(response.request.url), response.headers["Location"])
                    if target.startswith(f"{back}?"):
                        return target
                    response = await http.get(target)
                else:
                    assert response.status_code == 200, response.text
                    response = await self._submit(http, response)

    async def arrive(self, address: str) -> str:
        """Follow an address as far as the client's own web server; what its page says."""
        landed = await self.open(address)
        async with httpx2.AsyncClient() as http:
            page = await http.get(landed, follow_redirects=True)
        assert page.is_success, page.text
        return page.text

    def _asking(self, address: str) -> str:
        """Return the address of a client that asks for `asked`."""
        parts = urlsplit(address)
        if self.asked is None or parts.path != "/authorize":
            return address
        return parts._replace(query=urlencode(dict(parse_qsl(parts.query)) | {"scope": self.asked})).geturl()

    async def _submit(self, http: httpx2.AsyncClient, page: httpx2.Response) -> httpx2.Response:
        """Fill in the form of a page as a person does, and send it as Chromium does from a page without referrer."""
        action = re.search(r'<form method="post" action="([^"]+)"', page.text)
        assert action, page.text
        fields = [(name, unescape(value)) for name, value in _HIDDEN.findall(page.text)]
        levels = levels_on(page.text)
        if levels.offered:
            self.consents.append(levels)
            fields += levels.fields(self.access)
        people = {unescape(name): identity for identity, name in _PERSON.findall(page.text)}
        if people:
            fields.append(("person", people[self.person]))
        fields.append(("decision", "allow"))
        target = urljoin(str(page.request.url), unescape(action[1]))
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "null"}
        return await http.post(target, content=urlencode(fields), headers=headers)
