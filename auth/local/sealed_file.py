"""A secret in an encrypted file that only its owner can read, with its key in a file beside it.

The key keeps the secret out of what is searched, synchronised or backed up one file at a time. Whoever can read all
files of the person can read the secret too; a keyring is better at that.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

from storage.errors import KeyRingError
from storage.keys import Key, KeyRing, RandomBytes
from storage.private_files import is_open_to_others, make_private_folder, write_private


class SealedFileError(Exception):
    """The file or its key is missing, damaged, for another secret or open to others; the message says which."""


@dataclass(frozen=True, slots=True)
class SealedFile:
    """One secret.

    Attributes:
        path: The file.
        key: The file of its key, made when it is needed; several secrets may share one.
        name: What the secret is; the file of one secret does not open as another.
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
        """Store a secret in place of any other, whole or not at all. Raises OSError.

        A key that is missing, damaged or open to others is replaced: what it sealed is not read anyway.
        """
        make_private_folder(self.path.parent)
        try:
            ring = self._ring()
        except (OSError, KeyRingError, SealedFileError):
            write_private(self.key, str(Key.generate("k1", self.random)).encode())
            ring = self._ring()
        write_private(self.path, ring.seal(secret.encode(), table="file", row=self.name, column="secret"))

    def delete(self) -> None:
        """Delete the secret. Raises OSError."""
        self.path.unlink(missing_ok=True)

    def _ring(self) -> KeyRing:
        _refuse_open(self.key)
        return KeyRing.parse(self.key.read_text(), random=self.random)


def _refuse_open(path: Path) -> None:
    if is_open_to_others(path):
        raise SealedFileError(f"{path} is open to others: run chmod 600 on it, and sign in again if they have read it.")
