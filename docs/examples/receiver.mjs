// Receives events: verifies each post, answers the challenge, and drops what came before.
import { createServer } from "node:http";
import { text } from "node:stream/consumers";

import { Webhook } from "standardwebhooks";

if (!process.env.WEBHOOK_SECRET) {
  console.error("WEBHOOK_SECRET has to be set.");
  process.exit(1);
}
const webhook = new Webhook(process.env.WEBHOOK_SECRET);
const seen = new Set(); // a program that restarts keeps these in its database, for two days

const server = createServer(async (request, response) => {
  let message;
  try {
    message = webhook.verify(await text(request), request.headers);
  } catch {
    return response.writeHead(401).end();
  }
  if (message.type === "verification") return response.end(JSON.stringify({ challenge: message.challenge }));
  const id = request.headers["webhook-id"];
  if (!seen.has(id)) console.log(JSON.stringify(message)); // your work begins here
  seen.add(id);
  response.end();
});
server.listen(process.env.PORT ?? 8080, "127.0.0.1", () => console.error(`listening on port ${server.address().port}`));
