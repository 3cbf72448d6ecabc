"""Finding the client of an authorization request: registered here, or described by a document at its id."""

from auth import stored_clients
from auth.client_documents import is_document_address
from auth.clients import Client
from auth.realm import Realm


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
            return await stored_clients.find(connection, client_id)
        client = await stored_clients.find_fresh(connection, client_id, realm.now())
    return client or await _fetch(realm, client_id, address)


async def _fetch(realm: Realm, client_id: str, address: str) -> Client | None:
    async with realm.database.begin() as connection:
        await realm.take(connection, "registrations", address)
    document = await realm.documents.fetch(client_id)
    now = realm.now()
    async with realm.database.begin() as connection:
        await stored_clients.drop_surplus(connection)
        await stored_clients.put_document(connection, document.client, now, stale_at=now + document.life)
        return await stored_clients.find(connection, client_id)
