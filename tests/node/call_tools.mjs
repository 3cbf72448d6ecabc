// Calls tools over stdio with the TypeScript SDK's client, which holds every answer against the tool's output schema,
// errors too. Reads {command, args, env, calls: [{name, arguments}]} from stdin; writes the results as JSON.
import { text } from "node:stream/consumers";

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const { command, args, env, calls } = JSON.parse(await text(process.stdin));
const client = new Client({ name: "typescript-sdk-v1", version: "1" });
await client.connect(new StdioClientTransport({ command, args, env }));
await client.listTools(); // from here on the client knows the output schemas
const results = [];
for (const call of calls) {
  results.push(await client.callTool(call).catch((error) => ({ thrown: String(error) })));
}
await client.close();
process.stdout.write(JSON.stringify(results));
