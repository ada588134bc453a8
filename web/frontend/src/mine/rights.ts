/** A driver's rights: bays held for their vehicles, and the permits that these are on. */
import { act, actKey, read, readAll } from "../api/client";
import type { Facility, MyPermit, MyReservation, MyVehicle } from "../api/types";
import { instant } from "../format/time";
import { exactly, inLanguage, moment } from "../format/words";
import { allowanceText, hoursText, lastDay, TONES } from "../permits/words";
import { plateLabel } from "../plates/label";
import { businessTime, zone } from "../shell/clock";
import { h, replace } from "../shell/dom";
import { choice, field, labelled, localField, localInstant, row, showForm } from "../shell/form";
import { emptyState, errorState, problemText, skeleton } from "../shell/states";
import { counted, locale, named, text } from "../shell/text";
import { toast } from "../shell/toast";
import { PagedList } from "./lists";

const HOUR_MS = 3_600_000;

/** The reservations of the driver's vehicles, with the ways to hold a bay and to give one back. */
export class Held {
  private readonly list: PagedList<MyReservation>;
  private readonly add = h(
    "button",
    { class: "button", type: "button", onclick: () => void this.hold() },
    text("mine.hold_bay"),
  );
  private vehicles: readonly MyVehicle[] = [];

  constructor(place: HTMLElement) {
    this.list = new PagedList<MyReservation>(place, "/api/v1/me/reservations", (items, more) =>
      this.draw(items, more),
    );
  }

  /** Take the vehicles that a bay can be held for. */
  show(vehicles: readonly MyVehicle[]): void {
    this.vehicles = vehicles;
    this.add.hidden = vehicles.length === 0;
    void this.list.load();
  }

  private draw(items: readonly MyReservation[], more: HTMLElement | null): HTMLElement {
    if (items.length === 0) return emptyState(text("mine.none_held"), text("mine.none_held_advice"), this.add);
    return h(
      "div",
      {},
      h("ul", { class: "rows" }, ...items.map((each) => this.row(each))),
      h("p", { class: "panel-acts" }, more, this.add),
    );
  }

  private row(each: MyReservation): HTMLElement {
    const active = each.state === "held" || each.state === "arrived";
    const coming = instant(each.from_at) > businessTime();
    return h(
      "li",
      { class: "row", "data-reservation": each.id },
      h(
        "div",
        { class: "row-words" },
        h(
          "p",
          { class: "row-name" },
          each.facility ? inLanguage(each.facility.zh, each.facility.en) : "",
          ` · ${each.bay_label}`,
        ),
        h(
          "p",
          { class: "row-facts" },
          each.plate ? plateLabel(each.plate) : null,
          h("span", { class: active ? "tag tag-good" : "tag" }, named("reservation", each.state)),
        ),
        h(
          "p",
          { class: "item-facts" },
          text("stay.from_to", { from: moment(instant(each.from_at)), to: moment(instant(each.until_at)) }),
          each.state === "held" ? ` · ${text("mine.kept_until", { at: moment(instant(each.hold_until_at)) })}` : "",
        ),
      ),
      active
        ? h(
            "button",
            { class: "button button-quiet", type: "button", onclick: () => void this.giveBack(each) },
            text(coming ? "rights.cancel" : "rights.release"),
          )
        : null,
    );
  }

  private async giveBack(each: MyReservation): Promise<void> {
    try {
      const over = await act<MyReservation>("POST", `/api/v1/me/reservations/${each.id}/return`, {});
      toast(text("rights.given_back", { bay: over.bay_label }));
    } catch (error) {
      toast(problemText(error), "danger");
    }
    void this.list.load();
  }

  private async hold(): Promise<void> {
    const key = actKey();
    let places: readonly Facility[];
    try {
      const all = await readAll<Facility>("/api/v1/facilities", { limit: 500 });
      places = all
        .filter((one) => one.reserved.total > 0)
        .sort((a, b) => inLanguage(a.name.zh, a.name.en).localeCompare(inLanguage(b.name.zh, b.name.en), locale()));
    } catch (error) {
      toast(problemText(error), "danger");
      return;
    }
    if (places.length === 0) {
      toast(text("mine.nowhere_to_hold"));
      return;
    }
    const where = choice(places.map((one): [string, string] => [one.id, inLanguage(one.name.zh, one.name.en)]));
    const whose = choice(
      this.vehicles.map((one): [string, string] => [one.id, one.plate?.text ?? text("mine.ticket_only")]),
    );
    const hour = Math.ceil((businessTime() + HOUR_MS / 2) / HOUR_MS) * HOUR_MS;
    const from = field(localField(hour, zone()), { type: "datetime-local", required: true });
    const until = field(localField(hour + 2 * HOUR_MS, zone()), { type: "datetime-local", required: true });
    showForm({
      title: text("mine.hold_bay"),
      submit: text("rights.reserve"),
      parts: [
        labelled("hold-place", text("mine.place"), where),
        labelled("hold-vehicle", text("mine.vehicle"), whose),
        row(labelled("hold-from", text("permits.hours_from"), from), labelled("hold-until", text("permits.hours_until"), until)),
        h("p", { class: "hint" }, text("rights.reserve_hint")),
      ],
      send: async () => {
        const made = await act<MyReservation>(
          "POST",
          "/api/v1/me/reservations",
          {
            facility_id: where.value,
            vehicle_id: whose.value,
            from_at: localInstant(from.value, zone()),
            until_at: localInstant(until.value, zone()),
          },
          key,
        );
        void this.list.load();
        return text("rights.reserved", { bay: made.bay_label });
      },
    });
  }
}

function permitRow(each: MyPermit): HTMLElement {
  const free = allowanceText(each);
  return h(
    "li",
    { class: "row", "data-permit": each.id },
    h(
      "div",
      { class: "row-words" },
      h("p", { class: "row-name" }, `${named("permits.kind", each.kind)} · ${each.label}`),
      h(
        "p",
        { class: "row-facts" },
        ...each.vehicles.map((one) => (one.plate ? plateLabel(one.plate) : null)),
        h("span", { class: `tag tag-${TONES[each.state]}` }, named("permits.state", each.state)),
      ),
      h(
        "p",
        { class: "item-facts" },
        [
          each.facilities.map((one) => (one.name ? inLanguage(one.name.zh, one.name.en) : "")).join(text("permits.joint")),
          hoursText(each),
          each.concurrent_limit === null ? null : counted("permits.at_a_time", each.concurrent_limit),
          free,
        ]
          .filter(Boolean)
          .join(" · "),
      ),
      h("p", { class: "item-facts" }, text("stay.from_to", { from: exactly(instant(each.valid_from)), to: lastDay(each) })),
    ),
  );
}

/** Show the permits on whose lists the driver's vehicles are. */
export async function showPermits(place: HTMLElement): Promise<void> {
  replace(place, skeleton(1));
  try {
    const { items } = await read<{ readonly items: readonly MyPermit[] }>("/api/v1/me/permits");
    replace(
      place,
      items.length
        ? h("ul", { class: "rows" }, ...items.map(permitRow))
        : emptyState(text("mine.no_permits"), text("mine.no_permits_advice")),
    );
  } catch (error) {
    replace(place, errorState(error, () => void showPermits(place)));
  }
}
