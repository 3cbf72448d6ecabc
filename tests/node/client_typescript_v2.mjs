// The TypeScript SDK v2 as a client of the matrix. Its word is how the revision is negotiated: legacy or auto.
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

import { approve, signedIn } from "./use.mjs";

async function connected(transport, mode) {
  const client = new Client(
    { name: "typescript-sdk-v2", version: "1" },
    { capabilities: { elicitation: {} }, versionNegotiation: { mode } },
  );
  client.setRequestHandler("elicitation/create", ({ params }) => approve(params.message));
  await client.connect(transport);
  return client;
}

export async function connect(target, mode) {
  let transport;
  const client = target.endpoint
    ? await signedIn(
        (authProvider) =>
          connected((transport = new StreamableHTTPClientTransport(new URL(target.endpoint), { authProvider })), mode),
        (error) => error instanceof UnauthorizedError,
        (_, parameters) => transport.finishAuth(parameters),
      )
    : await connected(new StdioClientTransport(target), mode);
  return {
    list: async () => (await client.listTools()).tools.map((tool) => tool.name),
    call: (name, args) => client.callTool({ name, arguments: args }),
    version: client.getNegotiatedProtocolVersion(),
    close: () => client.close(),
  };
}
