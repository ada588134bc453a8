/** What a plan did on the street, in words: a figure in its unit, with what is not known of it. */
import type { components } from "../api/schema";
import { text } from "../shell/text";

type Schemas = components["schemas"];
export type Effect = Schemas["SignalEffectOut"];
export type Figures = Schemas["EffectFiguresOut"];
type Comparison = Schemas["EffectComparisonOut"];
type Estimate = Schemas["EffectEstimateOut"];

export const MEASURES = ["delay_s", "on_green", "split_failures", "flow_vph"] as const;
export type Measure = (typeof MEASURES)[number];

const PERCENT = 100;

function figure(value: number, measure: Measure): string {
  const shown = measure === "delay_s" ? value.toFixed(1) : measure === "flow_vph" ? value.toFixed(0) : (value * PERCENT).toFixed(1);
  return shown.replace("-", "−");
}

/** A mean with its interval; what cannot be below nothing is not told so. */
export function estimateWords(each: Estimate, measure: Measure): string {
  const n = figure(each.mean, measure);
  if (each.low === null || each.high === null) return text(`effect.mean_${measure}`, { n });
  const most = measure === "on_green" || measure === "split_failures" ? 1 : Infinity;
  const low = figure(Math.max(each.low, 0), measure);
  return text(`effect.estimate_${measure}`, { n, low, high: figure(Math.min(each.high, most), measure) });
}

/** What the days show: a difference that may be chance is called none. */
export function differenceWords(each: Comparison, measure: Measure): string {
  const { mean, low, high } = each.difference;
  if (low === null || high === null) return text("effect.shown_unknown", { n: (mean > 0 ? "+" : "") + figure(mean, measure) });
  const holes = { n: figure(Math.abs(mean), measure), low: figure(low, measure), high: figure(high, measure) };
  return text(each.shown === "less" ? "signals.drive_shown_less" : each.shown === "more" ? "signals.drive_shown_more" : "signals.drive_shown_none", holes);
}

/** How far what the model foretold lies from what the days show. */
export function foretoldWords(predicted: number | null, each: Comparison | null): string {
  if (predicted === null) return "–";
  const n = (predicted > 0 ? "+" : "") + figure(predicted, "delay_s");
  const { low = null, high = null } = each?.difference ?? {};
  if (low === null || high === null) return text("effect.foretold_alone", { n });
  return text(predicted >= low && predicted <= high ? "effect.foretold_within" : "effect.foretold_beside", { n });
}
