"""What can go wrong with stored data.

StorageError
├── DatabaseUrlError    the database URL is not one we can open
├── StorageUnavailable  the database cannot be reached, read or written in time
├── SchemaError         the database was written by a newer version of this program
└── KeyRingError        the key ring cannot be read, or is not the one the stored secrets need
    └── UnreadableSecret  one sealed value does not open
"""


class StorageError(Exception):
    """A failure of this package. The message is a sentence for the operator, without secrets."""


class DatabaseUrlError(StorageError):
    """The database URL names no database that can be opened."""


class StorageUnavailable(StorageError):
    """The database cannot be reached, read or written in time. A commit that raises it may have taken effect."""


class SchemaError(StorageError):
    """The database was migrated by a newer version of this program."""


class KeyRingError(StorageError):
    """The key ring is malformed, missing, or not the one the stored secrets need."""


class UnreadableSecret(KeyRingError):
    """A sealed value is damaged, was moved, or needs a key that the ring lacks."""
