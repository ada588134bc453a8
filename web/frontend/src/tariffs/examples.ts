/** Live examples: stays that a person chooses, priced under the document as it is typed. */
import type { TariffTrial, TariffTrialQuote } from "../api/types";
import { feeTable } from "../panels/fee";
import { h, icon, replace } from "../shell/dom";
import { text } from "../shell/text";
import { price } from "../format/words";
import { differenceText } from "./words";

export interface Example {
  readonly enter: string;
  readonly leave: string;
  readonly vehicle: "small" | "large" | "motorcycle";
  readonly energy: "new" | null;
}

const KEPT = "greenbay.tariff_examples";
const VEHICLES = ["small", "small-new", "large", "motorcycle"] as const;

/** A short stop, an hour, two and a quarter, an evening that ends in the morning, a day and more. */
function ordinary(day: string, next: string): Example[] {
  const at = (enter: string, leave: string): Example => ({
    enter,
    leave,
    vehicle: "small",
    energy: null,
  });
  return [
    at(`${day}T09:00`, `${day}T09:14`),
    at(`${day}T09:00`, `${day}T10:00`),
    at(`${day}T09:00`, `${day}T11:15`),
    at(`${day}T18:30`, `${next}T08:00`),
    at(`${day}T09:00`, `${next}T11:00`),
  ];
}

export class Examples {
  private stays: Example[];
  private draft: TariffTrial | null = null;
  private current: TariffTrial | null = null;
  private readonly open = new Set<number>();

  constructor(
    private readonly place: HTMLElement,
    day: string,
    next: string,
    private readonly changed: () => void,
  ) {
    this.stays = this.kept() ?? ordinary(day, next);
  }

  /** The stays as the API takes them. */
  asked(): readonly Example[] {
    return this.stays.filter((stay) => stay.enter && stay.leave);
  }

  show(draft: TariffTrial | null, current: TariffTrial | null): void {
    this.draft = draft;
    this.current = current;
    this.prices();
  }

  draw(): void {
    const head = ["stay", "vehicle", "now", "then", "difference"] as const;
    replace(
      this.place,
      h(
        "table",
        { class: "table table-cards examples" },
        h("caption", { class: "visually-hidden" }, text("tariffs.examples")),
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            ...head.map((key, column) =>
              h("th", { scope: "col", class: column > 1 ? "amount" : "" }, text(`tariffs.${key}`)),
            ),
            h("th", { scope: "col" }, h("span", { class: "visually-hidden" }, text("tariffs.remove"))),
          ),
        ),
        h("tbody", {}, ...this.stays.flatMap((stay, place) => this.rows(stay, place))),
      ),
      h(
        "button",
        { class: "button", type: "button", onclick: () => this.add() },
        text("tariffs.add_example"),
      ),
    );
    this.prices();
  }

  private rows(stay: Example, place: number): HTMLElement[] {
    const time = (name: "enter" | "leave"): HTMLElement =>
      h("input", {
        class: "input",
        type: "datetime-local",
        value: stay[name],
        "aria-label": `${text(`tariffs.${name}`)} ${place + 1}`,
        onchange: (event) => this.set(place, { [name]: (event.target as HTMLInputElement).value }),
      });
    const chosen = stay.energy === "new" ? "small-new" : stay.vehicle;
    return [
      h(
        "tr",
        { class: "example" },
        h(
          "td",
          { "data-label": text("tariffs.stay") },
          h("div", { class: "example-times" }, time("enter"), time("leave")),
        ),
        h(
          "td",
          { "data-label": text("tariffs.vehicle") },
          h(
            "select",
            {
              class: "input",
              "aria-label": `${text("tariffs.vehicle")} ${place + 1}`,
              onchange: (event) => this.choose(place, (event.target as HTMLSelectElement).value),
            },
            ...VEHICLES.map((kind) =>
              h("option", { value: kind, selected: kind === chosen }, text(`tariffs.vehicle.${kind}`)),
            ),
          ),
        ),
        h("td", { class: "amount", "data-label": text("tariffs.now"), "data-now": place }),
        h("td", { class: "amount", "data-label": text("tariffs.then"), "data-then": place }),
        h("td", { class: "amount", "data-label": text("tariffs.difference"), "data-difference": place }),
        h(
          "td",
          {},
          h(
            "button",
            {
              class: "tool",
              type: "button",
              "aria-label": `${text("tariffs.remove")} ${place + 1}`,
              onclick: () => this.remove(place),
            },
            icon("close"),
          ),
        ),
      ),
      h("tr", { class: "example-lines", hidden: true, "data-lines": place }, h("td", { colspan: 6 })),
    ];
  }

  private prices(): void {
    this.asked().forEach((stay, number) => {
      const place = this.stays.indexOf(stay);
      const now = this.current?.quotes[number] ?? null;
      const then = this.draft?.quotes[number] ?? null;
      const cell = (name: string): HTMLElement | null =>
        this.place.querySelector<HTMLElement>(`[data-${name}="${place}"]`);
      const nowCell = cell("now");
      const thenCell = cell("then");
      const differenceCell = cell("difference");
      if (!nowCell || !thenCell || !differenceCell) return;
      replace(nowCell, quoteText(now));
      replace(
        thenCell,
        then?.total
          ? h(
              "button",
              {
                class: "link number",
                type: "button",
                "aria-expanded": String(this.open.has(place)),
                onclick: () => this.toggle(place),
              },
              price(then.total),
            )
          : quoteText(then),
      );
      replace(
        differenceCell,
        now?.total && then?.total && now.total.currency === then.total.currency
          ? differenceText(now.total, then.total)
          : "–",
      );
      const lines = cell("lines");
      if (!lines) return;
      lines.hidden = !(this.open.has(place) && then?.total);
      if (then?.total && lines.firstElementChild) {
        replace(lines.firstElementChild, feeTable(then.lines, then.total, text("tariffs.examples")));
      }
    });
  }

  private toggle(place: number): void {
    if (!this.open.delete(place)) this.open.add(place);
    this.prices();
  }

  private set(place: number, change: Partial<Example>): void {
    this.stays = this.stays.map((stay, at) => (at === place ? { ...stay, ...change } : stay));
    this.keep();
    this.changed();
  }

  private choose(place: number, kind: string): void {
    this.set(place, {
      vehicle: kind === "large" || kind === "motorcycle" ? kind : "small",
      energy: kind === "small-new" ? "new" : null,
    });
  }

  private add(): void {
    const last = this.stays[this.stays.length - 1];
    if (this.stays.length >= 20) return;
    this.stays = [...this.stays, last ?? { enter: "", leave: "", vehicle: "small", energy: null }];
    this.redraw();
  }

  private remove(place: number): void {
    this.stays = this.stays.filter((_, at) => at !== place);
    this.open.clear();
    this.redraw();
  }

  private redraw(): void {
    this.keep();
    this.draw();
    this.changed();
  }

  private keep(): void {
    localStorage.setItem(KEPT, JSON.stringify(this.stays));
  }

  private kept(): Example[] | null {
    try {
      const found: unknown = JSON.parse(localStorage.getItem(KEPT) ?? "null");
      return Array.isArray(found) && found.length ? (found as Example[]) : null;
    } catch {
      return null;
    }
  }
}

function quoteText(quote: TariffTrialQuote | null): string {
  if (!quote) return "–";
  return quote.total ? price(quote.total) : (quote.fault?.detail ?? "–");
}
