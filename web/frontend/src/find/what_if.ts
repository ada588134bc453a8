/** What the stay costs if one leaves earlier or later: priced at once, explained line by line. */
import { act } from "../api/client";
import type { NearBay, Quote } from "../api/types";
import { instant } from "../format/time";
import { moment, price } from "../format/words";
import { feeTable } from "../panels/fee";
import { h, replace, write } from "../shell/dom";
import { problemText } from "../shell/states";
import { text } from "../shell/text";
import { traitsOf, type Vehicle } from "./wish";
import { lengthText } from "./words";

export const STEPS_MIN = [
  15, 30, 45, 60, 75, 90, 105, 120, 150, 180, 210, 240, 300, 360, 420, 480, 600, 720, 960, 1_440,
] as const;
const SETTLE_MS = 120;
const MINUTE_MS = 60_000;

/** The step nearest to a length in minutes. Pure. */
export function nearestStep(minutes: number): number {
  let best = 0;
  STEPS_MIN.forEach((step, index) => {
    if (Math.abs(step - minutes) < Math.abs((STEPS_MIN[best] ?? 0) - minutes)) best = index;
  });
  return best;
}

export function whatIf(found: NearBay, vehicle: Vehicle, leaveMs: number): HTMLElement {
  const enterMs = Math.floor(instant(found.arrive_at) / MINUTE_MS) * MINUTE_MS;
  const first = nearestStep((leaveMs - enterMs) / MINUTE_MS);
  const total = h("output", { class: "what-if-total", for: "what-if", id: "what-if-total" });
  const words = h("span", { class: "what-if-words" });
  const lines = h("div", { class: "what-if-lines" });
  const slider = h("input", {
    class: "slider",
    id: "what-if",
    type: "range",
    min: 0,
    max: STEPS_MIN.length - 1,
    step: 1,
    value: first,
  });
  let asked = 0;
  let timer: ReturnType<typeof setTimeout> | null = null;

  const stepMin = (): number => STEPS_MIN[Number(slider.value)] ?? 60;
  const say = (): void => {
    const at = moment(enterMs + stepMin() * MINUTE_MS);
    const told = text("find.leave_at", { at, length: lengthText(stepMin()) });
    write(words, told);
    slider.setAttribute("aria-valuetext", told);
  };
  const ask = async (leave: number): Promise<void> => {
    const mine = ++asked;
    total.setAttribute("aria-busy", "true");
    try {
      const quote = await act<Quote>("POST", "/api/v1/quotes", {
        facility_id: found.bay.facility_id,
        enter_at: new Date(enterMs).toISOString(),
        leave_at: new Date(leave).toISOString(),
        ...traitsOf(vehicle),
      });
      if (mine !== asked) return;
      write(total, price(quote.total));
      replace(
        lines,
        feeTable(quote.lines, quote.total, text("find.price_of_stay")),
        h("p", { class: "note" }, text("quote.source", { tariff: quote.tariff })),
      );
    } catch (error) {
      if (mine !== asked) return;
      write(total, text("find.price_unknown"));
      replace(lines, h("p", { class: "note", role: "alert" }, problemText(error)));
    } finally {
      if (mine === asked) total.removeAttribute("aria-busy");
    }
  };

  slider.addEventListener("input", () => {
    say();
    if (timer) clearTimeout(timer);
    timer = setTimeout(() => void ask(enterMs + stepMin() * MINUTE_MS), SETTLE_MS);
  });
  write(total, found.price_total ? price(found.price_total) : text("find.price_unknown"));
  say();
  // The stay that was asked for, to the minute: the list and this panel show one price.
  const wholeMs = Math.max(leaveMs, enterMs + MINUTE_MS);
  const told = text("find.leave_at", {
    at: moment(wholeMs),
    length: lengthText(Math.round((wholeMs - enterMs) / MINUTE_MS)),
  });
  write(words, told);
  slider.setAttribute("aria-valuetext", told);
  if (found.price_total) void ask(wholeMs);

  return h(
    "section",
    { class: "panel-section" },
    h("h3", {}, text("find.price_of_stay")),
    h("p", { class: "what-if-head" }, total, words),
    h("label", { class: "visually-hidden", for: "what-if" }, text("find.what_if")),
    slider,
    h(
      "p",
      { class: "slider-ends", "aria-hidden": "true" },
      h("span", {}, lengthText(STEPS_MIN[0])),
      h("span", {}, text("find.what_if")),
      h("span", {}, lengthText(STEPS_MIN.at(-1) ?? 0)),
    ),
    lines,
  );
}
