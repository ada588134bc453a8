/** A facility: how many are free, how old that is, what a stay would cost, its bays. */
import { act, read } from "../api/client";
import type { Bay, Facility, OneFacility, Quote } from "../api/types";
import { inWalkingOrder } from "../format/labels";
import { agoText, exactly, inLanguage, price } from "../format/words";
import { fragmentOf, NOTHING_WISHED, type Wish } from "../find/wish";
import { glyph, setGlyph } from "../glyphs/inline";
import { total } from "../live/occupancy";
import { fact, legend, occupancyBar } from "../panels/figures";
import { feeTable } from "../panels/fee";
import { businessTime } from "../shell/clock";
import { h, icon, KeyedList, replace, write } from "../shell/dom";
import { hasRole, page } from "../shell/page";
import { emptyState, errorState, problemText, skeleton } from "../shell/states";
import { counted, named, text } from "../shell/text";
import { apart } from "./capacity";
import type { City } from "./city";
import { forecastSection } from "./forecast";
import { STALE_MS } from "./list";
import { standing } from "./order";

export interface Panel {
  readonly element: HTMLElement;
  readonly title: string;
  /** Called when something changed and once a second. */
  readonly update: () => void;
}

const LENGTHS_MIN = [30, 60, 120, 240] as const;

/** What a stay from now on would cost, for a few lengths, each explained. */
function quoteSection(facilityId: string): HTMLElement {
  const answer = h("div", { class: "quote-answer", "aria-live": "polite" });
  const buttons = LENGTHS_MIN.map((minutes) =>
    h(
      "button",
      { class: "chip", type: "button", "aria-pressed": "false", onclick: () => void ask(minutes) },
      minutes < 60 ? text("lasting.minutes", { minutes }) : text("quote.hours", { n: minutes / 60 }),
    ),
  );
  const ask = async (minutes: number): Promise<void> => {
    buttons.forEach((button, index) =>
      button.setAttribute("aria-pressed", String(LENGTHS_MIN[index] === minutes)),
    );
    const enterMs = businessTime();
    try {
      const quote = await act<Quote>("POST", "/api/v1/quotes", {
        facility_id: facilityId,
        enter_at: new Date(enterMs).toISOString(),
        leave_at: new Date(enterMs + minutes * 60_000).toISOString(),
      });
      replace(
        answer,
        h("p", { class: "quote-total" }, price(quote.total)),
        feeTable(quote.lines, quote.total, text("quote.title")),
        h("p", { class: "note" }, text("quote.source", { tariff: quote.tariff })),
      );
    } catch (error) {
      replace(answer, h("p", { class: "note", role: "alert" }, problemText(error)));
    }
  };
  return h(
    "section",
    { class: "panel-section" },
    h("h3", {}, text("quote.title")),
    h("div", { class: "chips" }, ...buttons),
    answer,
  );
}

function bayButton(bay: Bay, city: City, open: (id: string) => void) {
  const mark = glyph(bay.state);
  const whose =
    bay.purpose !== "public" ? named("purpose", bay.purpose) : bay.usable ? null : text("facility.not_now");
  const button = h(
    "button",
    { class: "bay-button", type: "button", onclick: () => open(bay.id) },
    mark,
    h("span", { class: "bay-number" }, city.shortLabel(bay)),
  );
  if (whose !== null) button.dataset["whose"] = whose;
  return {
    element: h("li", {}, button),
    update() {
      const state = city.stateOf(bay.id)?.state ?? bay.state;
      setGlyph(mark, state);
      button.dataset["state"] = state;
      const spoken = text("bay.label_state", { label: bay.label, state: text(`state.${state}`) });
      const words = whose === null ? spoken : `${spoken} · ${whose}`;
      if (button.getAttribute("aria-label") !== words) button.setAttribute("aria-label", words);
    },
  };
}

/** Bays that stand beside the public's count: reserved ones, those of permits, those closed now. */
function apartFacts(facility: Facility): HTMLElement | null {
  if (apart(facility) === 0) return null;
  const of = (counts: { readonly free: number; readonly total: number }): string =>
    `${counts.free} ${text("facility.free_of", { total: counts.total })}`;
  return h(
    "dl",
    { class: "facts facts-apart" },
    facility.reserved.total ? fact(text("facility.reserved"), of(facility.reserved)) : null,
    facility.permit.total ? fact(text("facility.permit"), of(facility.permit)) : null,
    facility.closed ? fact(text("facility.closed"), String(facility.closed)) : null,
  );
}

