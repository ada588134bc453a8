/** A plan's stages, as `signals/rules/life/parts.py` finds them, and seconds moved between them. */
import type { Interval, Plan } from "./types";

const STEADY = new Set(["green", "permissive_green"]);
const WAITING = new Set(["red", "turn_on_red"]);

export interface Stage {
  /** Place of its interval. */
  readonly interval: number;
  readonly groups: readonly string[];
  readonly greenS: number;
  /** From its end to the next stage. */
  readonly changeS: number;
}

export function cycleS(plan: Plan): number {
  return plan.intervals.reduce((sum, each) => sum + each.duration_s, 0);
}

export function stretches(interval: Interval): boolean {
  const shows = Object.values(interval.shows);
  return (
    interval.duration_s > 0 &&
    shows.some((aspect) => STEADY.has(aspect)) &&
    shows.every((aspect) => STEADY.has(aspect) || WAITING.has(aspect))
  );
}

export function stagesOf(plan: Plan): Stage[] {
  const places = plan.intervals.flatMap((each, i) => (stretches(each) ? [i] : []));
  const lasts = plan.intervals.map((each) => each.duration_s);
  return places.map((place, number) => {
    const following = places[(number + 1) % places.length] ?? place;
    const between =
      following > place
        ? lasts.slice(place + 1, following)
        : [...lasts.slice(place + 1), ...lasts.slice(0, following)];
    const shows = plan.intervals[place]?.shows ?? {};
    return {
      interval: place,
      groups: Object.keys(shows).filter((group) => STEADY.has(shows[group] ?? "")),
      greenS: lasts[place] ?? 0,
      changeS: between.reduce((sum, each) => sum + each, 0),
    };
  });
}

/** How long a stage's green is with the flashing end of those who go no further. */
export function greenWithFlashing(plan: Plan, stage: Stage): number {
  let greenS = stage.greenS;
  for (let step = 1; step < plan.intervals.length; step++) {
    const each = plan.intervals[(stage.interval + step) % plan.intervals.length];
    if (!each || !Object.values(each.shows).some((aspect) => aspect === "flashing_green" || aspect === "flashing_permissive_green")) break;
    greenS += each.duration_s;
  }
  return greenS;
}

/** Give a plan with another length of one green. */
export function withGreen(plan: Plan, interval: number, greenS: number): Plan {
  return {
    ...plan,
    intervals: plan.intervals.map((each, i) => (i === interval ? { ...each, duration_s: greenS } : each)),
  };
}

/** Move seconds from the stage after a boundary to the one before it; neither below a second. */
export function movedBoundary(plan: Plan, stage: number, seconds: number): Plan {
  const stages = stagesOf(plan);
  const before = stages[stage];
  const after = stages[(stage + 1) % stages.length];
  if (!before || !after || before === after) return plan;
  const most = Math.max(1 - before.greenS, Math.min(seconds, after.greenS - 1));
  return withGreen(
    withGreen(plan, before.interval, before.greenS + most),
    after.interval,
    after.greenS - most,
  );
}

/** When a group is green in a plan: beginnings and lengths, without the offset. */
export function greensOf(plan: Plan, group: string): [number, number][] {
  const shown = plan.intervals.map((each) => (each.shows[group] ?? "red").includes("green"));
  const whole = cycleS(plan);
  if (shown.every(Boolean)) return [[0, whole]];
  const starts: number[] = [];
  plan.intervals.reduce((at, each) => (starts.push(at), at + each.duration_s), 0);
  const count = shown.length;
  const found: [number, number][] = [];
  for (let i = 0; i < count; i++) {
    if (!shown[i] || shown[(i + count - 1) % count]) continue;
    let lengthS = 0;
    for (let step = 0; shown[(i + step) % count]; step++) {
      lengthS += plan.intervals[(i + step) % count]?.duration_s ?? 0;
    }
    found.push([starts[i] ?? 0, lengthS]);
  }
  return found;
}
