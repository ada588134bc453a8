/** What a drive measured, in words: a mean with its interval, a difference that may be none. */
import { text } from "../shell/text";
import type { Comparison, Estimate } from "./types";

export const ROWS = ["signal_delay_s", "drain_delay_s", "stops", "longest_wait_s", "safety_violations"] as const;
/** Shown only where there were any. */
export const TROUBLES = ["teleports", "unfinished"] as const;

export type Row = (typeof ROWS)[number] | (typeof TROUBLES)[number];

function figure(value: number, row: Row): string {
  return value.toFixed(row === "stops" ? 2 : 1).replace("-", "−");
}

/** A mean and its interval in the unit of its row. */
export function estimateWords(each: Estimate, row: Row): string {
  const holes = { n: figure(each.mean, row), low: figure(each.low, row), high: figure(each.high, row) };
  return text(row.endsWith("_s") ? "signals.drive_estimate_s" : "signals.drive_estimate", holes);
}

/** What the seeds show: a difference that may be chance is called none. */
export function differenceWords(each: Comparison, row: Row): string {
  const { mean, low, high } = each.difference;
  if (low === 0 && high === 0) return text("signals.drive_same");
  return text(`signals.drive_shown_${each.shown}`, { n: figure(Math.abs(mean), row), low: figure(low, row), high: figure(high, row) });
}
