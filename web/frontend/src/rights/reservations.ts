/** Reservations: a bay's held times as a calendar, holding a bay, giving it back, who did not come. */
import { act, actKey, read, readAll } from "../api/client";
import type { Hold, PlaceVersion, RegisteredFacility, Reservation } from "../api/types";
import { instant } from "../format/time";
import { exactly, moment } from "../format/words";
import { plateFields } from "../plates/fields";
import { plateLabel } from "../plates/label";
import { kept, nameOf, type BayState } from "../places/registry";
import { businessTime, zone } from "../shell/clock";
import { h, put, replace } from "../shell/dom";
import { choice, field, labelled, localField, localInstant, row, showForm } from "../shell/form";
import { emptyState, errorState, problemText, skeleton } from "../shell/states";
import { toast } from "../shell/toast";
import { locale, named, text } from "../shell/text";
import { PagedTable, primary, small } from "./section";
import { week } from "./week";

const DAYS = 7;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const STATES = ["held", "arrived", "finished", "no_show", "unclear", "cancelled", "released"] as const;
const TONES: Readonly<Record<string, string>> = { arrived: "tag-good", no_show: "tag-danger", unclear: "tag-warning" };

function stateTag(state: string): HTMLElement {
  return h("span", { class: `tag ${TONES[state] ?? ""}` }, named("reservation", state));
}

export class Reservations {
  private readonly facility = h("select", { class: "input", id: "facility" });
  private readonly bay = h("select", { class: "input", id: "bay" });
  private readonly state = choice([["", text("rights.any_state")], ...STATES.map((one): [string, string] => [one, named("reservation", one)])], "", { id: "state" });
  private readonly calendar = h("div", { class: "calendar-box" });
  private readonly box = h("div", { class: "table-box" });
  private readonly table: PagedTable<Reservation>;
  private facilities: readonly RegisteredFacility[] = [];
  private bays: readonly BayState[] = [];
  private firstMs = businessTime();

  constructor(
    private readonly place: HTMLElement,
    private readonly tools: HTMLElement,
    private readonly mayMake: boolean,
  ) {
    this.table = new PagedTable<Reservation>(
      this.box,
      "/api/v1/reservations",
      () => ({ state: this.state.value || null, facility_id: this.facility.value || null }),
      {
        caption: text("rights.reservations"),
        head: ["rights.plate", "rights.bay", "rights.when", "rights.state", "rights.hold_until", "rights.acts"].map((key) => text(key as "rights.plate")),
        cells: (each) => [
          each.plate ? plateLabel(each.plate) : text("stay.no_plate"),
          each.bay_label,
          text("stay.from_to", { from: moment(instant(each.from_at)), to: moment(instant(each.until_at)) }),
          stateTag(each.state),
          each.state === "held" ? moment(instant(each.hold_until_at)) : each.ended_at ? exactly(instant(each.ended_at)) : "–",
          this.mayMake && (each.state === "held" || each.state === "arrived")
            ? small(text(instant(each.from_at) > businessTime() ? "rights.cancel" : "rights.release"), () => void this.giveBack(each))
            : "–",
        ],
        empty: [text("rights.no_reservations"), text("rights.no_reservations_advice")],
      },
    );
    this.facility.addEventListener("change", () => void this.openFacility());
    this.bay.addEventListener("change", () => void this.draw());
    this.state.addEventListener("change", () => void this.table.load());
  }

  async start(): Promise<void> {
    put(
      this.place,
      h(
        "section",
        { class: "bench-section", "aria-labelledby": "calendar-title" },
        h("h2", { id: "calendar-title" }, text("rights.calendar")),
        h(
          "div",
          { class: "bench-tools" },
          h("div", { class: "tool-field" }, h("label", { class: "label", for: "facility" }, text("rights.facility")), this.facility),
          h("div", { class: "tool-field" }, h("label", { class: "label", for: "bay" }, text("rights.bay")), this.bay),
          h(
            "div",
            { class: "tool-steps" },
            h("button", { class: "button", type: "button", onclick: () => this.turn(-DAYS) }, text("rights.earlier")),
            h("button", { class: "button", type: "button", onclick: () => this.turn(DAYS) }, text("rights.later")),
          ),
        ),
        this.calendar,
      ),
      h(
        "section",
        { class: "bench-section", "aria-labelledby": "list-title" },
        h("h2", { id: "list-title" }, text("rights.reservations_here")),
        h("div", { class: "bench-tools" }, h("div", { class: "tool-field" }, h("label", { class: "label", for: "state" }, text("rights.state")), this.state)),
        this.box,
      ),
    );
    if (this.mayMake) put(this.tools, primary(text("rights.reserve"), () => this.reserve()));
    replace(this.calendar, skeleton(DAYS, "line"));
    try {
      const all = await readAll<RegisteredFacility>("/api/v1/registered-facilities", { limit: 500 }, 20_000);
      // Where bays can be reserved comes first.
      this.facilities = [...all].sort((a, b) => b.bays.reserved - a.bays.reserved || nameOf(a).localeCompare(nameOf(b), locale()));
    } catch (error) {
      replace(this.calendar, errorState(error, () => location.reload()));
      return;
    }
    replace(this.facility, ...this.facilities.map((each) => h("option", { value: each.id }, nameOf(each))));
    await this.openFacility();
  }

