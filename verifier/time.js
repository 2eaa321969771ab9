// Instants as milliseconds since 1970 UTC, days as YYYY-MM-DD, which sort as they follow.
import { LAW } from "./tables.js";

const { forms } = LAW.identifiers;
const INSTANT = new RegExp(`^${forms.instant}$`);
const DAY = new RegExp(`^${forms.day}$`);
const MOMENT =
  /^([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$/;
const [FIRST, LAST] = ["0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"].map(readInstant);
const HOUR = 3600_000;

// Null for any other spelling than 2027-03-05T08:00:00.000Z, and for a 30 February.
export function readInstant(text) {
  if (typeof text !== "string" || !INSTANT.test(text)) return null;
  const [hours, minutes, seconds] = [11, 14, 17].map((at) => Number(text.slice(at, at + 2)));
  if (readDay(text.slice(0, 10)) === null || hours > 23 || minutes > 59 || seconds > 59) return null;
  const [year, month, day] = text.slice(0, 10).split("-").map(Number);
  const moment = new Date(0);
  moment.setUTCFullYear(year, month - 1, day);
  moment.setUTCHours(hours, minutes, seconds, Number(text.slice(20, 23)));
  return moment.getTime();
}

// Of an RFC 3339 time with zone, in milliseconds and parts of them; null for any other.
export function readMoment(text) {
  const [, day, clock, parts = "", zone] = MOMENT.exec(text) ?? [];
  if (day === undefined || readDay(day) === null) return null;
  const base = readInstant(`${day}T${clock}.000Z`);
  if (base === null) return null;
  const [hours, minutes] = zone.length === 1 ? [0, 0] : [zone.slice(1, 3), zone.slice(4)].map(Number);
  const ahead = 60 * hours + minutes;
  if (ahead >= 24 * 60) return null;
  const moment = base - (zone[0] === "-" ? -ahead : ahead) * 60_000;
  if (moment < FIRST || moment > LAST) return null; // it has no time in UTC
  return moment + Number(parts.slice(1, 7).padEnd(6, "0")) / 1000;
}

export function readDay(text) {
  if (typeof text !== "string" || !DAY.test(text)) return null;
  const [year, month, day] = text.split("-").map(Number);
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const lengths = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  const exists = year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= lengths[month - 1];
  return exists ? text : null;
}

export function showInstant(moment) {
  return new Date(moment).toISOString();
}

// Whether some place on earth (UTC-12 to UTC+14) had the date `day` at that moment.
export function isLocalDate(day, moment) {
  const dayAt = (shifted) => showInstant(shifted).slice(0, 10);
  return dayAt(moment - 12 * HOUR) <= day && day <= dayAt(moment + 14 * HOUR);
}
