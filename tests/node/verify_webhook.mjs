// Verifies a post with the Standard Webhooks library. Reads {headers, body, secrets} from stdin; writes for each secret
// whether the post is signed by it.
import { text } from "node:stream/consumers";

import { Webhook } from "standardwebhooks";

const { headers, body, secrets } = JSON.parse(await text(process.stdin));
const isSigned = (secret) => {
  try {
    return Boolean(new Webhook(secret).verify(body, headers));
  } catch {
    return false;
  }
};
process.stdout.write(JSON.stringify(secrets.map(isSigned)));
