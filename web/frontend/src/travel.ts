/** How long the way takes from signal to signal, and where vehicles go: by marks of the day, never a plate. */
import "../styles/base.css";
import "../styles/signals.css";
import "../styles/travel.css";
import { read } from "./api/client";
import type { components } from "./api/schema";
import type { Overview } from "./duty/types";
import { said, table } from "./duty/words";
import { instant } from "./format/time";
import { exactly } from "./format/words";
import { chips } from "./shell/desk";
import { byId, h, replace, write } from "./shell/dom";
import { startPage } from "./shell/page";
import { emptyState, errorState, skeleton } from "./shell/states";
import { counted, named, text, wholeNumber } from "./shell/text";
import { offerNetworks } from "./signals/network_choice";

type Schemas = components["schemas"];
type Travel = Schemas["SignalTravelOut"];
type Pair = Schemas["TravelPairOut"];
type Quantile = Schemas["TravelQuantileOut"];
type Time = Schemas["TravelTimeOut"];
type Share = Schemas["PassShareOut"];
type Origins = Schemas["SignalOriginsOut"];

const SPANS = ["hour", "three", "day"] as const;
type Span = (typeof SPANS)[number];
const HOURS: Readonly<Record<Span, number>> = { hour: 1, three: 3, day: 24 };
const HOUR_MS = 3_600_000;
const MINUTE_S = 60;
const LEAST_ENDS = 2;
const SHOWN = 12;

class TravelPage {
  private network = "";
  private span: Span = "three";
  private from = "";
  private titles = new Map<string, string>();
  private readonly ends = new Set<string>();
  private asked = 0;

  constructor() {
    const spans = SPANS.map((each) => [each, named("travel.last", each)] as const);
    chips(byId("span"), spans, this.span, (chosen) => {
      this.span = chosen;
      void this.load();
    });
    byId<HTMLSelectElement>("network").addEventListener("change", (event) =>
      void this.open((event.target as HTMLSelectElement).value),
    );
    byId<HTMLSelectElement>("from").addEventListener("change", (event) => {
      this.from = (event.target as HTMLSelectElement).value;
      void this.load();
    });
  }

  async start(): Promise<void> {
    try {
      const asked = new URLSearchParams(location.search).get("network");
      const { first } = await offerNetworks(byId("network"), asked);
      if (first) await this.open(first.id);
      else replace(byId("problem"), emptyState(text("signals.none"), text("signals.none_advice")));
    } catch (error) {
      replace(byId("problem"), errorState(error, () => void this.start()));
    }
  }

  private get home(): string {
    return `/api/v1/signal-networks/${this.network}`;
  }

  private async open(id: string): Promise<void> {
    this.network = id;
    this.from = "";
    this.ends.clear();
    byId<HTMLSelectElement>("network").value = id;
    try {
      const overview = await read<Overview>(`${this.home}/overview`);
      this.titles = new Map(overview.signals.map((each) => [each.signal, said(each.title)]));
      replace(
        byId("from"),
        h("option", { value: "" }, text("travel.from_all")),
        ...[...this.titles.keys()].map((each) => h("option", { value: each }, this.title(each))),
      );
      this.drawEnds();
      await this.load();
    } catch (error) {
      replace(byId("problem"), errorState(error, () => void this.open(id)));
    }
  }

  private title(signal: string): string {
    const title = this.titles.get(signal);
    return title && title !== signal ? `${signal} ${title}` : signal;
  }

  private query(): { from_at: string; until_at: string } {
    const until = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
    return {
      from_at: new Date(until - HOURS[this.span] * HOUR_MS).toISOString(),
      until_at: new Date(until).toISOString(),
    };
  }

  private async load(): Promise<void> {
    const turn = ++this.asked;
    const span = this.query();
    byId("hours-part").hidden = true;
    write(byId("span-words"), `${exactly(instant(span.from_at))} – ${exactly(instant(span.until_at))}`);
    replace(byId("times"), skeleton(4, "line"));
    byId("work").hidden = false;
    try {
      const travel = await read<Travel>(`${this.home}/travel-times`, this.from ? { ...span, from_signal: this.from } : span);
      if (turn !== this.asked) return;
      this.drawTimes(travel);
      byId("problem").replaceChildren();
      document.body.dataset["network"] = this.network;
    } catch (error) {
      if (turn === this.asked) replace(byId("times"), errorState(error, () => void this.load()));
    }
    await this.loadOrigins();
  }

