// The browser's part of a sign-in, played by whoever started this program: it is told an address on stdout, goes
// through it, and says on stdin to which address the browser was sent at last.
import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

export function tell(message) {
  process.stdout.write(JSON.stringify(message) + "\n");
}

export async function hear() {
  const { value, done } = await lines.next();
  if (done) throw new Error("stdin has ended");
  return JSON.parse(value);
}

export async function browse(address) {
  tell({ open: String(address) });
  return new URL((await hear()).arrived);
}

// What both versions of the SDK's client ask of a program: where it keeps things, and who opens the browser.
export class Provider {
  redirectUrl = "http://127.0.0.1:9/callback"; // nobody listens there
  clientMetadata = { client_name: "TypeScript SDK", redirect_uris: [this.redirectUrl], token_endpoint_auth_method: "none" };
  kept = {};

  state() {
    return (this.kept.state = crypto.randomUUID());
  }
  clientInformation() {
    return this.kept.client;
  }
  saveClientInformation(client) {
    this.kept.client = client;
  }
  tokens() {
    return this.kept.tokens;
  }
  saveTokens(tokens) {
    this.kept.tokens = tokens;
  }
  codeVerifier() {
    return this.kept.verifier;
  }
  saveCodeVerifier(verifier) {
    this.kept.verifier = verifier;
  }
  async redirectToAuthorization(address) {
    this.kept.arrived = await browse(address);
  }
  arrived() {
    const parameters = this.kept.arrived.searchParams;
    if (parameters.get("state") !== this.kept.state) throw new Error("another state came back");
    return parameters;
  }
}

// The same conversation for both: sign in, call a tool, go on with a refresh token alone, ask for more when a tool
// needs more, and call the first tool again. `connect` makes a connected client and `finish` hands in what the redirect brought.
// `isStuck` knows the error of a client that answers 403 with its refresh token, which brings no further scopes.
export async function converse({ provider, connect, finish, isUnauthorized, isStuck = () => false }) {
  let client;
  const authorized = async (action) => {
    try {
      return await action();
    } catch (error) {
      if (isStuck(error)) {
        delete provider.kept.tokens.refresh_token;
        client = await connect();
        return await authorized(action);
      }
      if (!isUnauthorized(error)) throw error;
      await finish(provider.arrived());
      client = await connect();
      return await action();
    }
  };
  await authorized(async () => (client = await connect()));
  const listed = await client.listTools();
  const user = await client.callTool({ name: "get_current_user", arguments: {} });
  const first = provider.kept.tokens;
  provider.kept.tokens = { ...first, access_token: "stale" };
  await client.callTool({ name: "get_current_user", arguments: {} });
  const refreshed = provider.kept.tokens;
  const more = await authorized(() => client.callTool({ name: "list_event_types", arguments: { count: 1 } }));
  const again = await client.callTool({ name: "get_current_user", arguments: {} });
  tell({
    tools: listed.tools.map((tool) => tool.name),
    user: user.structuredContent,
    scopes: [first.scope, refreshed.scope, provider.kept.tokens.scope],
    refreshed: refreshed.refresh_token !== first.refresh_token,
    listed: more.structuredContent.collection.length,
    again: again.structuredContent,
    version: client.getNegotiatedProtocolVersion?.(),
  });
  await client.close();
}
