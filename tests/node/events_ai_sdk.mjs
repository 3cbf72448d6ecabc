// The AI SDK's MCP client as a host of MCP Events: node events_ai_sdk.mjs CALLBACK CERTIFICATE. It tells on which port
// the callback is answered. The first line of stdin is {endpoint, token}; each further line is what to do: {do, id}.
// Every answer, and everything that is posted, is a line of stdout.
import { readFile } from "node:fs/promises";
import { createServer } from "node:https";
import { text } from "node:stream/consumers";

import { createMCPClient, experimental_createMCPEventWebhook as createMCPEventWebhook } from "@ai-sdk/mcp";

import { hear, tell } from "./sign_in.mjs";

const [callback, certificate] = process.argv.slice(2);

const kept = new Map();
const store = {
  get: async (key) => kept.get(key),
  getById: async (id) => [...kept.values()].find((subscription) => subscription.id === id),
  set: async (subscription) => void kept.set(subscription.key, subscription),
  update: async (key, patch) => void Object.assign(kept.get(key), patch),
  delete: async (key) => void kept.delete(key),
};
const webhook = createMCPEventWebhook({
  store,
  onEvent: async ({ subscription, event }) => tell({ event, subscription: subscription.id }),
  onTerminated: async ({ subscription, termination }) => tell({ termination, subscription: subscription.id }),
  onError: (error) => tell({ fault: String(error) }),
});

const pem = await readFile(certificate);
const server = createServer({ key: pem, cert: pem }, async (request, response) => {
  const body = await text(request);
  const url = new URL(request.url, callback);
  const answer = await webhook(new Request(url, { method: request.method, headers: request.headers, body }));
  if (JSON.parse(body).type === "verification") tell({ challenged: answer.status });
  response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
tell({ port: server.address().port });

const { endpoint, token } = await hear();

const client = await createMCPClient({
  transport: { type: "http", url: endpoint, headers: { Authorization: `Bearer ${token}` } },
  experimental_events: { store },
});
const events = client.experimental_events;
const deeds = {
  list: async () => (await events.list()).events.map((kind) => kind.name),
  subscribe: () => events.subscribe({ name: "meeting.booked", delivery: { mode: "webhook", url: callback } }),
  refresh: ({ id }) => events.refresh({ id }),
  unsubscribe: ({ id }) => events.unsubscribe({ id }).then(() => null),
};
tell({ version: client.initializeResult?.protocolVersion });
while (true) {
  const asked = await hear();
  tell({ done: await deeds[asked.do](asked) });
}
