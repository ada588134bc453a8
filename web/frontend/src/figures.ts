/** How a city's parking does: figures of some days, drawn, by place, down to a bay's day. */
import "../styles/base.css";
import "../styles/figures.css";
import { read, readAll, withQuery } from "./api/client";
import type { BayDay, BayFigureLine, FigureLine, FiguresPage } from "./api/types";
import { Chart } from "./charts/chart";
import { bayDay } from "./figures/day_panel";
import { PlaceTable, type PlaceRow } from "./figures/place_table";
import { dateOf, grain, lastDays, lengthOf, moved, valid, type Days } from "./figures/range";
import { collected, due, duration, rate, received, recovered, revenue, share } from "./figures/words";
import { instant } from "./format/time";
import { agoText, inLanguage } from "./format/words";
import { businessTime, everySecond, zone } from "./shell/clock";
import { byId, h, icon, replace, write } from "./shell/dom";
import { onKey } from "./shell/keys";
import { startPage } from "./shell/page";
import { poll } from "./shell/poll";
import { emptyState, errorState, skeleton } from "./shell/states";
import { counted, locale, text, wholeNumber, type TextKey } from "./shell/text";

const RANGES = [1, 7, 30] as const;
/** Counts come every minute. */
const REFRESH_MS = 30_000;
const LONGEST_BAY_DAYS = 31;
const MOST_FACILITIES = 1_000;

class FiguresPageView {
  private days: Days = lastDays(dateOf(businessTime(), zone()), 1);
  private kind: string | null = null;
  private countedUntil: string | null = null;
  private asking = 0;
  private opener: HTMLElement | null = null;
  private readonly panel = byId("panel");
  private readonly series = new Chart();
  private readonly arrivals = new Chart();
  private readonly profile = new Chart();
  private readonly places = new PlaceTable(text("figures.places"), (row, opener) =>
    void this.openPlace(row, opener),
  );

  constructor() {
    replace(byId("series"), this.series.element, this.arrivals.element);
    replace(byId("profile"), this.profile.element);
    replace(
      byId("ranges"),
      ...RANGES.map((n) =>
        h(
          "button",
          {
            class: "chip",
            type: "button",
            "data-range": n,
            onclick: () => this.choose(lastDays(dateOf(businessTime(), zone()), n)),
          },
          n === 1 ? text("figures.today") : text("figures.last_days", { n }),
        ),
      ),
    );
    for (const id of ["first-day", "last-day"]) {
      byId(id).addEventListener("change", () =>
        this.choose({
          first: byId<HTMLInputElement>("first-day").value,
          last: byId<HTMLInputElement>("last-day").value,
        }),
      );
    }
    byId("kind").addEventListener("change", () => {
      this.kind = byId<HTMLSelectElement>("kind").value || null;
      void this.load();
    });
    byId("panel-close").addEventListener("click", () => this.close());
    onKey("Escape", "keys.close", () => this.close());
    everySecond(() => this.showAge());
  }

  start(): void {
    poll(() => this.load(), REFRESH_MS);
  }

  private choose(days: Days): void {
    if (!valid(days)) {
      write(byId("range-problem"), text("figures.bad_range"));
      return;
    }
    this.days = days;
    void this.load();
  }

  private query(): Record<string, string | null> {
    return { first_day: this.days.first, last_day: this.days.last, kind: this.kind };
  }

