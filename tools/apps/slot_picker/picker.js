// The picker: what it knows, what it shows of it, and what a person does with it.

const LIST = "list_event_type_available_times";
const SOON = MINUTE;
const LONGEST_QUOTE = 200;
const LONGEST_REASON = 600;
const RESOURCE = /^https?:|^[0-9a-f-]{36}$/i;

const part = (id) => document.getElementById(id);

const known = {
  args: {}, // of the call whose answer is shown
  tool: LIST,
  slots: [], // instants, in order
  looked: [], // stretches of time that were looked at
  zones: [],
  zone: NO_ZONE,
  month: "",
  day: "",
  chosen: null,
  name: "", // of the event type
  isBusy: false,
};

// Times of a range can be asked for again and again by calls with another range.
const canLook = () =>
  Boolean(host.capabilities.serverTools) && ["start_time", "end_time"].every((name) => known.args[name]);
const canBook = () => Boolean(host.capabilities.serverTools) && Boolean(known.args.event_type);

const ownZone = () => [host.context.timeZone, Intl.DateTimeFormat().resolvedOptions().timeZone].find(isZone) ?? NO_ZONE;
const today = () => dayOf(Date.now(), known.zone);
const isLooked = (from, to) => known.looked.some(([start, end]) => start < to && from < end);
const isDayLooked = (day) => isLooked(beginOf(day, known.zone), beginOf(laterDay(day, 1), known.zone));
const spoken = (instant) => `${longDay(dayOf(instant, known.zone))}, ${clock(instant, known.zone)} (${known.zone})`;

function daysOf(month) {
  const days = [];
  for (let day = `${month}-01`; monthOf(day) === month; day = laterDay(day, 1)) days.push(day);
  return days;
}

// The slots of a day. They are put into days once for each answer and zone: a year has thousands.
const sorted = { slots: null, zone: "", days: new Map() };
function slotsOn(day) {
  if (sorted.slots !== known.slots || sorted.zone !== known.zone) {
    Object.assign(sorted, { slots: known.slots, zone: known.zone, days: new Map() });
    for (const slot of known.slots) {
      const its = dayOf(slot, known.zone);
      sorted.days.set(its, [...(sorted.days.get(its) ?? []), slot]);
    }
  }
  return sorted.days.get(day) ?? [];
}

// Takes in an answer: what is open between two instants is now what it says.
function learn(content, instants, from, to) {
  // An answer that was cut says nothing about what comes after its last row.
  const end = content.left_out && instants.length ? Math.max(...instants) + 1 : to;
  const others = known.slots.filter((slot) => slot < from || slot >= end);
  known.slots = [...new Set([...others, ...instants])].sort((one, other) => one - other);
  known.looked.push([from, end]);
}

// The first answer, which the host hands over.
function begin(result) {
  const content = contentOf(result);
  if (result.isError) return say(reasonsOf(result).join(" "));
  const rows = list(content.collection);
  const zone = zoneIn(rows, isZone(known.args.timezone) ? known.args.timezone : ownZone());
  known.zone = zone;
  known.zones = [...new Set([zone, ownZone()])];
  const instants = instantsIn(rows, zone);
  const from = readInstant(known.args.start_time, zone) ?? Math.min(...instants, Date.now());
  const to = readInstant(known.args.end_time, zone) ?? Math.max(...instants, from) + 1;
  learn(content, instants, from, to);
  const first = instants.length ? Math.min(...instants) : Math.max(from, Date.now());
  known.day = dayOf(first, zone);
  known.month = monthOf(known.day);
  const range = `${plainDay(dayOf(from, zone))} to ${plainDay(dayOf(to - 1, zone))}`;
  say(instants.length ? "" : `No open times from ${range}.`);
  part("picker").hidden = false;
  draw();
}

// Looks up a month, from now on.
async function look(month) {
  const from = Math.max(beginOf(`${month}-01`, known.zone), Date.now() + SOON);
  const to = beginOf(`${laterMonth(month, 1)}-01`, known.zone);
  if (known.isBusy || to <= from) return;
  known.isBusy = true;
  say(`Looking up ${monthName(month)}.`);
  const range = { start_time: isoOf(Math.ceil(from / MINUTE) * MINUTE), end_time: isoOf(to), timezone: known.zone };
  const result = await host.call(known.tool, { ...known.args, ...range });
  known.isBusy = false;
  if (result.isError) return say(reasonsOf(result).join(" "));
  const content = contentOf(result);
  learn(content, instantsIn(list(content.collection), known.zone), from, to);
  say(daysOf(month).some((day) => slotsOn(day).length) ? "" : `No open times in ${monthName(month)}.`);
  const isWalking = part("days").contains(document.activeElement); // then the day is the person's own choice
  if (known.month === month && !isWalking && !slotsOn(known.day).length) known.day = firstDayIn(month);
  if (known.month !== month) lookOn(); // the page was turned meanwhile
  draw();
}

