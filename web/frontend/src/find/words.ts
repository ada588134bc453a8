/** A candidate in words: what list, panel and markers say alike. */
import type { NearBay } from "../api/types";
import { shortLabel } from "../format/labels";
import { instant } from "../format/time";
import { moment, percent } from "../format/words";
import { text, wholeNumber } from "../shell/text";

/** Whole minutes of a way, never 0: '1 min'. */
export function minutesText(seconds: number): string {
  return text("lasting.minutes", { minutes: wholeNumber(Math.max(1, Math.round(seconds / 60))) });
}

export function metresText(metres: number): string {
  return text("find.metres", { n: wholeNumber(metres < 100 ? metres : Math.round(metres / 10) * 10) });
}

/** '30 min', '1 h 30 min', '24 h'. */
export function lengthText(minutes: number): string {
  if (minutes < 60) return text("lasting.minutes", { minutes });
  const rest = minutes % 60;
  const hours = Math.floor(minutes / 60);
  return rest
    ? text("lasting.hours", { hours, minutes: String(rest).padStart(2, "0") })
    : text("quote.hours", { n: hours });
}

/** A bay's number as painted. */
export function painted(found: NearBay): string {
  return shortLabel(found.bay.label, found.facility_code);
}

export function chanceText(found: NearBay): string {
  return found.chance_free === null ? "?" : `${percent(found.chance_free * 1_000)} %`;
}

export interface Restriction {
  readonly key: "height" | "max_stay" | "ends" | "kind";
  readonly words: string;
  readonly warns: boolean;
}

/**
 * What a stay here has to keep to. `leaveMs`: when the driver means to leave; a bay that may not
 * be used until then is a warning, and so is a stay longer than is permitted.
 */
export function restrictionsOf(found: NearBay, leaveMs: number): Restriction[] {
  const { limits, max_stay_min: longest, ends_at: ends, why, reason } = found.restrictions;
  const told: Restriction[] = [];
  if (ends) {
    const endsMs = instant(ends);
    const at = moment(endsMs);
    const words = reason ? text("find.ends.reason", { at, reason }) : text(`find.ends.${why ?? "rule"}`, { at });
    told.push({ key: "ends", words, warns: endsMs < leaveMs });
  }
  if (longest !== null) {
    const tooLong = leaveMs - instant(found.arrive_at) > longest * 60_000;
    told.push({ key: "max_stay", words: text("find.max_stay", { length: lengthText(longest) }), warns: tooLong });
  }
  if (limits.max_height_m !== null) {
    const words = text("find.max_height", { n: limits.max_height_m.toFixed(1) });
    told.push({ key: "height", words, warns: false });
  }
  if (found.bay.kind === "disabled") {
    told.push({ key: "kind", words: text("find.disabled_right"), warns: true });
  }
  return told;
}

/** Sensors that have been silent so long make a state look old: as the map has it. */
export const STALE_S = 2 * 3_600;
