"""The store of the local login: the system's keyring, else an encrypted file that only its owner can read.

Every process of the person reads it, and one at a time changes it. It loads nothing of the database.
"""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Final, Protocol, TypeVar, cast
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from auth.local.process_lock import ProcessLockError, locked
from auth.local.sealed_file import SealedFile, SealedFileError
from auth.upstream.application import Application
from auth.upstream.connection import Connection
from auth.upstream.login import CalendlyPerson, LoginRefused, LoginUnavailable, Tokens
from storage.keys import RandomBytes
from storage.private_files import make_private_folder

SERVICE: Final = "calendly-mcp"
"""The name of the login in the system's keyring."""

PATIENCE: Final = 3.0
"""How long the system's keyring may take to answer, in seconds: a client waits for the server meanwhile."""

# A tenth of a second each, together longer than a refresh may take.
_TRIES: Final = 300
_RECOMMENDED: Final = 1.0

_T = TypeVar("_T")

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LocalLogin:
    """A person's login on this machine: `auth.upstream.refresher.Held`.

    Attributes:
        person: Who signed in.
        application: As what; the tokens are good for no other.
        redirect_uri: The application's.
        connection: What is known about the tokens.
        access_token: Sent to Calendly's API.
        refresh_token: Good for one use.
        issuer: Where the application registered itself, None for one that the settings named.
    """

    person: CalendlyPerson
    application: Application
    redirect_uri: str
    connection: Connection
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    issuer: str | None = None

    @property
    def tokens(self) -> Tokens:
        """Both tokens, as the token endpoint gave them."""
        row = self.connection
        return Tokens(self.access_token, self.refresh_token, row.expires_at, row.scopes, row.user)


class Keyring(Protocol):
    """A keyring of the `keyring` package. Any method may raise any error."""

    def get_password(self, service: str, username: str) -> str | None:
        """Return a secret, None when there is none."""
        ...

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store a secret."""
        ...

    def delete_password(self, service: str, username: str) -> None:
        """Delete a secret."""
        ...


def system_keyring() -> Keyring | None:
    """Return the system's keyring, None where there is none that the `keyring` package recommends."""
    backend = import_module("keyring").get_keyring()  # a tenth of a second that most starts do not need
    # The null backend, the failing one and the one that writes plain files are below 1.
    return cast("Keyring", backend) if float(backend.priority) >= _RECOMMENDED else None


class KeyringSilentError(LoginUnavailable):
    """The system's keyring has not answered in time. It may be asking the person to unlock it."""


@dataclass(eq=False)
class LoginStore:
    """The login at one address of Calendly's API.

    Attributes:
        folder: The product's data folder, made when it is first needed.
        api_url: Each address has a login of its own, since tokens of one are never sent to another.
        find_keyring: Finds the system's keyring when it is first needed: `system_keyring`.
        sleep: Sleeps for a number of seconds.
        random: Makes the key of the file.
        patience: How long the keyring may take to answer, in seconds.
    """

    folder: Path
    api_url: str
    find_keyring: Callable[[], Keyring | None]
    sleep: Callable[[float], Awaitable[None]]
    random: RandomBytes = field(default=os.urandom, repr=False)
    patience: float = PATIENCE
    _reading: "asyncio.Future[str | None] | None" = field(default=None, init=False, repr=False)

    async def read(self) -> LocalLogin | None:
        """Return the login, None when there is none.

        Raises:
            LoginRefused: It cannot be read.
            KeyringSilentError: The keyring has not answered; the next call waits for the same answer.
        """
        self._reading = reading = self._reading or _apart(self._read)
        try:
            async with asyncio.timeout(self.patience):
                text = await asyncio.shield(reading)
            return None if text is None else TypeAdapter(LocalLogin).validate_json(text)
        except (SealedFileError, ValidationError) as error:
            reason = str(error) if isinstance(error, SealedFileError) else "It is damaged."
            raise LoginRefused(f"The stored login cannot be used; run `calendly-mcp login` again. {reason}") from None
        except TimeoutError:
            raise KeyringSilentError(
                f"The system's keyring, where the sign-in is, has not answered within {self.patience:g} seconds: "
                "unlock it if it asks for that."
            ) from None
        finally:
            self._reading = None if reading.done() else reading

    async def write(self, login: LocalLogin) -> None:
        """Store the login in place of any other. Raises LoginUnavailable."""
        text = TypeAdapter(LocalLogin).dump_json(login, exclude_defaults=True).decode()
        await self._changed(lambda: self._write(text))

    async def delete(self) -> None:
        """Delete the login. Raises LoginUnavailable."""
        await self._changed(self._delete)

    @asynccontextmanager
    async def alone(self) -> AsyncGenerator[None]:
        """Let no other process change the login until the block is left. Raises LoginUnavailable."""
        async with AsyncExitStack() as stack:
            try:
                make_private_folder(self.folder)
                await stack.enter_async_context(locked(self.folder / "login.lock", tries=_TRIES, sleep=self.sleep))
            except (OSError, ProcessLockError) as error:
                raise LoginUnavailable(f"The login cannot be changed now: {error}") from None
            yield

    async def _changed(self, change: Callable[[], None]) -> None:
        try:
            await _apart(change)
        except OSError as error:
            raise LoginUnavailable(f"The login cannot be stored: {error}") from None

    @property
    def _file(self) -> SealedFile:
        name = f"login-{quote(self.api_url, safe='')}"
        return SealedFile(self.folder / name, self.folder / "login.key", name, self.random)

    def _read(self) -> str | None:
        """Read the file, else the keyring."""
        text = self._file.read()
        return self._in_keyring(lambda keyring: keyring.get_password(*self._entry)) if text is None else text

    def _write(self, text: str) -> None:
        """Prefer the keyring. It may not open, or be too small: that of Windows holds 2,560 bytes."""
        try:
            kept = self._in_keyring(lambda keyring: _put(keyring, *self._entry, text))
        except LoginUnavailable as error:
            _log.info("the login goes to a file: %s", error)
            kept = False
        if kept:
            self._file.delete()
        else:
            self._file.write(text)

    def _delete(self) -> None:
        self._file.delete()
        self._in_keyring(lambda keyring: _drop(keyring, *self._entry))

    @property
    def _entry(self) -> tuple[str, str]:
        return SERVICE, self.api_url

    def _in_keyring(self, act: Callable[[Keyring], _T]) -> _T | None:
        """Use the system's keyring, if there is one. Raises LoginUnavailable."""
        try:
            keyring = self.find_keyring()
            return None if keyring is None else act(keyring)
        except Exception as error:  # noqa: BLE001 - keyrings are many people's work, and so are their errors
            raise LoginUnavailable(f"The system's keyring does not open ({type(error).__name__}).") from None


def _apart(act: Callable[[], _T]) -> "asyncio.Future[_T]":
    """Do something in a thread that ends with the process, whatever it waits for."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_T] = loop.create_future()

    def work() -> None:
        try:
            end = partial(future.set_result, act())
        except Exception as fault:  # noqa: BLE001 - whoever waits gets it
            end = partial(future.set_exception, fault)
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(lambda: None if future.done() else end())

    Thread(target=work, name="keyring", daemon=True).start()
    return future


def _put(keyring: Keyring, service: str, name: str, secret: str) -> bool:
    keyring.set_password(service, name, secret)
    return True


def _drop(keyring: Keyring, service: str, name: str) -> None:
    if keyring.get_password(service, name) is not None:  # deleting what is not there is an error
        keyring.delete_password(service, name)