const firstDayIn = (month) => {
  const days = daysOf(month).filter((day) => day >= today());
  return days.find((day) => slotsOn(day).length) ?? days[0] ?? `${month}-01`;
};

const isMonthLooked = (month) => daysOf(month).filter((day) => day >= today()).every(isDayLooked);

function mayTurn(months) {
  const month = laterMonth(known.month, months);
  if (month < monthOf(today())) return false;
  return canLook() || daysOf(month).some(isDayLooked);
}

function show(day) {
  const months = monthOf(day) < known.month ? -1 : 1;
  if (day < today() || (monthOf(day) !== known.month && !mayTurn(months))) return;
  known.day = day;
  if (monthOf(day) !== known.month) {
    known.month = monthOf(day);
    lookOn();
  }
  draw();
}

function turn(months) {
  if (!mayTurn(months)) return;
  known.month = laterMonth(known.month, months);
  known.day = firstDayIn(known.month);
  if (canLook() && !isMonthLooked(known.month)) void look(known.month);
  draw();
}

// Who walks from month to month by day gets looked up what has not been.
function lookOn() {
  if (canLook() && !isDayLooked(known.day)) void look(known.month);
}

function choose(instant) {
  known.chosen = instant;
  drawChoice();
  void host.mention(`In the slot picker the user has chosen ${described(instant)}. Nothing is booked yet.`);
}

// The chosen time for the model: exact, and with what came from outside as one quoted, short line.
function described(instant) {
  const type = known.args.event_type;
  const quoted = typeof type === "string" ? `, event_type ${JSON.stringify(type.slice(0, LONGEST_QUOTE))}` : "";
  return `${exactly(instant, known.zone)}: start_time ${isoOf(instant)}${quoted}`;
}

async function tell(more = "") {
  const text = [`Book ${described(known.chosen)}`, more].filter(Boolean).join("\n");
  try {
    await host.say(text);
    step(element("p", { role: "status", class: "done" }, "The conversation has it. Nothing is booked yet."));
  } catch (fault) {
    const sorry = `The conversation did not take it: ${fault.message}. You can copy this text into it:`;
    step(element("div", { role: "alert" }, element("p", {}, sorry), element("pre", { tabindex: "0" }, text)));
  }
}

// The form asks what the event type asks; that is looked up only now, and without it name and e-mail are asked.
async function openForm() {
  step(element("p", { role: "status" }, "Looking up what has to be asked."));
  const start = known.chosen;
  const result = await host.call(LOOK_UP, { event_type: known.args.event_type, detail: "full" });
  if (known.chosen !== start) return;
  const type = result.isError ? {} : contentOf(result);
  if (typeof type.name === "string") known.name = type.name;
  drawSubject();
  const wanted = { event_type: known.args.event_type, start_time: isoOf(start) };
  const form = bookingForm(type, known.zone, (filled) => void book({ ...wanted, ...filled }, form), drawChoice);
  step(form);
  form.querySelector("input").focus();
}

async function book(wanted, form, confirmation) {
  step(element("p", { role: "status" }, "Booking."));
  const once = { ...wanted, idempotency_key: keyFor(wanted) };
  const result = await host.call(BOOK, confirmation ? { ...once, confirmation } : once);
  if (!result.isError) void settle(Date.parse(wanted.start_time), contentOf(result));
  const on = {
    book: (given) => void book(wanted, form, given),
    change: () => step(form),
    look: canLook() ? () => void look(known.month) : null,
    tell: (reasons) => void tell(`In the slot picker this failed: ${JSON.stringify(reasons.slice(0, LONGEST_REASON))}`),
    open: (url) => void open(url),
  };
  step(outcome(result, on));
}

async function open(url) {
  const refused = await host.request("ui/open-link", { url }).then(({ isError }) => isError, () => true);
  if (refused) step(element("p", { role: "alert" }, `The link was not opened: ${url}`));
}

// It is booked: the time is open no longer, and the model must not book it again.
async function settle(start, { uri }) {
  known.slots = known.slots.filter((slot) => slot !== start);
  draw();
  const which = typeof uri === "string" ? `, invitee ${JSON.stringify(uri.slice(0, LONGEST_QUOTE))}` : "";
  const text = `In the slot picker the user has booked ${described(start)}${which}. Do not book it again.`;
  if (!(await host.mention(text))) await host.say(text).catch(() => {});
}

