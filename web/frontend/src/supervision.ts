/** The street now, for its supervisors: who is there, what calls, how fast it ends, whose cash, what differs. */
import "../styles/base.css";
import "../styles/bench.css";
import "../styles/figures.css";
import "../styles/rights.css";
import "../styles/supervision.css";
import { act, read } from "./api/client";
import type { Supervision, Honesty, HonestyLine } from "./api/types";
import { instant } from "./format/time";
import { agoText, exactly, inLanguage, price } from "./format/words";
import { boxAround, holds, sameTown, type Box } from "./live/occupancy";
import type { MapView, Pin } from "./map/view";
import { plateLabel } from "./plates/label";
import { chips } from "./shell/desk";
import { byId, h, replace, write } from "./shell/dom";
import { labelled, showForm } from "./shell/form";
import { hasRole, page, startPage } from "./shell/page";
import { poll } from "./shell/poll";
import { emptyState, errorState, skeleton } from "./shell/states";
import { counted, named, text } from "./shell/text";

const REFRESH_MS = 15_000;
const HONESTY_MS = 300_000;
const WEEK_H = 168;
const SPANS = [1, 8, 24, WEEK_H] as const;
const PINNED_TASKS = 200;
/** One place alone is shown with the streets around it. */
const CLOSEST_ZOOM = 16;
const SHOWN_EVIDENCE = 12;
const SHOWN_PHOTOS = 20;
const SHOWN_ESCAPES = 20;

function minutes(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return "–";
  return seconds < 90 ? text("supervision.seconds", { n: Math.round(seconds) }) : text("supervision.minutes", { n: Math.round(seconds / 60) });
}

function table(caption: string, head: readonly string[], rows: readonly (readonly (Node | string)[])[]): HTMLElement {
  return h(
    "table",
    { class: "table" },
    h("caption", { class: "visually-hidden" }, caption),
    h("thead", {}, h("tr", {}, ...head.map((each) => h("th", { scope: "col" }, each)))),
    h("tbody", {}, ...rows.map((cells) => h("tr", {}, ...cells.map((cell, at) => h(at === 0 ? "th" : "td", at === 0 ? { scope: "row" } : {}, cell))))),
  );
}

function tile(name: string, value: string): HTMLElement {
  return h("div", { class: "figure-tile" }, h("dt", {}, name), h("dd", { class: "number" }, value));
}

class SupervisionPage {
  private hours: (typeof SPANS)[number] = 8;
  private supervision: Supervision | null = null;
  private map: Pick<MapView, "setPins" | "showBox"> | null = null;
  private shown: Box | null = null;

  constructor() {
    chips(
      byId("hours"),
      SPANS.map((each) => [String(each), each === WEEK_H ? text("supervision.week") : counted("supervision.span", each)] as const),
      String(this.hours),
      (chosen) => {
        this.hours = SPANS.find((each) => String(each) === chosen) ?? 8;
        void this.load();
      },
    );
    for (const id of ["people", "responses", "terminals", "photos", "escapes", "honesty"]) replace(byId(id), skeleton(3));
  }

  async load(): Promise<void> {
    try {
      this.supervision = await read<Supervision>("/api/v1/supervision", { hours: this.hours });
      replace(byId("problem"));
      this.draw(this.supervision);
    } catch (error) {
      replace(byId("problem"), errorState(error, () => void this.load()));
    }
  }

  async loadHonesty(): Promise<void> {
    try {
      drawHonesty(await read<Honesty>("/api/v1/honesty"));
    } catch (error) {
      replace(byId("honesty"), errorState(error, () => void this.loadHonesty()));
    }
  }

