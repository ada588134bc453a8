/** Facilities, or a facility's bays, with their figures: sorted by the column that was asked for. */
import type { FigureLine } from "../api/types";
import { h, replace } from "../shell/dom";
import { locale, text } from "../shell/text";
import { collected, duration, rate, revenue, share } from "./words";

export interface PlaceRow {
  readonly id: string;
  readonly name: string;
  readonly line: Pick<FigureLine, "figures" | "money" | "counts">;
}

type Column = "name" | "occupancy" | "turnover" | "dwell" | "revenue" | "collected" | "matched" | "known";
const COLUMNS: readonly Column[] = [
  "name",
  "occupancy",
  "turnover",
  "dwell",
  "revenue",
  "collected",
  "matched",
  "known",
];

/** What a row is sorted by; unknown ones come last in either direction. */
export function sortValue(row: PlaceRow, column: Column): number | string | null {
  const { figures, money } = row.line;
  switch (column) {
    case "name":
      return row.name;
    case "occupancy":
      return figures.occupancy;
    case "turnover":
      return figures.turnover_per_day;
    case "dwell":
      return figures.dwell_median_s;
    case "revenue":
      return money[0]?.revenue_per_bay_day?.minor ?? null;
    case "collected":
      return money[0]?.collected_share ?? null;
    case "matched":
      return figures.matched_share;
    case "known":
      return figures.known_share;
  }
}

export function sorted(rows: readonly PlaceRow[], column: Column, down: boolean): PlaceRow[] {
  const compare = new Intl.Collator(locale(), { numeric: true });
  return [...rows].sort((one, other) => {
    const a = sortValue(one, column);
    const b = sortValue(other, column);
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    const order =
      typeof a === "string" ? compare.compare(a, String(b)) : a - (typeof b === "number" ? b : 0);
    return down ? -order : order;
  });
}

export class PlaceTable {
  private rows: readonly PlaceRow[] = [];
  private column: Column = "name";
  private down = false;
  private readonly body = h("tbody", {});
  private readonly heads = new Map<Column, HTMLElement>();
  readonly element: HTMLElement;

  constructor(
    caption: string,
    private readonly open: (row: PlaceRow, opener: HTMLElement) => void,
    first: Column = "name",
    private readonly what: "name" | "bay" = "name",
  ) {
    this.column = first;
    this.down = first !== "name";
    this.element = h(
      "table",
      { class: "table table-cards figure-table" },
      h("caption", { class: "visually-hidden" }, caption),
      h("thead", {}, h("tr", {}, ...COLUMNS.map((column) => this.head(column)))),
      this.body,
    );
  }

  show(rows: readonly PlaceRow[]): void {
    this.rows = rows;
    this.draw();
  }

  private head(column: Column): HTMLElement {
    const cell = h(
      "th",
      { scope: "col", class: column === "name" ? "" : "figure-cell" },
      h(
        "button",
        { class: "sort", type: "button", onclick: () => this.sort(column) },
        text(`figures.column.${column === "name" ? this.what : column}`),
      ),
    );
    this.heads.set(column, cell);
    return cell;
  }

  private sort(column: Column): void {
    this.down = this.column === column ? !this.down : column !== "name";
    this.column = column;
    this.draw();
  }

  private draw(): void {
    for (const [column, head] of this.heads) {
      const order = this.down ? "descending" : "ascending";
      head.setAttribute("aria-sort", column === this.column ? order : "none");
    }
    replace(
      this.body,
      ...sorted(this.rows, this.column, this.down).map((row) => {
        const { figures } = row.line;
        const opener = h("button", { class: "link", type: "button" }, row.name);
        opener.addEventListener("click", () => this.open(row, opener));
        const cells: readonly (readonly [Column, string])[] = [
          ["occupancy", share(figures.occupancy)],
          ["turnover", rate(figures.turnover_per_day)],
          ["dwell", duration(figures.dwell_median_s)],
          ["revenue", revenue(row.line)],
          ["collected", collected(row.line)],
          ["matched", share(figures.matched_share)],
          ["known", share(figures.known_share)],
        ];
        return h(
          "tr",
          {},
          h("th", { scope: "row" }, opener),
          ...cells.map(([column, words]) =>
            h(
              "td",
              { class: "number figure-cell", "data-label": text(`figures.column.${column}`) },
              words,
            ),
          ),
        );
      }),
    );
  }
}
