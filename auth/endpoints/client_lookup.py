"""Finding the client of an authorization request: registered here, or described by a document at its id."""

from auth.endpoints.site import Realm
from auth.grants import client_rows
from auth.grants.client_documents import is_document_address
from auth.grants.clients import Client


async def look_up(realm: Realm, client_id: str, address: str) -> Client | None:
    """Find a client, fetching its document when that is due; None when it is not known.

    Args:
        realm: Where.
        client_id: What the request says.
        address: Whose request it is: a fetch counts as a registration.

    Raises:
        InvalidClient: The document cannot be had.
        TooManyRequests: That address made us fetch too many.
    """
    described = is_document_address(client_id)
    async with realm.database.read() as connection:
        if not described:
            return await client_rows.find(connection, client_id)
        client = await client_rows.find_fresh(connection, client_id, realm.now())
    return client or await _fetch(realm, client_id, address)


async def _fetch(realm: Realm, client_id: str, address: str) -> Client | None:
    async with realm.database.begin() as connection:
        await realm.take(connection, "registrations", address)
    document = await realm.documents.fetch(client_id)
    now = realm.now()
    async with realm.database.begin() as connection:
        await client_rows.drop_surplus(connection)
        await client_rows.put_document(connection, document.client, now, stale_at=now + document.life)
        return await client_rows.find(connection, client_id)
