/** Days as strips: which plan runs when, under the traffic that it is for. */
import { h, svg } from "../shell/dom";
import { text, wholeNumber } from "../shell/text";
import type { Day, ScheduleDocument, Stretch } from "./types";
import { dayWords } from "./words";

const WIDTH = 960;
const CURVE = 96;
const BAR = 26;
const QUARTERS = 96;
const HOURS = [0, 3, 6, 9, 12, 15, 18, 21, 24];
const TONE_COUNT = 6;
/** A plan's name stands in its bar only where it has room. */
const NAMED_QUARTERS = 8;

function quarter(time: string): number {
  const [hour = "0", minute = "0"] = time.split(":");
  return Number(hour) * 4 + Number(minute) / 15;
}

function x(place: number): number {
  return (place / QUARTERS) * WIDTH;
}

/** The tone of each plan, in the document's order; more plans than tones share them, named all the same. */
export function tonesOf(document: ScheduleDocument): Map<string, number> {
  return new Map(document.plans.map((plan, place) => [plan.name, place % TONE_COUNT]));
}

function bar(each: Stretch, tones: Map<string, number>, top: number, height: number): SVGElement[] {
  const [first, until] = [quarter(each.from), quarter(each.until)];
  const tone = each.plan === null ? "none" : String(tones.get(each.plan) ?? 0);
  const parts = [
    svg("rect", { x: x(first), y: top, width: x(until) - x(first), height, class: `strip-bar strip-tone-${tone}` }),
  ];
  if (each.plan !== null && until - first >= NAMED_QUARTERS) {
    const words = each.plan.slice(each.plan.lastIndexOf("-") + 1);
    parts.push(svg("text", { x: (x(first) + x(until)) / 2, y: top + height / 2 + 5, class: "strip-name" }, words));
  }
  return parts;
}

/** The traffic's line; broken where nobody counted. */
function curve(day: Day, most: number): string {
  let path = "";
  let drawing = false;
  day.demand_vph.forEach((vph, place) => {
    if (vph === null) {
      drawing = false;
      return;
    }
    const y = CURVE - (vph / most) * (CURVE - 8);
    path += `${drawing ? "L" : "M"}${x(place).toFixed(1)} ${y.toFixed(1)}L${x(place + 1).toFixed(1)} ${y.toFixed(1)}`;
    drawing = true;
  });
  return path;
}

/** The busiest quarter's traffic, which a strip's curve reaches up to. */
export function busiest(day: Day): number {
  return Math.max(1, ...day.demand_vph.map((each) => each ?? 0));
}

export function dayStrip(day: Day, tones: Map<string, number>): SVGElement {
  const most = busiest(day);
  return svg(
    "svg",
    {
      class: "day-strip",
      viewBox: `0 0 ${WIDTH} ${CURVE + BAR + 22}`,
      role: "img",
      "aria-label": text("schedules.chart", { day: dayWords(day.name) }),
    },
    ...HOURS.map((hour) => svg("line", { x1: x(hour * 4), x2: x(hour * 4), y1: 0, y2: CURVE + BAR, class: "strip-grid" })),
    svg("path", { d: curve(day, most), class: "strip-curve" }),
    ...day.stretches.flatMap((each) => bar(each, tones, CURVE, BAR)),
    ...HOURS.map((hour) =>
      svg(
        "text",
        {
          x: x(hour * 4),
          y: CURVE + BAR + 16,
          class: `strip-hour ${hour === 0 ? "" : hour === 24 ? "strip-hour-last" : "strip-hour-middle"}`,
        },
        `${hour}:00`,
      ),
    ),
  );
}

/** A date's plans alone, as one line of a calendar. */
export function dateStrip(day: Day, tones: Map<string, number>): SVGElement {
  return svg(
    "svg",
    { class: "date-strip", viewBox: `0 0 ${WIDTH} ${BAR}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    ...day.stretches.flatMap((each) => bar(each, tones, 0, BAR).slice(0, 1)),
  );
}

export function legend(document: ScheduleDocument, tones: Map<string, number>): HTMLElement {
  return h(
    "ul",
    { class: "strip-legend" },
    ...document.plans.map((plan) =>
      h(
        "li",
        {},
        h("span", { class: `strip-swatch strip-tone-${tones.get(plan.name) ?? 0}`, "aria-hidden": "true" }),
        text("schedules.cycle", { plan: plan.name, n: wholeNumber(plan.cycle_s) }),
      ),
    ),
    h("li", {}, h("span", { class: "strip-swatch strip-tone-none", "aria-hidden": "true" }), text("schedules.mode.unknown")),
  );
}