  private async openFacility(): Promise<void> {
    const id = this.facility.value;
    void this.table.load();
    if (!id) {
      replace(this.calendar, emptyState(text("places.none"), text("places.none_advice")));
      return;
    }
    try {
      const records = await readAll<PlaceVersion>(`/api/v1/facilities/${id}/bay-records`, { limit: 500 }, 5_000);
      const order = { reserved: 0, permit: 1, public: 2 };
      this.bays = records
        .map((each) => kept<BayState>(each).state)
        .sort((a, b) => order[a.purpose] - order[b.purpose] || a.label.localeCompare(b.label, "en", { numeric: true }));
    } catch (error) {
      replace(this.calendar, errorState(error, () => void this.openFacility()));
      return;
    }
    replace(
      this.bay,
      ...this.bays.map((each) => h("option", { value: each.id }, `${each.label} · ${named("purpose", each.purpose)}`)),
    );
    await this.draw();
  }

  private turn(days: number): void {
    this.firstMs += days * DAY_MS;
    void this.draw();
  }

  private async draw(): Promise<void> {
    const id = this.bay.value;
    if (!id) {
      replace(this.calendar, emptyState(text("facility.no_bays"), text("facility.no_bays_advice")));
      return;
    }
    const midnight = Date.parse(localInstant(`${localField(this.firstMs, zone()).slice(0, 10)}T00:00`, zone()));
    let holds: readonly Hold[];
    try {
      holds = (
        await read<{ items: Hold[] }>(`/api/v1/bays/${id}/holds`, {
          from_at: new Date(midnight).toISOString(),
          until_at: new Date(midnight + DAYS * DAY_MS).toISOString(),
        })
      ).items;
    } catch (error) {
      replace(this.calendar, errorState(error, () => void this.draw()));
      return;
    }
    if (id !== this.bay.value) return;
    const items = holds.map((hold) => ({ hold, fromMs: instant(hold.from_at), untilMs: instant(hold.until_at) }));
    const dayName = new Intl.DateTimeFormat(locale(), { timeZone: "UTC", weekday: "short", day: "numeric", month: "short" });
    replace(
      this.calendar,
      h("div", { class: "calendar-hours", "aria-hidden": "true" }, ...["00:00", "06:00", "12:00", "18:00", "24:00"].map((at) => h("span", {}, at))),
      h(
        "ol",
        { class: "calendar" },
        ...week(items, midnight, DAYS, zone()).map((day) =>
          h(
            "li",
            { class: "calendar-day" },
            h("span", { class: "calendar-date" }, dayName.format(Date.parse(`${day.date}T00:00:00Z`))),
            h(
              "div",
              { class: "calendar-line" },
              ...day.blocks.map(({ item, start, end }) => this.block(item.hold, start, end)),
              day.blocks.length ? null : h("span", { class: "calendar-free" }, text("rights.free_all_day")),
            ),
          ),
        ),
      ),
    );
  }

  private block(hold: Hold, start: number, end: number): HTMLElement {
    const whose = hold.kind === "permit" ? (hold.permit_label ?? "") : (hold.plate?.text ?? text("stay.no_plate"));
    const when = text("stay.from_to", { from: moment(instant(hold.from_at)), to: moment(instant(hold.until_at)) });
    const words = [named("hold", hold.kind), whose, when].join(", ");
    const block = h(
      "span",
      { class: `calendar-block calendar-${hold.kind}`, role: "img", "aria-label": words, title: words },
      whose.replaceAll("*", "●"),
    );
    block.style.insetInlineStart = `${start * 100}%`;
    block.style.inlineSize = `${(end - start) * 100}%`;
    return block;
  }

  private async giveBack(each: Reservation): Promise<void> {
    try {
      const over = await act<Reservation>("POST", `/api/v1/reservations/${each.id}/return`, {});
      toast(text("rights.given_back", { bay: over.bay_label }));
    } catch (error) {
      toast(problemText(error), "danger");
    }
    void this.table.load();
    void this.draw();
  }

  private reserve(): void {
    const key = actKey();
    const plate = plateFields();
    const where = choice(
      [["", text("rights.any_bay")], ...this.bays.map((each): [string, string] => [each.id, `${each.label} · ${named("purpose", each.purpose)}`])],
      this.bay.value,
    );
    const hour = Math.ceil((businessTime() + HOUR_MS / 2) / HOUR_MS) * HOUR_MS;
    const from = field(localField(hour, zone()), { type: "datetime-local", required: true });
    const until = field(localField(hour + 2 * HOUR_MS, zone()), { type: "datetime-local", required: true });
    const home = this.facilities.find((each) => each.id === this.facility.value);
    showForm({
      title: text("rights.reserve_title", { name: home ? nameOf(home) : "" }),
      submit: text("rights.reserve"),
      parts: [
        plate.part,
        labelled("r-bay", text("rights.bay"), where),
        row(labelled("r-from", text("permits.hours_from"), from), labelled("r-until", text("permits.hours_until"), until)),
        h("p", { class: "hint" }, text("rights.reserve_hint")),
      ],
      send: async () => {
        const made = await act<Reservation>(
          "POST",
          "/api/v1/reservations",
          {
            ...plate.value(),
            from_at: localInstant(from.value, zone()),
            until_at: localInstant(until.value, zone()),
            bay_id: where.value || null,
            facility_id: where.value ? null : this.facility.value,
          },
          key,
        );
        this.bay.value = made.bay_id;
        void this.table.load();
        void this.draw();
        return text("rights.reserved", { bay: made.bay_label });
      },
    });
  }
}
