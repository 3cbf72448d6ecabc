// What every client of the matrix does, over stdio and over HTTP: it lists, reads, and cancels a meeting, which asks
// its person first. A line of stdout is what the client found.
import { Provider, tell } from "./sign_in.mjs";

const questions = [];

// The person behind a form, who reads it before saying yes.
export async function approve(question) {
  questions.push(question);
  await new Promise((resolve) => setTimeout(resolve, 600));
  return { action: "accept", content: { approve: true } };
}

// Connects over HTTP: the first time that is refused, then signed in. `finish` hands in what the redirect brought.
export async function signedIn(connect, isUnauthorized, finish) {
  const provider = new Provider();
  try {
    return await connect(provider);
  } catch (error) {
    if (!isUnauthorized(error)) throw error;
    await finish(provider, provider.arrived());
    return await connect(provider);
  }
}

// `call` returns the result of a tool as the client gives it to its program.
export async function use({ list, call, version, close }) {
  questions.length = 0;
  const tools = await list();
  const user = await call("get_current_user", {});
  const last = { status: "active", sort: "start_time:desc", count: 1 };
  const scheduled_event = contentOf(await call("list_scheduled_events", last)).collection[0].uri;
  let canceled = await call("cancel_scheduled_event", { scheduled_event });
  const confirmation = canceled.isError ? contentOf(canceled).error.confirmation : undefined;
  if (confirmation) canceled = await call("cancel_scheduled_event", { scheduled_event, confirmation });
  tell({
    tools,
    name: contentOf(user).name,
    refused: canceled.isError ? canceled : undefined,
    status: contentOf(await call("get_scheduled_event", { scheduled_event })).status,
    asks: confirmation === undefined,
    questions,
    version,
  });
  await close();
}

function contentOf(result) {
  return result.structuredContent ?? JSON.parse(result.content[0].text);
}