  private async load(): Promise<void> {
    const asking = ++this.asking;
    write(byId("range-problem"), "");
    byId<HTMLInputElement>("first-day").value = this.days.first;
    byId<HTMLInputElement>("last-day").value = this.days.last;
    for (const chip of document.querySelectorAll<HTMLElement>("[data-range]")) {
      const pressed =
        lengthOf(this.days) === Number(chip.dataset["range"]) &&
        this.days.last === dateOf(businessTime(), zone());
      chip.setAttribute("aria-pressed", String(pressed));
    }
    const by = grain(this.days);
    byId<HTMLAnchorElement>("file").href = withQuery("/api/v1/figures/file", {
      ...this.query(),
      by: "facility",
    });
    if (!byId("tiles").firstElementChild) replace(byId("tiles"), skeleton(4));
    try {
      const [overTime, profile, places] = await Promise.all([
        read<FiguresPage>("/api/v1/figures", { ...this.query(), by, limit: 500 }),
        read<FiguresPage>("/api/v1/figures", { ...this.query(), by: "hour-of-day" }),
        readAll<FigureLine>(
          "/api/v1/figures",
          { ...this.query(), by: "facility", limit: 500 },
          MOST_FACILITIES,
        ),
      ]);
      if (asking !== this.asking) return;
      byId("problem").replaceChildren();
      this.countedUntil = overTime.counted_until_at;
      const empty = overTime.total.counts.service_s === 0;
      byId("figures-body").hidden = empty;
      replace(
        byId("empty"),
        empty ? emptyState(text("figures.none"), text("figures.none_advice")) : null,
      );
      this.tiles(overTime.total);
      this.draw(overTime.items, profile.items, by);
      this.list(places);
      this.showAge();
    } catch (error) {
      if (asking !== this.asking) return;
      byId("tiles").replaceChildren();
      replace(byId("problem"), errorState(error, () => void this.load()));
    }
  }

  private tiles(line: FigureLine): void {
    const { figures, counts } = line;
    const tile = (key: string, value: string, made: string): HTMLElement =>
      h(
        "div",
        { class: "figure-tile" },
        h("dt", {}, text(`figures.tile.${key}` as TextKey)),
        h("dd", { class: "figure-value" }, value),
        h("dd", { class: "item-facts" }, made),
      );
    const hours = (seconds: number): string => wholeNumber(seconds / 3600);
    replace(
      byId("tiles"),
      tile(
        "occupancy",
        share(figures.occupancy),
        text("figures.made.occupancy", {
          taken: hours(counts.occupied_s),
          known: hours(counts.occupied_s + counts.free_s),
        }),
      ),
      tile(
        "turnover",
        rate(figures.turnover_per_day),
        text("figures.made.turnover", {
          stays: wholeNumber(counts.arrivals),
          days: rate(figures.bay_days),
        }),
      ),
      tile(
        "dwell",
        duration(figures.dwell_median_s),
        text("figures.made.dwell", { mean: duration(figures.dwell_mean_s) }),
      ),
      tile("revenue", revenue(line), text("figures.made.revenue", { due: due(line) })),
      tile(
        "collected",
        collected(line),
        text("figures.made.collected", { received: received(line), due: due(line) }),
      ),
      tile("recovered", recovered(line), text("figures.made.recovered")),
      tile(
        "matched",
        share(figures.matched_share),
        text("figures.made.matched", {
          matched: wholeNumber(counts.matched),
          ended: wholeNumber(counts.ended),
        }),
      ),
      tile(
        "known",
        share(figures.known_share),
        text("figures.made.known", { unknown: hours(counts.unknown_s) }),
      ),
      tile("delay", duration(figures.delay_p95_s), counted("figures.made.delay", counts.changes)),
    );
  }

  private draw(
    items: readonly FigureLine[],
    profile: readonly FigureLine[],
    by: "hour" | "day",
  ): void {
    const hourly = by === "hour";
    const short = items.map(({ group }) =>
      hourly ? String(group.hour ?? "") : dayText(group.day ?? "", { day: "numeric", month: "numeric" }),
    );
    const long = items.map(({ group }) => {
      const day = dayText(group.day ?? "", { weekday: "short", day: "numeric", month: "short" });
      return hourly ? `${day} ${hourText(group.hour)}` : day;
    });
    this.series.update({
      title: text("figures.chart.occupancy"),
      column: text("figures.column.occupancy"),
      short,
      long,
      values: items.map(({ figures }) => figures.occupancy),
      kind: "line",
      atLeast: 1,
      format: share,
    });
    this.arrivals.update({
      title: text("figures.chart.arrivals"),
      column: text("figures.arrivals"),
      short,
      long,
      values: items.map(({ counts }) => counts.arrivals),
      kind: "bars",
      format: wholeNumber,
    });
    const hours = Array.from({ length: 24 }, (_, hour) =>
      profile.find(({ group }) => group.hour === hour),
    );
    this.profile.update({
      title: text("figures.chart.hours"),
      column: text("figures.column.occupancy"),
      short: hours.map((_, hour) => String(hour)),
      long: hours.map((_, hour) => hourText(hour)),
      values: hours.map((line) => line?.figures.occupancy ?? null),
      kind: "bars",
      atLeast: 1,
      format: share,
    });
  }

