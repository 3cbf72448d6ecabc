"use strict";
// Instants, and what the clocks of a zone show. An instant is a number of milliseconds, as Date has it; a wall time is
// the same kind of number for what a clock shows, read as if it were UTC.

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const ISO_TIME = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?(Z|[+-]\d\d:?\d\d)?$/i;
const NO_ZONE = "UTC";
const PLAIN = "en-US-u-ca-gregory-nu-latn";

let locale = "en-GB";
const formatters = new Map();

function formatter(zone, options, language = locale) {
  const key = JSON.stringify([language, zone, options]);
  if (!formatters.has(key)) formatters.set(key, new Intl.DateTimeFormat(language, { timeZone: zone, ...options }));
  return formatters.get(key);
}

// The texts here are English, so only the clock and the order of a date follow a person's language.
function speak(language) {
  try {
    const wanted = new Intl.Locale(language);
    const { hourCycle } = new Intl.DateTimeFormat(wanted, { hour: "numeric" }).resolvedOptions();
    locale = `${wanted.language === "en" ? wanted.baseName : "en-GB"}-u-hc-${hourCycle}`;
  } catch {
    locale = "en-GB"; // it is no language tag
  }
}

// 1 for Monday to 7 for Sunday, in the person's own region.
function firstWeekday(language) {
  try {
    const wanted = new Intl.Locale(language);
    return (wanted.getWeekInfo?.() ?? wanted.weekInfo)?.firstDay ?? 1;
  } catch {
    return 1;
  }
}

function isZone(name) {
  try {
    return typeof name === "string" && name !== "" && Boolean(formatter(name, {}, PLAIN));
  } catch {
    return false;
  }
}

function readWall(instant, zone) {
  const options = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric" };
  const parts = formatter(zone, { ...options, second: "numeric", hourCycle: "h23" }, PLAIN).formatToParts(instant);
  const { year, month, day, hour, minute, second } = Object.fromEntries(parts.map((part) => [part.type, +part.value]));
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

// How far the clocks of a zone are ahead of UTC for days around a time, null where that changes. Reading clocks is slow,
// and a year has thousands of times on a few hundred days.
const steady = new Map();
function steadyOffset(time, zone) {
  const day = Math.floor(time / DAY);
  const key = `${zone} ${day}`;
  if (!steady.has(key)) {
    const [before, after] = [day - 1, day + 2].map((edge) => readWall(edge * DAY, zone) - edge * DAY);
    steady.set(key, before === after ? before : null);
  }
  return steady.get(key);
}

function wallOf(instant, zone) {
  const offset = steadyOffset(instant, zone);
  return offset === null ? readWall(instant, zone) : instant + offset;
}

// When the clocks of a zone show a wall time: once, twice where they are put back, never where they are put forward.
function instantsOf(wall, zone) {
  const offset = steadyOffset(wall, zone);
  if (offset !== null) return [wall - offset];
  const offsets = [wall - DAY, wall + DAY].map((near) => wallOf(near, zone) - near);
  const instants = [...new Set(offsets)].map((offset) => wall - offset);
  return instants.filter((instant) => wallOf(instant, zone) === wall).sort((one, other) => one - other);
}

// The first instant of a day such as 2026-12-01, also where clocks are put forward at midnight.
function beginOf(day, zone) {
  const wall = wallOfDay(day);
  const [first] = instantsOf(wall, zone);
  return first ?? Math.min(...[wall - DAY, wall + DAY].map((near) => wall - (wallOf(near, zone) - near)));
}

const wallOfDay = (day) => Date.parse(`${day}T00:00:00Z`);
const dayOfWall = (wall) => new Date(wall).toISOString().slice(0, 10);
const dayOf = (instant, zone) => dayOfWall(wallOf(instant, zone));
const isoOf = (instant) => new Date(instant).toISOString().replace(".000Z", "Z");

// An ISO 8601 time as an instant, null for what is none; without an offset it is read in a zone.
function readInstant(text, zone) {
  const found = typeof text === "string" ? ISO_TIME.exec(text) : null;
  if (!found) return null;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map((digits) => Number(digits ?? 0));
  const wall = Date.UTC(year, month - 1, day, hour, minute, second);
  if (!found[7]) return instantsOf(wall, zone)[0] ?? null;
  const [, sign, hours, minutes] = /([+-])(\d\d):?(\d\d)/.exec(found[7]) ?? [null, "+", 0, 0];
  return wall - (sign === "-" ? -1 : 1) * (hours * 60 + Number(minutes)) * MINUTE;
}

// The instants of an answer's rows: {date, timezone, times} for each day, or {start_time} for each slot.
function instantsIn(rows, zone) {
  const instants = rows.flatMap((row) => {
    const rowZone = zoneIn([row], zone);
    if (Array.isArray(row?.times)) return row.times.map((time) => readInstant(`${row.date}T${time}`, rowZone));
    return (row?.status ?? "available") === "available" ? [readInstant(row?.start_time, zone)] : [];
  });
  return instants.filter((instant) => instant !== null);
}

const zoneIn = (rows, other) => rows.map((row) => row?.timezone).find(isZone) ?? other;

// 09:00 or 9:00 AM; where the clocks show it twice that day, with its offset.
function clock(instant, zone, language = locale) {
  const isTwice = instantsOf(wallOf(instant, zone), zone).length > 1;
  const offset = isTwice ? { timeZoneName: "shortOffset" } : {};
  const { hour12 } = formatter(zone, { hour: "numeric" }, language).resolvedOptions();
  const hour = hour12 ? "numeric" : "2-digit";
  return formatter(zone, { hour, minute: "2-digit", ...offset }, language).format(instant);
}

const longDay = (day) =>
  formatter("UTC", { weekday: "long", day: "numeric", month: "long", year: "numeric" }).format(wallOfDay(day));
const plainDay = (day) =>
  formatter("UTC", { day: "numeric", month: "long", year: "numeric" }).format(wallOfDay(day));

// Tue, 1 Dec 2026, 10:00 (Europe/Berlin), for a model: the same for everybody.
function exactly(instant, zone) {
  const day = formatter(zone, { weekday: "short", day: "numeric", month: "short", year: "numeric" }, "en-GB");
  return `${day.format(instant)}, ${clock(instant, zone, "en-GB")} (${zone})`;
}
const monthName = (month) => formatter("UTC", { month: "long", year: "numeric" }).format(wallOfDay(`${month}-01`));

const laterDay = (day, days) => dayOfWall(wallOfDay(day) + days * DAY);
const monthOf = (day) => day.slice(0, 7);
function laterMonth(month, months) {
  const [year, number] = month.split("-").map(Number);
  return monthOf(dayOfWall(Date.UTC(year, number - 1 + months, 1)));
}
