// Signs in with the TypeScript SDK v1. Its argument is the address of the MCP endpoint.
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport, StreamableHTTPError } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

import { converse, Provider } from "./sign_in.mjs";

const endpoint = new URL(process.argv[2]);
const provider = new Provider();
let transport;
await converse({
  provider,
  connect: async () => {
    const client = new Client({ name: "typescript-sdk-v1", version: "1" });
    transport = new StreamableHTTPClientTransport(endpoint, { authProvider: provider });
    await client.connect(transport);
    return client;
  },
  finish: (parameters) => transport.finishAuth(parameters.get("code")),
  isUnauthorized: (error) => error instanceof UnauthorizedError,
  isStuck: (error) => error instanceof StreamableHTTPError && error.code === 403,
});
process.exit();