  private draw(supervision: Supervision): void {
    write(byId("age"), exactly(instant(supervision.at)));
    const cash = supervision.people.reduce((sum, each) => sum + each.carries.minor, 0);
    const plates = supervision.responses.find((each) => each.kind === "plate");
    replace(
      byId("tiles"),
      tile(text("supervision.on_duty"), String(supervision.people.length)),
      tile(text("supervision.standing"), String(supervision.responses.reduce((sum, each) => sum + each.standing, 0))),
      tile(text("supervision.plate_time"), minutes(plates?.done_s[0])),
      tile(text("supervision.cash"), price({ minor: cash, currency: supervision.people[0]?.carries.currency ?? "CNY" })),
      tile(text("supervision.eye"), String(supervision.terminals.filter((each) => each.concerns.length > 0).length)),
    );
    this.drawPeople(supervision);
    this.drawResponses(supervision);
    drawTerminals(supervision);
    this.drawPhotos(supervision);
    this.drawEscapes(supervision);
    void this.drawMap(supervision);
  }

  private drawPeople({ people }: Supervision): void {
    replace(
      byId("people"),
      people.length === 0
        ? emptyState(text("supervision.nobody"), text("supervision.nobody_advice"))
        : table(
            text("supervision.people"),
            [text("supervision.name"), text("supervision.place"), text("supervision.since"), text("supervision.carries"), text("supervision.answered")],
            people.map((each) => [
              each.name || text("shifts.somebody"),
              each.on_break ? `${each.place} · ${text("supervision.on_break")}` : each.place,
              agoText(instant(each.since_at)),
              price(each.carries),
              each.tasks ? text("supervision.tasks_time", { n: each.tasks, time: minutes(each.middle_s) }) : "–",
            ]),
          ),
    );
  }

  private drawResponses({ responses }: Supervision): void {
    replace(
      byId("responses"),
      responses.length === 0
        ? emptyState(text("supervision.no_tasks"), text("supervision.no_tasks_advice"))
        : table(
            text("supervision.responses"),
            [text("supervision.kind"), text("supervision.arose"), text("supervision.done"), text("supervision.left"), text("supervision.stand"), text("supervision.seen_after"), text("supervision.done_after")],
            responses.map((each) => [
              named("supervision.task", each.kind),
              String(each.arose),
              String(each.done),
              String(each.left),
              String(each.standing),
              `${minutes(each.seen_s[0])} / ${minutes(each.seen_s[1])}`,
              `${minutes(each.done_s[0])} / ${minutes(each.done_s[1])}`,
            ]),
          ),
    );
  }

  /** Photos that acts named and that never came: whoever acted has to say where they are. */
  private drawPhotos({ photos }: Supervision): void {
    replace(
      byId("photos"),
      photos.length === 0
        ? emptyState(text("supervision.no_photos"), text("supervision.no_photos_advice"))
        : table(
            text("supervision.photos"),
            [text("supervision.photo_act"), text("supervision.name"), text("supervision.terminal"), text("supervision.photo_since"), text("supervision.photo_end")],
            photos.slice(0, SHOWN_PHOTOS).map((each) => {
              const about = each.kind === "exempt" || each.kind === "escape" ? each.kind : "plate";
              const words = text(`supervision.photo_${about}`, { label: each.bay_label });
              const place = inLanguage(each.facility.zh, each.facility.en);
              return [
                h("span", {}, each.session_id ? h("a", { href: `/stays?stay=${each.session_id}` }, words) : words, h("br"), place),
                each.name || text("shifts.somebody"),
                each.terminal,
                `${agoText(instant(each.at))}${each.part_bytes > 0 ? ` · ${text("supervision.photo_part")}` : ""}`,
                hasRole("operator") ? h("button", { class: "button", type: "button", onclick: () => this.giveUp(each.photo_id, words) }, text("supervision.photo_give_up")) : "",
              ];
            }),
          ),
      photos.length > SHOWN_PHOTOS ? h("p", { class: "item-facts" }, text("supervision.more_evidence", { n: photos.length - SHOWN_PHOTOS })) : null,
    );
  }

