// Reads one resource and one prompt over stdio with the TypeScript SDK's client, and completes an argument of each.
// Reads {command, args, env} from stdin; writes what the client found as JSON.
import { text } from "node:stream/consumers";

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const { command, args, env } = JSON.parse(await text(process.stdin));
const client = new Client({ name: "typescript-sdk-v1", version: "1" });
await client.connect(new StdioClientTransport({ command, args, env }));
const template = { type: "ref/resource", uri: "calendly://event_types/{event_type}" };
const found = {
  capabilities: client.getServerCapabilities(),
  resources: (await client.listResources()).resources.map((resource) => resource.uri),
  templates: (await client.listResourceTemplates()).resourceTemplates.map((one) => one.uriTemplate),
  prompts: (await client.listPrompts()).prompts.map((prompt) => prompt.name),
  me: (await client.readResource({ uri: "calendly://me" })).contents[0],
  refused: await client.readResource({ uri: "calendly://nothing" }).catch((error) => error.code),
  prompt: (await client.getPrompt({ name: "book_meeting", arguments: { event_type: "Intro call" } })).messages[0],
  completed: (await client.complete({ ref: template, argument: { name: "event_type", value: "intro" } })).completion,
};
await client.close();
process.stdout.write(JSON.stringify(found));
