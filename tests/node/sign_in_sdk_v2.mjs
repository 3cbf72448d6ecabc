// Signs in with the TypeScript SDK v2, which also holds the issuer that comes back against the metadata. Its arguments
// are the address of the MCP endpoint and how the revision is negotiated: legacy or auto.
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from "@modelcontextprotocol/client";

import { converse, Provider } from "./sign_in.mjs";

const endpoint = new URL(process.argv[2]);
const provider = new Provider();
let transport;
await converse({
  provider,
  connect: async () => {
    const client = new Client(
      { name: "typescript-sdk-v2", version: "1" },
      { versionNegotiation: { mode: process.argv[3] } },
    );
    transport = new StreamableHTTPClientTransport(endpoint, { authProvider: provider });
    await client.connect(transport);
    return client;
  },
  finish: (parameters) => transport.finishAuth(parameters),
  isUnauthorized: (error) => error instanceof UnauthorizedError,
});
process.exit();
