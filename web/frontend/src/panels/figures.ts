/** The recurring figures: a stacked bar of states, their legend, a measure of certainty. */
import { glyph } from "../glyphs/inline";
import type { BayState } from "../glyphs/shapes";
import { shares, total, type Counts } from "../live/occupancy";
import { h, write } from "../shell/dom";
import { text, wholeNumber } from "../shell/text";
import { percent } from "../format/words";

export const STATES: readonly BayState[] = ["free", "occupied", "unknown"];

export function countsLabel(counts: Counts): string {
  return text("counts.label", {
    free: counts.free,
    occupied: counts.occupied,
    unknown: counts.unknown,
    total: total(counts),
  });
}

export interface Updated<T> {
  readonly element: HTMLElement;
  readonly update: (value: T) => void;
}

/** A bar of three parts whose widths are the shares of free, taken and unknown. */
export function occupancyBar(): Updated<Counts> {
  const parts = STATES.map((state) => h("span", { class: `part part-${state}` }));
  const element = h("div", { class: "bar-stack", role: "img" }, ...parts);
  return {
    element,
    update(counts) {
      const widths = shares(STATES.map((state) => counts[state]));
      parts.forEach((part, index) => {
        part.style.flexGrow = String(widths[index] ?? 0);
        part.hidden = !widths[index];
      });
      element.setAttribute("aria-label", countsLabel(counts));
    },
  };
}

/** Glyph, word and number of each state, in one line. */
export function legend(): Updated<Counts> {
  const numbers = new Map<BayState, HTMLElement>();
  const element = h(
    "ul",
    { class: "legend" },
    ...STATES.map((state) => {
      const number = h("span", { class: "number" });
      numbers.set(state, number);
      return h("li", {}, glyph(state), h("span", { class: "word" }, text(`state.${state}`)), number);
    }),
  );
  return {
    element,
    update(counts) {
      for (const [state, number] of numbers) write(number, wholeNumber(counts[state]));
    },
  };
}

/** How sure a state is, as a meter with its number. */
export function sureness(perMille: number): HTMLElement {
  const share = percent(perMille);
  const fillPart = h("span", { class: "meter-fill" });
  fillPart.style.inlineSize = `${share}%`;
  return h(
    "span",
    { class: "sureness" },
    h(
      "span",
      {
        class: "meter",
        role: "meter",
        "aria-valuemin": 0,
        "aria-valuemax": 100,
        "aria-valuenow": share,
        "aria-label": text("bay.sure"),
      },
      fillPart,
    ),
    h("span", { class: "number" }, `${share} %`),
  );
}

/** A term and its value in a description list. */
export function fact(term: string, ...value: (Node | string | null)[]): HTMLElement {
  return h("div", { class: "fact" }, h("dt", {}, term), h("dd", {}, ...value));
}
