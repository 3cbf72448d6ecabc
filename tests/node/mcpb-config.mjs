// What a host of MCP bundles starts: mcpb-config.mjs FOLDER CHOSEN, where CHOSEN is what a person filled in, as JSON.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { getMcpConfigForManifest } from "@anthropic-ai/mcpb";

const [folder, chosen] = process.argv.slice(2);
const config = await getMcpConfigForManifest({
  manifest: JSON.parse(readFileSync(join(folder, "manifest.json"), "utf-8")),
  extensionPath: folder,
  systemDirs: {},
  userConfig: JSON.parse(chosen),
  pathSeparator: "/",
});
process.stdout.write(JSON.stringify(config));
