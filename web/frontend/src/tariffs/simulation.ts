/** What a draft would have brought on past stays: revenue, who pays more, by what. */
import type { TariffSimulation } from "../api/types";
import { agoText, exactly, price } from "../format/words";
import { instant } from "../format/time";
import { h } from "../shell/dom";
import { text, wholeNumber, type TextKey } from "../shell/text";
import { changePercent, differenceText } from "./words";

interface Row {
  readonly key: string;
  readonly stays: number;
  readonly before_minor: number;
  readonly after_minor: number;
  readonly more: number;
  readonly same: number;
  readonly less: number;
}

interface Result extends Omit<Row, "key"> {
  readonly currency: string;
  readonly unpriced: number;
  readonly unattributed: number;
  readonly vehicles: Readonly<Record<"more" | "same" | "less", number>>;
  readonly increase_minor: Readonly<Record<"median" | "p90" | "largest", number>>;
  readonly groups: Readonly<Record<string, readonly Row[]>>;
}

const GROUPS = ["entered", "length", "vehicle", "facility"] as const;

function tile(number: string, word: string): HTMLElement {
  return h(
    "div",
    { class: "tile tile-all" },
    h("span", { class: "tile-number" }, number),
    h("span", { class: "tile-word" }, word),
  );
}

function groupTable(name: (typeof GROUPS)[number], rows: readonly Row[], currency: string): HTMLElement {
  const money = (minor: number): string => price({ minor, currency });
  const most = Math.max(1, ...rows.map((row) => Math.max(row.before_minor, row.after_minor)));
  const bar = (minor: number, kind: string): HTMLElement => {
    const part = h("span", { class: `compare-bar compare-${kind}`, "aria-hidden": "true" });
    part.style.inlineSize = `${(100 * minor) / most}%`;
    return part;
  };
  const title = text(`tariffs.by_${name}`);
  return h(
    "details",
    { class: "sim-group", open: name === "entered" },
    h("summary", {}, title),
    h(
      "div",
      { class: "table-box", tabindex: 0, role: "region", "aria-label": title },
      h(
        "table",
        { class: "table" },
        h("caption", { class: "visually-hidden" }, title),
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "col" }, title),
            ...(["stays", "before_after", "before", "after", "more"] as const).map((key) =>
              h("th", { scope: "col", class: key === "before_after" ? "" : "amount" }, text(`tariffs.${key}`)),
            ),
          ),
        ),
        h(
          "tbody",
          {},
          ...rows.map((row) =>
            h(
              "tr",
              {},
              h("th", { scope: "row" }, row.key),
              h("td", { class: "amount" }, wholeNumber(row.stays)),
              h(
                "td",
                { class: "compare" },
                bar(row.before_minor, "before"),
                bar(row.after_minor, "after"),
              ),
              h("td", { class: "amount" }, money(row.before_minor)),
              h("td", { class: "amount" }, money(row.after_minor)),
              h("td", { class: "amount" }, wholeNumber(row.more)),
            ),
          ),
        ),
      ),
    ),
  );
}

export function simulationView(simulation: TariffSimulation, stale: boolean): HTMLElement {
  const span = text("stay.from_to", {
    from: exactly(instant(simulation.from_at)),
    to: exactly(instant(simulation.to_at)),
  });
  if (simulation.status === "waiting") {
    return h(
      "div",
      { role: "status" },
      h("p", {}, text("tariffs.simulating")),
      h("p", { class: "note" }, span, " · ", agoText(instant(simulation.requested_at))),
    );
  }
  if (simulation.status === "failed" || !simulation.result) {
    return h("p", { class: "form-problem", role: "alert" }, simulation.problem ?? "");
  }
  const result = simulation.result as unknown as Result;
  if (result.stays === 0) {
    return h(
      "div",
      {},
      stale && h("p", { class: "note note-warning" }, text("tariffs.simulation_stale")),
      h("p", {}, text("tariffs.no_stays", { span })),
    );
  }
  const before = { minor: result.before_minor, currency: result.currency };
  const after = { minor: result.after_minor, currency: result.currency };
  const share = changePercent(result.before_minor, result.after_minor);
  const increase = (key: "median" | "largest"): string =>
    price({ minor: result.increase_minor[key], currency: result.currency });
  const vehicles = (key: "more" | "same" | "less"): HTMLElement =>
    tile(wholeNumber(result.vehicles[key]), text(`tariffs.vehicles_${key}` as TextKey));
  return h(
    "div",
    {},
    stale && h("p", { class: "note note-warning" }, text("tariffs.simulation_stale")),
    h(
      "div",
      { class: "tiles" },
      tile(price(before), text("tariffs.revenue_before")),
      tile(price(after), text("tariffs.revenue_after")),
      tile(
        share === null ? differenceText(before, after) : `${differenceText(before, after)} (${share} %)`,
        text("tariffs.difference"),
      ),
      vehicles("more"),
      vehicles("same"),
      vehicles("less"),
    ),
    h(
      "p",
      { class: "note" },
      text("tariffs.simulated", {
        stays: wholeNumber(result.stays),
        span,
        median: increase("median"),
        largest: increase("largest"),
        unattributed: wholeNumber(result.unattributed),
        unpriced: wholeNumber(result.unpriced),
      }),
    ),
    ...GROUPS.map((name) => groupTable(name, result.groups[name] ?? [], result.currency)),
  );
}