  /** Who drove off by an attendant's word; a supervisor takes it back with a reason. */
  private drawEscapes({ escapes }: Supervision): void {
    replace(
      byId("escapes"),
      escapes.length === 0
        ? emptyState(text("supervision.no_escapes"), text("supervision.no_escapes_advice"))
        : table(
            text("supervision.escapes"),
            [text("supervision.escape_stay"), text("supervision.escape_by"), text("supervision.photo_since"), text("supervision.escape_left"), text("supervision.photo_end")],
            escapes.slice(0, SHOWN_ESCAPES).map((each) => {
              const words = text("supervision.escape_bay", { label: each.bay_label });
              const back = each.withdrawn_at !== null;
              return [
                h("span", { "data-escape": back ? "withdrawn" : "stands" }, h("a", { href: `/stays?stay=${each.session_id}` }, words), h("br"), inLanguage(each.facility.zh, each.facility.en), " ", each.plate ? plateLabel(each.plate) : null),
                h("span", {}, each.name || text("shifts.somebody"), each.words ? h("br") : null, each.words),
                agoText(instant(each.at)),
                each.outstanding ? price(each.outstanding) : text("supervision.escape_unbilled"),
                back
                  ? text("supervision.escape_withdrawn", { who: each.withdrawn_by || text("shifts.somebody"), because: each.because })
                  : hasRole("operator")
                    ? h("button", { class: "button", type: "button", onclick: () => this.takeBack(each.session_id, words) }, text("supervision.escape_back"))
                    : "",
              ];
            }),
          ),
      escapes.length > SHOWN_ESCAPES ? h("p", { class: "item-facts" }, text("supervision.more_evidence", { n: escapes.length - SHOWN_ESCAPES })) : null,
    );
  }

  private takeBack(stayId: string, words: string): void {
    const reason = h("textarea", { class: "input", rows: 3, minlength: 3, maxlength: 500, required: true });
    showForm({
      title: words,
      parts: [h("p", { class: "note" }, text("supervision.escape_means")), labelled("escape-reason", text("stays.reason"), reason)],
      submit: text("supervision.escape_back"),
      send: async () => {
        await act("POST", `/api/v1/sessions/${stayId}/escape/withdrawal`, { reason: reason.value });
        await this.load();
        return text("supervision.escape_done");
      },
    });
  }

  private giveUp(photoId: string, words: string): void {
    const reason = h("textarea", { class: "input", rows: 3, minlength: 3, maxlength: 500, required: true });
    showForm({
      title: words,
      parts: [h("p", { class: "note" }, text("supervision.photo_means")), labelled("photo-reason", text("stays.reason"), reason)],
      submit: text("supervision.photo_give_up"),
      send: async () => {
        await act("POST", `/api/v1/terminals/photos/${photoId}/given-up`, { reason: reason.value });
        await this.load();
        return text("supervision.photo_given_up");
      },
    });
  }

  private async drawMap(supervision: Supervision): Promise<void> {
    const pins: Pin[] = [
      ...supervision.tasks.slice(0, PINNED_TASKS).map((each) => ({
        id: each.id,
        at: at(each.position),
        centred: true,
        element: pin(`supervision-pin supervision-pin-task supervision-pin-${each.kind}`, "", `${named("supervision.task", each.kind)} ${each.bay_label}, ${inLanguage(each.facility.zh, each.facility.en)}`),
      })),
      ...supervision.terminals.flatMap((each) =>
        each.position
          ? [{ id: each.id, at: at(each.position), centred: true, element: pin("supervision-pin", each.signed_in || each.name, each.name) }]
          : [],
      ),
    ];
    const { streets } = page();
    const points = pins.map((each) => each.at);
    const around = boxAround(sameTown(points));
    if (!this.map && streets && around) {
      const { MapView } = await import("./map/view");
      const nothing = { pickFacility: () => undefined, pickBay: () => undefined, pickNothing: () => undefined, moved: () => undefined };
      this.map ??= new MapView(byId("map"), streets, around, nothing, () => ({ top: 24, right: 24, bottom: 24, left: 24 }));
    }
    if (this.map) {
      this.map.setPins(pins);
      // What comes up elsewhere is brought into view; else the map stays where its reader left it.
      if (around && (!this.shown || !holds(this.shown, around))) {
        this.shown = around;
        this.map.showBox(around, CLOSEST_ZOOM);
      }
    }
    else if (points.length === 0) replace(byId("map"), emptyState(text("supervision.no_places"), text("supervision.no_places_advice")));
  }
}

