/** Permits in words: places, hours, limits and prices as a person would say them. Pure. */
import type { Facility, Permit } from "../api/types";
import { instant } from "../format/time";
import { inLanguage, price } from "../format/words";
import { zone } from "../shell/clock";
import { counted, locale, named, text } from "../shell/text";

export const STATES = ["valid", "coming", "ended", "revoked"] as const;
export type PermitState = (typeof STATES)[number];
export const TONES: Readonly<Record<PermitState, string>> = {
  valid: "good",
  coming: "plain",
  ended: "plain",
  revoked: "danger",
};

/** A day of the city; a permit ends with the midnight after its last one. */
function dayText(atMs: number): string {
  return new Intl.DateTimeFormat(locale(), { timeZone: zone(), dateStyle: "medium" }).format(atMs);
}

export function firstDay(permit: Permit): string {
  return dayText(instant(permit.valid_from));
}

export function lastDay(permit: Pick<Permit, "valid_until">): string {
  return dayText(instant(permit.valid_until) - 1);
}

export function placesText(permit: Permit, facilities: readonly Facility[]): string {
  const [first, ...more] = permit.facility_ids;
  const known = facilities.find((one) => one.id === first);
  const name = known ? inLanguage(known.name.zh, known.name.en) : text("permits.unknown_place");
  return more.length ? text("permits.and_more", { name, n: more.length }) : name;
}

export function hoursText(permit: Pick<Permit, "hours">): string {
  if (permit.hours.length === 0) return text("permits.always");
  return permit.hours
    .map((window) =>
      text("permits.window", {
        from: window.from,
        until: window.until,
        days: named("permits.days", window.days),
      }),
    )
    .join(text("permits.joint"));
}

export function limitText(permit: Permit): string {
  return permit.concurrent_limit === null
    ? text("permits.every_car")
    : counted("permits.at_a_time", permit.concurrent_limit);
}

export function allowanceText(permit: Pick<Permit, "allowance">): string | null {
  if (!permit.allowance) return null;
  const minutes = Math.round(permit.allowance.free_s / 60);
  return text(permit.allowance.per === "day" ? "permits.free_day" : "permits.free_stay", { minutes });
}

export function overstayText(permit: Permit): string | null {
  const terms = permit.overstay;
  if (!terms) return null;
  const words = text("permits.overstay_terms", {
    price: price(terms.price),
    unit: Math.round(terms.unit_s / 60),
    grace: Math.round(terms.grace_s / 60),
  });
  return terms.cap ? words + text("permits.overstay_cap", { cap: price(terms.cap) }) : words;
}

/** One plate a line, its kind after a blank or comma where the text alone does not tell it. */
export function writtenPlates(typed: string, kind: string): { plate: string; kind: string | null }[] {
  return typed
    .split(/[\n;；]/)
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => {
      const [plate = "", own] = line.split(/[\s,，]+/);
      return { plate, kind: own ?? (kind || null) };
    });
}
