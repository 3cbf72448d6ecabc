// Booking at a chosen time without leaving the frame: a form, and whatever becomes of the call.

const BOOK = "create_event_invitee";
const LOOK_UP = "get_event_type";
const SAID_BY_PERSON = { outbound_call: "Phone number of the invitee", ask_invitee: "Place" };
const SAID_BY_HOST = ["physical", "custom"];
const PLACES = {
  physical: "In person",
  outbound_call: "Phone call to the invitee",
  inbound_call: "Phone call from the invitee",
  ask_invitee: "Where the invitee says",
  custom: "As described",
  zoom_conference: "Zoom",
  google_conference: "Google Meet",
  gotomeeting_conference: "GoTo Meeting",
  microsoft_teams_conference: "Microsoft Teams",
  webex_conference: "Webex",
};

const keys = new Map();

// The same booking has the same key however often it is sent, so that it happens once (for 24 hours).
function keyFor(wanted) {
  const text = JSON.stringify(wanted);
  if (!keys.has(text)) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    keys.set(text, `slot-picker-${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`);
  }
  return keys.get(text);
}

const list = (value) => (Array.isArray(value) ? value : []);

// What is made out for an event type; Calendly assigns the place of a round robin itself.
const placesOf = ({ locations, pooling_type: pooling }) =>
  list(pooling === "round_robin" ? [] : locations).filter((place) => typeof place?.kind === "string");

function line(label, control, hint) {
  return element("label", { class: "line" }, label, control, hint ? element("span", { class: "quiet" }, hint) : null);
}

// Where to meet, when there is something to say about it: `fields` to fill in, and `value()`, the location to send.
function locationFields(places) {
  if (!places.length) return { fields: [], value: () => null };
  const name = ({ kind, location }) =>
    [Object.hasOwn(PLACES, kind) ? PLACES[kind] : kind, SAID_BY_HOST.includes(kind) ? location : null].filter(Boolean).join(": ");
  const choice = element("select", {}, ...places.map((place, index) => element("option", { value: index }, name(place))));
  const words = element("input", { type: "text", autocomplete: "off", required: true });
  const label = element("span");
  const wordsLine = line(label, words);
  const place = () => places[Number(choice.value)];
  const isAsked = () => Object.hasOwn(SAID_BY_PERSON, place().kind);
  const update = () => {
    label.textContent = isAsked() ? SAID_BY_PERSON[place().kind] : "";
    wordsLine.hidden = words.disabled = !isAsked();
  };
  choice.addEventListener("change", update);
  update();
  return {
    fields: [places.length > 1 ? line("Where", choice) : null, wordsLine],
    value() {
      const { kind, location } = place();
      if (isAsked()) return { kind, location: words.value.trim() };
      return SAID_BY_HOST.includes(kind) && location ? { kind, location } : { kind };
    },
  };
}

// One question of the event type: what to show, and `answer()`.
function questionField({ name, type, required, answer_choices: choices, include_other: isOpen }) {
  const options = list(choices).map(String);
  const label = required ? name : `${name} (optional)`;
  if (type === "multi_select") {
    const boxes = options.map((option) => element("input", { type: "checkbox", value: option }));
    const labels = boxes.map((box, index) => element("label", { class: "box" }, box, options[index]));
    const answer = () => boxes.filter((box) => box.checked).map((box) => box.value).join("\n");
    return { field: element("fieldset", {}, element("legend", {}, label), ...labels), answer };
  }
  let control = element("input", { type: type === "phone_number" ? "tel" : "text", required });
  if (type === "text") control = element("textarea", { rows: 2, required });
  if (type === "single_select" && !isOpen) {
    const none = element("option", { value: "" }, "");
    control = element("select", { required }, none, ...options.map((option) => element("option", { value: option }, option)));
  }
  const hint = type === "single_select" && isOpen ? `For example ${options.join(", ")}` : null;
  return { field: line(label, control, hint), answer: () => control.value.trim() };
}