function at(position: readonly number[]): readonly [number, number] {
  return [position[0] ?? 0, position[1] ?? 0];
}

function pin(className: string, words: string, title: string): HTMLElement {
  return h("span", { class: className, title, role: "img", "aria-label": title }, words);
}

function drawTerminals({ terminals }: Supervision): void {
  replace(
    byId("terminals"),
    terminals.length === 0
      ? emptyState(text("terminals.none"), text("terminals.none_advice"))
      : table(
          text("supervision.terminals"),
          [text("supervision.terminal"), text("supervision.name"), text("supervision.heard"), text("supervision.health")],
          terminals.map((each) => [
            each.name,
            each.signed_in || "–",
            each.heard_at ? agoText(instant(each.heard_at), Date.now()) : "–",
            h(
              "span",
              { class: "tags" },
              each.battery_percent === null ? "" : `${each.battery_percent} %`,
              ...each.concerns.map((one) => h("span", { class: "tag tag-warning" }, named("terminals.concern", one))),
            ),
          ]),
        ),
    h("a", { class: "button", href: "/terminals" }, text("supervision.all_terminals")),
  );
}

function drawHonesty(found: Honesty): void {
  const span = found.from_at && found.until_at ? text("supervision.honesty_span", { from: exactly(instant(found.from_at)), until: exactly(instant(found.until_at)), people: found.people, looks: found.looks, share: Math.round(found.false_share * 100) }) : "";
  replace(
    byId("honesty"),
    found.lines.length === 0
      ? emptyState(text(found.until_at ? "supervision.honesty_none" : "supervision.honesty_unread"), text(found.looks ? "supervision.honesty_none_advice" : "supervision.honesty_few"))
      : h("div", {}, ...found.lines.map(honestyLine)),
    h("p", { class: "item-facts" }, span),
  );
}

function share(line: HonestyLine, value: number): string {
  return line.signal === "takings" ? text("supervision.times", { n: value.toFixed(2) }) : `${(value * 100).toFixed(value < 0.1 ? 1 : 0)} %`;
}

function honestyLine(line: HonestyLine): HTMLElement {
  const links: Readonly<Record<HonestyLine["evidence"][number]["kind"], (id: string) => string>> = {
    stay: (id) => `/stays?stay=${id}`,
    bill: (id) => `/bills/${id}`,
    shift: () => "/shifts",
    hour: () => "/shifts",
  };
  return h(
    "details",
    { class: "supervision-line", "data-signal": line.signal },
    h(
      "summary",
      {},
      h("strong", {}, `${line.name || text("shifts.somebody")}: ${named("supervision.signal", line.signal)}`),
      h("span", { class: "number" }, text("supervision.against", { value: share(line, line.value), usual: share(line, line.usual) })),
    ),
    h("p", {}, named("supervision.signal_note", line.signal)),
    h("p", { class: "item-facts" }, text("supervision.rests", { events: line.events, trials: line.trials, expected: line.expected.toFixed(1), people: line.people, strata: line.strata, chance: line.q < 0.001 ? "< 0.1" : (line.q * 100).toFixed(1) })),
    h(
      "ul",
      { class: "supervision-evidence" },
      ...line.evidence.slice(0, SHOWN_EVIDENCE).map((each) => h("li", {}, h("a", { href: links[each.kind](each.id) }, `${named("supervision.evidence", each.kind)} ${exactly(instant(each.at))}`))),
    ),
    line.evidence.length > SHOWN_EVIDENCE ? h("p", { class: "item-facts" }, text("supervision.more_evidence", { n: line.evidence.length - SHOWN_EVIDENCE })) : null,
  );
}

void startPage(() => {
  const supervision = new SupervisionPage();
  poll(() => supervision.load(), REFRESH_MS);
  poll(() => supervision.loadHonesty(), HONESTY_MS);
});