const say = (text) => {
  part("note").textContent = text;
};
const step = (shown) => part("step").replaceChildren(shown);

function draw() {
  drawSubject();
  drawZones();
  const times = (day) => (isDayLooked(day) ? slotsOn(day) : null);
  const firstDay = firstWeekday(host.context.locale);
  drawCalendar({ month: known.month, day: known.day, today: today(), firstDay, times, mayTurn }, show);
  drawExtent();
  drawTimes();
}

function drawSubject() {
  const asked = known.args.event_type;
  const name = known.name || (typeof asked === "string" && !RESOURCE.test(asked) ? asked : "");
  part("subject").textContent = name;
  part("subject").hidden = !name;
}

function drawZones() {
  if (known.zones.length < 2) return part("zones").replaceChildren(element("p", { class: "quiet" }, known.zone));
  if (part("zones").querySelector("select")) return;
  const options = known.zones.map((zone) => element("option", { value: zone }, zone));
  const change = (event) => {
    const slot = slotsOn(known.day)[0] ?? beginOf(known.day, known.zone);
    known.zone = event.target.value;
    known.day = dayOf(known.chosen ?? slot, known.zone);
    known.month = monthOf(known.day);
    draw();
    if (known.chosen !== null) drawChoice();
  };
  part("zones").replaceChildren(element("label", {}, "Time zone ", element("select", { change }, ...options)));
}

function drawExtent() {
  const days = daysOf(known.month).filter((day) => day >= today());
  if (isMonthLooked(known.month)) return part("extent").replaceChildren();
  const looked = days.filter(isDayLooked);
  const text = looked.length
    ? `Looked up: ${plainDay(looked[0])} to ${plainDay(looked.at(-1))}.`
    : `${monthName(known.month)} was not looked up.`;
  const more = canLook() ? button(`Look up all of ${monthName(known.month)}`, () => void look(known.month)) : null;
  part("extent").replaceChildren(...[element("p", { class: "quiet" }, text), more].filter(Boolean));
}

function drawTimes() {
  const slots = slotsOn(known.day);
  part("day").textContent = longDay(known.day);
  const none = isDayLooked(known.day) ? "No open times on this day." : "This day was not looked up.";
  part("times").replaceChildren(
    ...(slots.length ? slots.map(timeOption) : [element("p", { class: "quiet" }, none)]),
  );
}

function timeOption(slot) {
  const radio = element("input", { type: "radio", name: "time", value: slot, change: () => choose(slot) });
  radio.checked = slot === known.chosen;
  return element("label", { class: "time" }, radio, clock(slot, known.zone));
}

function drawChoice() {
  part("choice").hidden = false;
  part("chosen").textContent = spoken(known.chosen);
  const others = known.zones.filter((zone) => zone !== known.zone);
  part("elsewhere").textContent = others
    .map((zone) => `${longDay(dayOf(known.chosen, zone))}, ${clock(known.chosen, zone)} in ${zone}`)
    .join(" · ");
  const form = canBook() ? button("Book it here", () => void openForm()) : null;
  step(element("div", { class: "actions" }, button("Ask to book this time", () => void tell(), { class: "main" }), form));
}

Object.assign(host.heard, {
  ping: () => ({}),
  "ui/resource-teardown": () => ({}),
  "ui/notifications/tool-input": ({ arguments: args }) => {
    known.args = args ?? {};
  },
  "ui/notifications/tool-result": (result) => begin(result),
  "ui/notifications/tool-cancelled": () => say("The look-up was stopped."),
  "ui/notifications/host-context-changed": (changed) => {
    Object.assign(host.context, changed);
    wear(host.context);
    if (known.day) draw();
  },
});

// Looks as the host does.
function wear({ theme, styles, locale: language, safeAreaInsets: insets, toolInfo }) {
  const root = document.documentElement.style;
  if (theme === "light" || theme === "dark") root.colorScheme = theme;
  for (const [name, value] of Object.entries(styles?.variables ?? {})) {
    if (/^--[a-z0-9-]+$/.test(name) && typeof value === "string") root.setProperty(name, value);
  }
  if (insets) root.padding = ["top", "right", "bottom", "left"].map((side) => `${Number(insets[side]) || 0}px`).join(" ");
  if (language) speak(language);
  if (toolInfo?.tool?.name) known.tool = toolInfo.tool.name;
}

part("earlier").addEventListener("click", () => turn(-1));
part("later").addEventListener("click", () => turn(1));
part("days").addEventListener("keydown", (event) => {
  const day = walked(event, firstWeekday(host.context.locale));
  if (day === null) return;
  event.preventDefault();
  show(day);
});
host.connect().catch((fault) => say(`The host did not answer: ${fault.message}`));