  private drawTimes(travel: Travel, all = false): void {
    const busiest = [...travel.pairs].sort((one, other) => (other.time.drives ?? 0) - (one.time.drives ?? 0));
    const shown = all ? busiest : busiest.slice(0, SHOWN);
    replace(
      byId("times"),
      travel.settled ? null : h("p", { class: "note" }, text("travel.not_settled")),
      travel.pairs.length
        ? table(
            [text("travel.way"), text("travel.drives"), text("travel.median"), text("travel.p85"), text("travel.p95"), text("travel.stopped"), text("travel.reached"), text("travel.by_hour")],
            shown.map((each) => [
              this.way(each),
              ...timeCells(each.time),
              shareText(each.reached),
              h("button", { class: "button", type: "button", onclick: () => void this.showHours(each) }, text("travel.by_hour")),
            ]),
            `${text("travel.times")} · ${text("travel.way")}`,
          )
        : emptyState(text("travel.none"), text("travel.none_advice")),
      shown.length < busiest.length
        ? h("button", { class: "button", type: "button", id: "all-ways", onclick: () => this.drawTimes(travel, true) }, text("travel.show_all", { n: wholeNumber(busiest.length) }))
        : null,
      travel.few ? h("p", { class: "item-facts" }, counted("travel.few", travel.few)) : null,
    );
  }

  private way(pair: Pair): HTMLElement {
    const names = [pair.from_signal, pair.to_signal].map((each) => this.titles.get(each) || each);
    return h("span", {}, h("strong", {}, `${pair.from_signal} → ${pair.to_signal}`), h("span", { class: "travel-names" }, names.join(" → ")));
  }

  private async showHours(pair: Pair): Promise<void> {
    const place = byId("hours");
    write(byId("hours-title"), `${this.title(pair.from_signal)} → ${this.title(pair.to_signal)}`);
    byId("hours-part").hidden = false;
    replace(place, skeleton(3, "line"));
    try {
      const query = { ...this.query(), from_signal: pair.from_signal, to_signal: pair.to_signal };
      const found = await read<Travel>(`${this.home}/travel-times`, query);
      replace(
        place,
        table(
          [text("travel.hour"), text("travel.drives"), text("travel.median"), text("travel.p85"), text("travel.p95"), text("travel.stopped")],
          (found.pairs[0]?.hours ?? []).map((each) => [exactly(instant(each.from_at)), ...timeCells(each.time)]),
          text("travel.by_hour"),
        ),
      );
      byId("hours-part").scrollIntoView({ block: "nearest" });
    } catch (error) {
      replace(place, errorState(error, () => void this.showHours(pair)));
    }
  }

  // --- origins and destinations -----------------------------------------------------------------

  private drawEnds(): void {
    replace(
      byId("ends"),
      ...[...this.titles.keys()].map((each) =>
        h(
          "button",
          {
            class: "chip",
            type: "button",
            "aria-pressed": String(this.ends.has(each)),
            title: this.title(each),
            onclick: (event: Event) => {
              if (!this.ends.delete(each)) this.ends.add(each);
              (event.currentTarget as HTMLElement).setAttribute("aria-pressed", String(this.ends.has(each)));
              void this.loadOrigins();
            },
          },
          each,
        ),
      ),
    );
  }

  private async loadOrigins(): Promise<void> {
    const place = byId("origins");
    const chosen = [...this.ends].sort();
    if (chosen.length < LEAST_ENDS) {
      replace(place, emptyState(text("travel.no_ends"), text("travel.no_ends_advice")));
      return;
    }
    try {
      const found = await read<Origins>(`${this.home}/origins`, { ...this.query(), ends: chosen.join(",") });
      if (chosen.join() !== [...this.ends].sort().join()) return;
      replace(
        place,
        h("p", { class: "note" }, text(found.corrected ? "travel.corrected" : "travel.as_seen")),
        found.origins.length
          ? table(
              [text("travel.origin"), text("travel.vehicles"), ...chosen],
              found.origins.map((each) => [
                this.title(each.signal),
                wholeNumber(each.vehicles),
                ...chosen.map((end) => {
                  const share = each.destinations.find((other) => other.signal === end)?.share;
                  return share ? shareText(share) : "–";
                }),
              ]),
              `${text("travel.origins")} · ${text("travel.vehicles")}`,
            )
          : emptyState(text("travel.none"), text("travel.none_advice")),
      );
      document.body.dataset["ends"] = chosen.join(",");
    } catch (error) {
      replace(place, errorState(error, () => void this.loadOrigins()));
    }
  }
}

function timeCells(time: Time): string[] {
  const quantiles = [0, 1, 2].map((index) => {
    const found = time.quantiles[index];
    return found ? quantileText(found) : text("travel.too_few");
  });
  return [
    time.drives === null ? text("travel.too_few") : wholeNumber(time.drives),
    ...quantiles,
    time.stopped === null ? "–" : wholeNumber(time.stopped),
  ];
}

function clock(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / MINUTE_S)}:${String(whole % MINUTE_S).padStart(2, "0")}`;
}

/** With where it surely lies; an end that nobody knows stays open. */
function quantileText(found: Quantile): string {
  const low = found.low_s === null ? "?" : clock(found.low_s);
  const high = found.high_s === null ? "?" : clock(found.high_s);
  return `${clock(found.seconds)} (${low}–${high})`;
}

function shareText(share: Share): string {
  if (share.share === null || share.low === null || share.high === null) return text("travel.too_few");
  const percents = [share.share, share.low, share.high].map((each) => wholeNumber(each * 100));
  return `${percents[0]} % (${percents[1]}–${percents[2]})`;
}

void startPage(() => new TravelPage().start());
