/** Free bays ahead of a facility, with their 90 % interval and how well such forecasts did. */
import { read } from "../api/client";
import type { Forecast } from "../api/types";
import { instant } from "../format/time";
import { lastingText, moment } from "../format/words";
import { h, replace, svg } from "../shell/dom";
import { errorState, skeleton } from "../shell/states";
import { text } from "../shell/text";

type Ahead = Forecast["items"][number];

const WIDTH = 120;
const HEIGHT = 12;

/** Free bays where so many are expected to be taken: whole, and never fewer than none. */
export function freeOf(bays: number, taken: number): number {
  return Math.min(bays, Math.max(0, Math.round(bays - taken)));
}

/** The interval as a strip from none to all bays; the words beside it say the same. */
function strip(bays: number, item: Ahead): SVGElement {
  const x = (taken: number): number => (bays === 0 ? 0 : (freeOf(bays, taken) / bays) * WIDTH);
  const left = x(item.high90);
  return svg(
    "svg",
    { class: "ahead-strip", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true", focusable: "false" },
    svg("line", { class: "ahead-axis", x1: 0, x2: WIDTH, y1: HEIGHT / 2, y2: HEIGHT / 2 }),
    svg("rect", {
      class: "ahead-range",
      x: left,
      y: 3,
      width: Math.max(2, x(item.low90) - left),
      height: HEIGHT - 6,
      rx: 3,
    }),
    svg("circle", { class: "ahead-dot", cx: x(item.occupied), cy: HEIGHT / 2, r: 4 }),
  );
}

function table(found: Forecast): HTMLElement {
  const { bays } = found;
  return h(
    "table",
    { class: "ahead" },
    h("caption", { class: "visually-hidden" }, text("ahead.title")),
    h(
      "thead",
      { class: "visually-hidden" },
      h(
        "tr",
        {},
        h("th", { scope: "col" }, text("ahead.at")),
        h("th", { scope: "col" }, text("ahead.free")),
        h("th", { scope: "col" }, text("ahead.range")),
      ),
    ),
    h(
      "tbody",
      {},
      ...found.items.map((item) => {
        const [low, high] = [freeOf(bays, item.high90), freeOf(bays, item.low90)];
        return h(
          "tr",
          {},
          h("th", { scope: "row" }, moment(instant(item.for_at))),
          h("td", { class: "number" }, text("ahead.about", { n: freeOf(bays, item.occupied) })),
          h(
            "td",
            {},
            strip(bays, item),
            h("span", { class: "item-facts" }, text("ahead.between", { low, high })),
          ),
        );
      }),
    ),
  );
}

function judged(found: Forecast): string | null {
  const last = found.items.at(-1);
  if (!last || last.model.mae === null || last.model.persistence_mae === null) return null;
  const bays = (share: number): string => (share * found.bays).toFixed(1);
  return text("ahead.judged", {
    lasting: lastingText(0, last.horizon_min * 60_000),
    n: last.model.judged,
    error: bays(last.model.mae),
    plain: bays(last.model.persistence_mae),
  });
}

export function forecastSection(facilityId: string): HTMLElement {
  const place = h("div", {}, skeleton(2, "line"));
  const load = (): void => {
    read<Forecast>(`/api/v1/facilities/${facilityId}/forecast`).then(
      (found) => {
        const words = judged(found);
        replace(
          place,
          found.items.length
            ? table(found)
            : h("p", { class: "note" }, text("ahead.not_enough")),
          words === null ? null : h("p", { class: "note" }, words),
        );
      },
      (error: unknown) => replace(place, errorState(error, load)),
    );
  };
  load();
  return h("section", { class: "panel-section" }, h("h3", {}, text("ahead.title")), place);
}
