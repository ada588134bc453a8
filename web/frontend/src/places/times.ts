/** Opening hours and rules by time in words: as a person would say them. Pure. */
import { locale, named, text } from "../shell/text";

export const DAYS = ["mo", "tu", "we", "th", "fr", "sa", "su"] as const;
export type Day = (typeof DAYS)[number];
export const HOLIDAYS = ["any", "except", "only"] as const;
export const ACTIVITIES = ["parking", "no_parking", "standing", "no_standing", "loading", "no_loading"] as const;

/** When something holds, as the API keeps it; a clause that is missing does not narrow it. */
export interface Span {
  readonly days?: readonly Day[];
  readonly times?: readonly (readonly [from: string, until: string])[];
  readonly holidays?: (typeof HOLIDAYS)[number];
  readonly [clause: string]: unknown;
}

export interface Rule {
  readonly activity: (typeof ACTIVITIES)[number];
  readonly when?: readonly Span[];
  readonly reason?: string;
  readonly max_stay_min?: number;
  readonly [member: string]: unknown;
}

const MONDAY_MS = Date.UTC(2024, 0, 1);
const DAY_MS = 86_400_000;
const SPOKEN_CLAUSES = new Set(["days", "times", "holidays"]);
const SPOKEN_MEMBERS = new Set(["activity", "when", "reason", "max_stay_min"]);

export function dayName(day: Day): string {
  return new Intl.DateTimeFormat(locale(), { timeZone: "UTC", weekday: "short" }).format(
    MONDAY_MS + DAYS.indexOf(day) * DAY_MS,
  );
}

/** Days as runs: three and more in a row are said by the first and the last. */
export function daysText(days: readonly Day[]): string {
  const numbers = days.map((day) => DAYS.indexOf(day)).sort((a, b) => a - b);
  const runs: number[][] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last && last.at(-1) === number - 1) last.push(number);
    else runs.push([number]);
  }
  const name = (number: number | undefined): string => dayName(DAYS[number ?? 0] ?? "mo");
  return runs
    .map((run) => (run.length > 2 ? `${name(run[0])}–${name(run.at(-1))}` : run.map(name).join(text("permits.joint"))))
    .join(text("permits.joint"));
}

/** The clauses that have no field and no words of their own. */
export function otherClauses(span: Span): Record<string, unknown> {
  return Object.fromEntries(Object.entries(span).filter(([name]) => !SPOKEN_CLAUSES.has(name)));
}

/** The members of a rule that have no field and no words of their own. */
export function otherMembers(rule: Rule): Record<string, unknown> {
  return Object.fromEntries(Object.entries(rule).filter(([name]) => !SPOKEN_MEMBERS.has(name)));
}

function others(found: Record<string, unknown>): string | null {
  return Object.keys(found).length ? JSON.stringify(found) : null;
}

export function spanText(span: Span): string {
  const parts = [
    span.days?.length ? daysText(span.days) : null,
    span.times?.length
      ? span.times.map(([from, until]) => `${from}–${until}`).join(text("permits.joint"))
      : null,
    span.holidays && span.holidays !== "any" ? named("places.holidays", span.holidays) : null,
    others(otherClauses(span)),
  ].filter((part) => part !== null);
  return parts.length ? parts.join(" ") : text("places.at_all_times");
}

export function hoursText(opening: readonly Span[]): string {
  return opening.length ? opening.map(spanText).join(text("places.or")) : text("places.always_open");
}

export function ruleText(rule: Rule): string {
  return [
    named("activity", rule.activity),
    (rule.when ?? []).map(spanText).join(text("places.or")) || text("places.at_all_times"),
    rule.max_stay_min ? text("places.at_most_min", { minutes: rule.max_stay_min }) : null,
    rule.reason || null,
    others(otherMembers(rule)),
  ]
    .filter(Boolean)
    .join(" · ");
}
