// The AI SDK's MCP client as a client of the matrix: tools are called as `generateText` calls them for a model.
import { auth, createMCPClient, ElicitationRequestSchema, UnauthorizedError } from "@ai-sdk/mcp";
import { Experimental_StdioMCPTransport as StdioTransport } from "@ai-sdk/mcp/mcp-stdio";

import { approve, signedIn } from "./use.mjs";

async function connected(transport) {
  const client = await createMCPClient({ transport, capabilities: { elicitation: {} } });
  client.onElicitationRequest(ElicitationRequestSchema, ({ params }) => approve(params.message));
  return client;
}

export async function connect(target) {
  const client = target.endpoint
    ? await signedIn(
        (authProvider) => connected({ type: "http", url: target.endpoint, authProvider }),
        (error) => error instanceof UnauthorizedError,
        (provider, parameters) =>
          auth(provider, {
            serverUrl: target.endpoint,
            authorizationCode: parameters.get("code"),
            callbackState: parameters.get("state"),
            callbackIssuer: parameters.get("iss"),
          }),
      )
    : await connected(new StdioTransport(target));
  const tools = await client.tools();
  return {
    list: async () => Object.keys(tools),
    call: (name, args) => tools[name].execute(args, { messages: [], toolCallId: name }),
    version: client.initializeResult?.protocolVersion,
    close: () => client.close(),
  };
}