// What an event type asks: its enabled questions, in its order.
const questionsOf = (type) =>
  list(type.custom_questions)
    .filter((question) => typeof question?.name === "string" && question.enabled !== false)
    .sort((one, other) => (one.position ?? 0) - (other.position ?? 0));

// The form. `type` is what could be learned of the event type; `submit` gets the arguments that the person filled in.
function bookingForm(type, zone, submit, leave) {
  const name = element("input", { type: "text", required: true, autocomplete: "off" });
  const email = element("input", { type: "email", required: true, autocomplete: "off" });
  const where = locationFields(placesOf(type));
  const asked = questionsOf(type).map((question) => ({ ...question, ...questionField(question) }));
  const send = () => {
    if (!form.reportValidity()) return;
    const answers = asked
      .map(({ name: question, answer, position }) => ({ question, answer: answer(), position: position ?? 0 }))
      .filter(({ answer }) => answer);
    const location = where.value();
    submit({
      invitee: { name: name.value.trim(), email: email.value.trim(), timezone: zone },
      ...(location && { location }),
      ...(answers.length && { questions_and_answers: answers }),
    });
  };
  // A sandboxed frame may not submit forms, so Enter is listened for.
  const enter = (event) => {
    if (event.key !== "Enter" || event.isComposing || event.target.tagName !== "INPUT") return;
    event.preventDefault();
    send();
  };
  const buttons = element("div", { class: "actions" }, button("Book", send, { class: "main" }), button("Back", leave));
  const fields = [line("Name of the invitee", name), line("E-mail of the invitee", email), ...where.fields];
  const form = element("form", { keydown: enter }, ...fields, ...asked.map(({ field }) => field), buttons);
  return form;
}

// What became of a booking, for a person. `on` has book(confirmation), change(), look() or null, tell(reasons), open(url).
function outcome(result, on) {
  const content = contentOf(result);
  if (!result.isError) return booked(content, on);
  const { kind, confirmation, confirm_url: url } = content.error ?? {};
  const reasons = reasonsOf(result).map((reason) => element("p", {}, reason));
  const change = button("Change the details", () => on.change());
  if (kind === "confirmation_required" && typeof confirmation === "string") {
    return question(reasons, typeof url === "string" ? url : "", on, [() => on.book(confirmation), change]);
  }
  if (kind === "outcome_unknown") {
    // The key is the same, so this looks for the booking and never makes a second one.
    const again = button("Look again", () => on.book(), { class: "main" });
    return element("div", { role: "alert" }, ...reasons, element("div", { class: "actions" }, again));
  }
  const look = on.look ? button("Look up the times again", () => on.look()) : null;
  const tell = button("Tell the assistant", () => on.tell(reasonsOf(result).join(" ")));
  const actions = element("div", { class: "actions" }, change, look, tell);
  return element("div", { role: "alert", class: "problem" }, ...reasons, actions);
}

// The call has to be confirmed: here, or on the server's own page where there is one.
function question(reasons, url, on, [confirm, change]) {
  const opens = url && host.capabilities.openLinks;
  const page = opens ? button("Answer on the page", () => on.open(url)) : null;
  const address = url && !opens ? element("p", {}, `It can be answered at ${url}`) : null;
  const yes = button(url ? "Go on" : "Yes, book it", confirm, { class: "main" });
  return element("div", { role: "alert" }, ...reasons, address, element("div", { class: "actions" }, page, yes, change));
}

function booked({ name, email, cancel_url: cancel, reschedule_url: move }, on) {
  const who = [name, email].filter((text) => typeof text === "string").join(", ");
  const links = host.capabilities.openLinks ? [["Reschedule", move], ["Cancel", cancel]].filter(([, url]) => url) : [];
  return element(
    "div",
    { role: "status", class: "done" },
    element("p", {}, `Booked${who ? ` for ${who}` : ""}. Calendly sends the invitation by e-mail.`),
    element("div", { class: "actions" }, ...links.map(([label, url]) => button(label, () => on.open(url)))),
  );
}