/** What holds for whoever leaves: paid before or after, and for how long one may still leave. */
function exitSection(facilityId: string): HTMLElement {
  const place = h("div", {}, skeleton(2, "line"));
  const load = (): void => {
    read<OneFacility>(`/api/v1/facilities/${facilityId}`).then(
      ({ exit, kind }) => {
        if (!exit) return replace(place, h("p", { class: "note" }, text("exit.not_told")));
        const minutes = Math.floor((exit.grace_s ?? 0) / 60);
        replace(
          place,
          h("p", { "data-exit": exit.mode }, text(exit.mode === "pay-first" ? "exit.pay_first" : "exit.leave_first")),
          minutes > 0 ? h("p", { class: "note" }, text("exit.grace", { lasting: text("lasting.minutes", { minutes }) })) : null,
          exit.mode === "leave-first" && kind !== "kerb" ? h("p", { class: "note" }, text("exit.overdue")) : null,
        );
      },
      (error: unknown) => replace(place, errorState(error, load)),
    );
  };
  load();
  return h("section", { class: "panel-section" }, h("h3", {}, text("exit.title")), place);
}

export function facilityPanel(
  city: City,
  id: string,
  openBay: (bayId: string) => void,
): Panel | null {
  const place = city.place(id);
  if (!place) return null;
  const { facility } = place;
  const mark = glyph("free", "l");
  const free = h("span", { class: "figure-number" });
  const ofTotal = h("span", { class: "figure-words" });
  const freshness = h("p", { class: "freshness" });
  const bar = occupancyBar();
  const key = legend();
  const quality = h("dd", {});
  const grid = h("ul", { class: "bay-grid" });
  const section = h("div", {}, skeleton(3, "card"));

  const keyed = new KeyedList<Bay>(
    grid,
    (bay) => bay.id,
    (bay) => bayButton(bay, city, openBay),
  );
  let bays: readonly Bay[] = [];
  const load = (): void => {
    city.baysOf(id).then(
      (loaded) => {
        bays = inWalkingOrder(loaded);
        replace(
          section,
          bays.length ? grid : emptyState(text("facility.no_bays"), text("facility.no_bays_advice")),
        );
        update();
      },
      (error: unknown) => replace(section, errorState(error, load)),
    );
  };

  const update = (): void => {
    const now = city.place(id);
    if (!now) return;
    const { counts, heardMs } = now;
    const sum = total(counts);
    const stale = heardMs === null || businessTime() - heardMs > STALE_MS;
    setGlyph(mark, standing(counts));
    write(free, String(counts.free));
    write(ofTotal, text("facility.free_of", { total: sum }));
    write(freshness, text(stale ? "facility.stale" : "facility.heard", { age: agoText(heardMs) }));
    freshness.classList.toggle("is-stale", stale);
    bar.update(counts);
    key.update(counts);
    write(quality, text("facility.known_of", { known: sum - counts.unknown, total: sum }));
    keyed.show(bays);
  };

  const nearHere: Wish = {
    ...NOTHING_WISHED,
    to: { at: place.position, name: inLanguage(place.zh, place.en) },
  };
  const element = h(
    "div",
    { class: "panel-body" },
    h(
      "p",
      { class: "panel-kind" },
      [named("facility.kind", facility.kind), named("facility.ownership", facility.ownership)].join(
        " · ",
      ),
    ),
    h("p", { class: "figure" }, mark, free, ofTotal),
    freshness,
    bar.element,
    key.element,
    apartFacts(facility),
    h(
      "a",
      { class: "button button-wide near-here", href: `/?view=find${fragmentOf(nearHere)}` },
      text("find.near_here"),
    ),
    quoteSection(id),
    exitSection(id),
    facility.kind === "kerb" || (page().roles.length > 0 && !hasRole("driver"))
      ? null
      : h("p", { class: "panel-acts" }, h("a", { class: "button button-wide", href: `/facilities/${id}/gate` }, text("gate.open"))),
    page().roles.length > 0 ? forecastSection(id) : null,
    h(
      "section",
      { class: "panel-section" },
      h("h3", {}, counted("count.bays", facility.counts.total + apart(facility))),
      section,
      hasRole("operator", "administrator")
        ? h(
            "p",
            { class: "panel-acts" },
            h("a", { class: "button", href: `/facilities/${id}/signs` }, icon("print"), text("signs.open")),
          )
        : null,
    ),
    h(
      "section",
      { class: "panel-section" },
      h("h3", {}, text("facility.source")),
      h(
        "dl",
        { class: "facts" },
        h("div", { class: "fact" }, h("dt", {}, text("facility.known")), quality),
        fact(
          text("facility.last_word"),
          place.heardMs === null ? text("age.never") : exactly(place.heardMs),
        ),
        fact(text("facility.tariff"), facility.tariff ?? text("facility.no_tariff")),
        fact(text("facility.revenue"), text(`facility.revenue.${facility.revenue_nature}`)),
        fact(text("facility.code"), facility.code),
      ),
    ),
  );
  load();
  update();
  return { element, title: inLanguage(facility.name.zh, facility.name.en), update };
}
