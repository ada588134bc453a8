/** A bay's day: three strips one above the other, and what does not fit between them. */
import type { BayDay } from "../api/types";
import { stretch, type Rect } from "../charts/plot";
import { instant, momentText } from "../format/time";
import { exactly, price } from "../format/words";
import { fact } from "../panels/figures";
import { businessTime } from "../shell/clock";
import { h, svg } from "../shell/dom";
import { locale, named, text } from "../shell/text";
import { duration } from "./words";

const HEAD = ["day.what", "day.said", "day.from", "day.until"] as const;
const WIDTH = 360;
const ROW = 26;
const GAP = 8;

function lasted(day: BayDay, state: string): number {
  return day.spells
    .filter((spell) => spell.state === state)
    .reduce((sum, spell) => sum + (instant(spell.until_at) - instant(spell.from_at)) / 1000, 0);
}

function strip(day: BayDay): SVGElement {
  const startMs = instant(day.start_at);
  const endMs = startMs + 86_400_000;
  const nowMs = instant(day.end_at);
  const box = (row: number): Rect => ({ x: 0, y: row * (ROW + GAP), width: WIDTH, height: ROW });
  const at = (fromMs: number, untilMs: number, row: number): Rect | null => {
    const { x, y, width, height } = box(row);
    return stretch(fromMs, untilMs, startMs, endMs, { left: x, top: y, width, height });
  };
  const spells = day.spells.map((spell) => {
    const rect = at(instant(spell.from_at), instant(spell.until_at), 0);
    return rect && svg("rect", { ...rect, class: `strip strip-${spell.state}` });
  });
  const stays = day.stays.map((stay) => {
    const rect = at(instant(stay.opened_at), stay.closed_at ? instant(stay.closed_at) : nowMs, 1);
    const kind = stay.has_vehicle ? "vehicle" : "nobody";
    return rect && svg("rect", { ...rect, class: `strip strip-stay-${kind}` });
  });
  const bills = day.bills.map((bill) => {
    const stay = day.stays.find((each) => each.session_id === bill.session_id);
    if (!stay) return null;
    const rect = at(instant(stay.opened_at), stay.closed_at ? instant(stay.closed_at) : nowMs, 2);
    return rect && svg("rect", { ...rect, class: `strip strip-bill-${bill.paid_at ? "paid" : "open"}` });
  });
  const height = 3 * ROW + 2 * GAP;
  return svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${height}`, class: "day-strip", "aria-hidden": "true", preserveAspectRatio: "none" },
    ...[0, 1, 2].map((row) => svg("rect", { ...box(row), class: "strip-ground" })),
    ...spells,
    ...stays,
    ...bills,
  );
}

function time(day: BayDay, at: string | null): string {
  return at === null ? text("figures.still") : momentText(instant(at), businessTime(), day.timezone, locale());
}

function findings(day: BayDay): HTMLElement {
  if (day.findings.length === 0) return h("p", { class: "note" }, text("day.no_leak"));
  return h(
    "ul",
    { class: "leaks" },
    ...day.findings.map((found) =>
      h(
        "li",
        { class: "leak" },
        h("span", { class: "leak-name" }, named("leak", found.leak)),
        found.amount && h("span", { class: "number" }, price(found.amount)),
        h(
          "span",
          { class: "item-facts" },
          text("stay.from_to", { from: time(day, found.from_at), to: time(day, found.until_at) }),
          found.bill_id ? " · " : "",
          found.bill_id && h("a", { href: `/bills/${found.bill_id}` }, text("day.bill")),
        ),
      ),
    ),
  );
}

/** Everything of a bay's day, the strips also as a table. */
export function bayDay(day: BayDay): HTMLElement {
  const rows = [
    ...day.spells.map((spell) => [text("day.sensor"), named("state", spell.state), spell.from_at, spell.until_at] as const),
    ...day.stays.map((stay) => [text("day.stays"), named("day.stay", stay.state), stay.opened_at, stay.closed_at] as const),
    ...day.bills.map((bill) => [text("day.bills"), price(bill.amount), bill.issued_at, bill.paid_at] as const),
  ];
  return h(
    "div",
    { class: "panel-body" },
    h(
      "div",
      { class: "day-told" },
      h("ul", { class: "day-rows" }, h("li", {}, text("day.sensor")), h("li", {}, text("day.stays")), h("li", {}, text("day.bills"))),
      strip(day),
    ),
    h("div", { class: "day-hours", "aria-hidden": "true" }, ...["0", "6", "12", "18", "24"].map((hour) => h("span", {}, hour))),
    h(
      "dl",
      { class: "facts" },
      fact(text("day.occupied"), duration(lasted(day, "occupied"))),
      fact(text("day.unknown"), duration(lasted(day, "unknown"))),
      fact(text("day.count_stays"), String(day.stays.length)),
      fact(text("day.count_bills"), String(day.bills.length)),
    ),
    h("section", { class: "panel-section" }, h("h3", {}, text("day.leaks")), findings(day)),
    h(
      "details",
      { class: "chart-table" },
      h("summary", {}, text("chart.table")),
      h(
        "table",
        { class: "table" },
        h("thead", {}, h("tr", {}, ...HEAD.map((key) => h("th", { scope: "col" }, text(key))))),
        h(
          "tbody",
          {},
          ...rows.map(([who, said, from, until]) =>
            h(
              "tr",
              {},
              h("th", { scope: "row" }, who),
              h("td", {}, said),
              h("td", { class: "number" }, exactly(instant(from))),
              h("td", { class: "number" }, until ? exactly(instant(until)) : text("figures.still")),
            ),
          ),
        ),
      ),
    ),
  );
}
