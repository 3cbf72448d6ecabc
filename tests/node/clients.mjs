// The clients of the matrix, one after another in one process. A line of stdin names the script of a client, the word
// that it takes, and how it connects: {script, word, command, args, env} or {script, word, endpoint}.
import { hear } from "./sign_in.mjs";
import { use } from "./use.mjs";

while (true) {
  const { script, word, ...target } = await hear();
  const { connect } = await import(`./${script}`);
  await use(await connect(target, word));
}