  private list(lines: readonly FigureLine[]): void {
    write(byId("place-count"), counted("figures.count_places", lines.length));
    if (!this.places.element.isConnected) replace(byId("places"), this.places.element);
    this.places.show(
      lines.map((line) => ({
        id: line.group.facility_id ?? "",
        name: inLanguage(line.group.facility?.zh, line.group.facility?.en),
        line,
      })),
    );
  }

  private show(title: string, opener: HTMLElement, back: (() => void) | null): HTMLElement {
    if (this.panel.hidden) this.opener = opener;
    this.panel.hidden = false;
    byId("main").dataset["panel"] = "open";
    write(byId("panel-title"), title);
    replace(
      byId("panel-back"),
      back &&
        h(
          "button",
          { class: "tool", type: "button", "aria-label": text("figures.back"), onclick: back },
          icon("back"),
        ),
    );
    byId("panel-title").focus({ preventScroll: true });
    const content = byId("panel-content");
    replace(content, skeleton(6, "line"));
    return content;
  }

  private async openPlace(place: PlaceRow, opener: HTMLElement): Promise<void> {
    const content = this.show(place.name, opener, null);
    const first =
      lengthOf(this.days) > LONGEST_BAY_DAYS
        ? moved(this.days.last, 1 - LONGEST_BAY_DAYS)
        : this.days.first;
    try {
      const bays = await readAll<BayFigureLine>(
        "/api/v1/figures/bays",
        { facility_id: place.id, first_day: first, last_day: this.days.last, limit: 500 },
        MOST_FACILITIES,
      );
      const table = new PlaceTable(
        text("figures.bays_of", { name: place.name }),
        (row, from) => void this.openBay(row, place, from),
        "occupancy",
        "bay",
      );
      table.show(
        bays.map((bay) => ({ id: bay.bay_id, name: bay.label, line: bay })),
      );
      table.element.classList.add("figure-table-narrow");
      replace(
        content,
        h(
          "div",
          { class: "panel-body" },
          first !== this.days.first &&
            h("p", { class: "note" }, text("figures.bays_limit", { n: LONGEST_BAY_DAYS })),
          table.element,
        ),
      );
    } catch (error) {
      replace(content, errorState(error, () => void this.openPlace(place, opener)));
    }
  }

  private async openBay(bay: PlaceRow, place: PlaceRow, opener: HTMLElement): Promise<void> {
    const content = this.show(`${place.name} · ${text("bay.title", { label: bay.name })}`, opener, () =>
      void this.openPlace(place, opener),
    );
    const pick = h("input", {
      class: "input",
      type: "date",
      id: "bay-day",
      value: this.days.last,
    });
    const told = h("div", {}, skeleton(6, "line"));
    replace(
      content,
      h(
        "div",
        { class: "panel-body" },
        h("label", { class: "label", for: "bay-day" }, text("day.pick")),
        pick,
      ),
      told,
    );
    const load = async (): Promise<void> => {
      if (!pick.value) return;
      try {
        replace(told, bayDay(await read<BayDay>(`/api/v1/bays/${bay.id}/days/${pick.value}`)));
      } catch (error) {
        replace(told, errorState(error, () => void load()));
      }
    };
    pick.addEventListener("change", () => void load());
    await load();
  }

  private close(): void {
    this.panel.hidden = true;
    byId("main").dataset["panel"] = "closed";
    if (this.opener?.isConnected) this.opener.focus();
    this.opener = null;
  }

  private showAge(): void {
    write(
      byId("age"),
      this.countedUntil === null
        ? ""
        : text("figures.age", { age: agoText(instant(this.countedUntil)) }),
    );
  }
}

function dayText(day: string, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(locale(), { ...options, timeZone: "UTC" }).format(
    Date.parse(`${day}T00:00:00Z`),
  );
}

function hourText(hour: number | null): string {
  return hour === null ? "" : `${String(hour).padStart(2, "0")}:00`;
}

void startPage(() => new FiguresPageView().start());
