"""A secret in an encrypted file for its owner only, with its key in a file beside it.

The key keeps the secret out of what is searched, synchronised or backed up one file at a time. Whoever can read all the
person's files can read the secret too: that is what a keyring is better at.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

from storage.errors import KeyRingError
from storage.keys import Key, KeyRing, RandomBytes
from storage.private_files import is_open_to_others, write_private


class SealedFileError(Exception):
    """The file or its key is missing, damaged, another's or open to others; the message says which."""


@dataclass(frozen=True, slots=True)
class SealedFile:
    """One secret.

    Args:
        path: The file.
        key: The file of its key, made when it is needed; several secrets may share one.
        name: What the secret is, so that the file of one cannot be passed off as that of another.
        random: Makes keys and nonces.
    """

    path: Path
    key: Path
    name: str
    random: RandomBytes = field(default=os.urandom, repr=False)

    def read(self) -> str | None:
        """Return the secret, None when there is no file. Raises SealedFileError."""
        try:
            sealed = self.path.read_bytes()
            _refuse_open(self.path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SealedFileError(f"{self.path} cannot be read: {error}") from None
        try:
            return self._ring().open(sealed, table="file", row=self.name, column="secret").decode()
        except (OSError, KeyRingError, UnicodeDecodeError) as error:
            raise SealedFileError(f"{self.path} cannot be read: {error}") from None

    def write(self, secret: str) -> None:
        """Keep a secret in place of any other, whole or not at all. Raises OSError.

        A key that is missing, damaged or open to others is replaced: what it sealed cannot be read either way.
        """
        make_folder(self.path.parent)
        try:
            ring = self._ring()
        except (OSError, KeyRingError, SealedFileError):
            write_private(self.key, str(Key.generate("k1", self.random)).encode())
            ring = self._ring()
        write_private(self.path, ring.seal(secret.encode(), table="file", row=self.name, column="secret"))

    def delete(self) -> None:
        """Drop the secret. Raises OSError."""
        self.path.unlink(missing_ok=True)

    def _ring(self) -> KeyRing:
        _refuse_open(self.key)
        return KeyRing.parse(self.key.read_text(), random=self.random)


def make_folder(folder: Path) -> None:
    """Make a folder for its owner only, unless it is there. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _refuse_open(path: Path) -> None:
    if is_open_to_others(path):
        raise SealedFileError(f"{path} is open to others: run chmod 600 on it, and sign in again if they have read it.")
