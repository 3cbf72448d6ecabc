// The TypeScript SDK v1 as a client of the matrix. Its word is the package that holds the line, such as sdk-1.18.
import { approve, signedIn } from "./use.mjs";

const MODULES = ["client/index.js", "client/stdio.js", "client/streamableHttp.js", "client/auth.js", "types.js"];

export async function connect(target, sdk) {
  const [{ Client }, { StdioClientTransport }, { StreamableHTTPClientTransport }, { UnauthorizedError }, types] =
    await Promise.all(MODULES.map((module) => import(`${sdk}/${module}`)));

  async function connected(transport) {
    const client = new Client({ name: sdk, version: "1" }, { capabilities: { elicitation: {} } });
    client.setRequestHandler(types.ElicitRequestSchema, ({ params }) => approve(params.message));
    await client.connect(transport);
    return client;
  }

  let transport;
  const client = target.endpoint
    ? await signedIn(
        (authProvider) =>
          connected((transport = new StreamableHTTPClientTransport(new URL(target.endpoint), { authProvider }))),
        (error) => error instanceof UnauthorizedError,
        (_, parameters) => transport.finishAuth(parameters.get("code")),
      )
    : await connected(new StdioClientTransport(target));
  return {
    list: async () => (await client.listTools()).tools.map((tool) => tool.name),
    call: (name, args) => client.callTool({ name, arguments: args }),
    close: () => client.close(),
  };
}
