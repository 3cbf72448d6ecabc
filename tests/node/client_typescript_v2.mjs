// The TypeScript SDK v2 as a client of the matrix. Its argument is how the revision is negotiated: legacy or auto.
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

import { approve, signedIn, target, use } from "./use.mjs";

async function connected(transport) {
  const client = new Client(
    { name: "typescript-sdk-v2", version: "1" },
    { capabilities: { elicitation: {} }, versionNegotiation: { mode: process.argv[2] } },
  );
  client.setRequestHandler("elicitation/create", ({ params }) => approve(params.message));
  await client.connect(transport);
  return client;
}

let transport;
const client = target.endpoint
  ? await signedIn(
      (authProvider) =>
        connected((transport = new StreamableHTTPClientTransport(new URL(target.endpoint), { authProvider }))),
      (error) => error instanceof UnauthorizedError,
      (_, parameters) => transport.finishAuth(parameters),
    )
  : await connected(new StdioClientTransport(target));
await use({
  list: async () => (await client.listTools()).tools.map((tool) => tool.name),
  call: (name, args) => client.callTool({ name, arguments: args }),
  version: client.getNegotiatedProtocolVersion(),
  close: () => client.close(),
});
