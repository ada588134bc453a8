/** Places in words. Pure but for the catalogue. */
import { instant } from "../format/time";
import { exactly } from "../format/words";
import { named, text, wholeNumber } from "../shell/text";
import { h } from "../shell/dom";
import { PURPOSES, type ByPurpose, type Purpose } from "./registry";
import { hoursText, ruleText, type Rule, type Span } from "./times";

export const OWNERSHIPS = ["public", "roadside", "commercial", "institutional", "residential"] as const;
export const FACILITY_KINDS = ["kerb", "lot", "garage", "mechanical"] as const;
export const REVENUES = ["commercial", "public_non_tax"] as const;
export const ONBOARDINGS = [
  "proposed",
  "surveyed",
  "contracted",
  "connected",
  "live",
  "suspended",
  "withdrawn",
] as const;
export const TITLES = ["unknown", "claimed", "verified", "disputed"] as const;
export const BAY_KINDS = [
  "standard",
  "disabled",
  "charging",
  "coach",
  "lorry",
  "loading",
  "motorcycle",
] as const;
export const GROUNDS = ["unknown", "carriageway", "non_motor_lane", "pavement", "off_street"] as const;
export const ZONE_KINDS = ["stretch", "area", "level"] as const;

const ONBOARDING_TONES: Readonly<Record<string, string>> = {
  live: "tag-good",
  suspended: "tag-warning",
  withdrawn: "tag-danger",
};
const TITLE_TONES: Readonly<Record<string, string>> = {
  verified: "tag-good",
  disputed: "tag-danger",
};

/** The words of one enumeration, for a list to choose from. */
export function wordsFor(prefix: string, values: readonly string[]): [string, string][] {
  return values.map((value) => [value, named(prefix, value)]);
}

export function purposeWord(purpose: Purpose): string {
  return named("purpose", purpose);
}

/** '24 public · 2 reserved · 4 permit'; purposes that have none are left out, public stays. */
export function purposesText(counts: ByPurpose): string {
  return PURPOSES.filter((purpose) => purpose === "public" || counts[purpose] > 0)
    .map((purpose) => text("places.of_purpose", { n: wholeNumber(counts[purpose]), purpose: purposeWord(purpose) }))
    .join(" · ");
}

export function onboardingTag(state: string): HTMLElement {
  return h("span", { class: `tag ${ONBOARDING_TONES[state] ?? ""}` }, named("onboarding", state));
}

export function titleTag(state: string): HTMLElement {
  return h("span", { class: `tag ${TITLE_TONES[state] ?? ""}` }, named("title", state));
}

/** A kept value as a person reads it; what has no words of its own is shown as it is kept. */
export function valueText(field: string, value: unknown): string {
  if (value === null || value === undefined || value === "") return text("places.nothing");
  if (field.endsWith("_at") && typeof value === "string") return exactly(instant(value));
  if (typeof value === "string") {
    const prefix = PREFIXES[field];
    return prefix ? named(prefix, value) : value;
  }
  if (field === "opening") return hoursText(value as readonly Span[]);
  if (field === "rules" && Array.isArray(value) && value.length) return (value as readonly Rule[]).map(ruleText).join("; ");
  if (Array.isArray(value)) return value.length ? JSON.stringify(value) : text("places.nothing");
  if (typeof value === "object") {
    return Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([name, inner]) => `${named("places.field", name)}: ${String(inner)}`)
      .join(", ") || text("places.nothing");
  }
  return String(value);
}

const PREFIXES: Readonly<Record<string, string>> = {
  ownership: "facility.ownership",
  kind: "place.kind",
  revenue_nature: "facility.revenue",
  onboarding: "onboarding",
  title: "title",
  purpose: "purpose",
  ground: "ground",
  located: "located",
};
