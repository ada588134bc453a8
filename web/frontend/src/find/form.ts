/** The wish as a form: place, times, filters, and the device's own position once allowed. */
import { businessTime, zone } from "../shell/clock";
import { cityField, fromCityField } from "../format/city_time";
import { byId, h, replace, write } from "../shell/dom";
import { text } from "../shell/text";
import { PlaceSearch } from "./place_search";
import {
  filtersOf,
  STAYS_MIN,
  WALKS_M,
  withoutFilters,
  type Fault,
  type LonLat,
  type Only,
  type Vehicle,
  type Wish,
} from "./wish";
import { lengthText, metresText } from "./words";

const POSITION_MS = 15_000;
const POSITION_AGE_MS = 60_000;

export class WishForm {
  /** Where the device is: kept in this page alone, never in its address. */
  origin: LonLat | null = null;
  private readonly place: PlaceSearch;
  private readonly arrive = byId<HTMLSelectElement>("arrive");
  private readonly arriveTime = byId<HTMLInputElement>("arrive-time");
  private readonly stay = byId<HTMLSelectElement>("stay");
  private readonly vehicle = byId<HTMLSelectElement>("vehicle");
  private readonly only = byId<HTMLSelectElement>("only");
  private readonly price = byId<HTMLInputElement>("price");
  private readonly height = byId<HTMLInputElement>("height");
  private readonly walk = byId<HTMLSelectElement>("walk");
  private readonly locate = byId<HTMLButtonElement>("locate");

  constructor(
    private readonly wish: () => Wish,
    private readonly changed: (wish: Wish, moved: boolean) => void,
    private readonly again: () => void,
  ) {
    this.place = new PlaceSearch(
      byId<HTMLInputElement>("place"),
      byId("place-options"),
      byId("place-status"),
      (to) => this.changed({ ...this.wish(), to }, true),
    );
    replace(
      this.stay,
      ...STAYS_MIN.map((minutes) => h("option", { value: minutes }, lengthText(minutes))),
    );
    replace(
      this.walk,
      h("option", { value: "" }, text("find.any")),
      ...WALKS_M.map((metres) => h("option", { value: metres }, metresText(metres))),
    );
    byId<HTMLFormElement>("wish").addEventListener("submit", (event) => {
      event.preventDefault();
      this.take();
    });
    for (const field of [this.arrive, this.arriveTime, this.stay, this.vehicle, this.only, this.walk]) {
      field.addEventListener("change", () => this.take());
    }
    for (const field of [this.price, this.height]) field.addEventListener("change", () => this.take());
    byId("filters-clear").addEventListener("click", () =>
      this.changed(withoutFilters(this.wish()), false),
    );
    this.locate.addEventListener("click", () => this.findMe());
    byId("origin-clear").addEventListener("click", () => {
      this.origin = null;
      this.showOrigin();
      this.again();
    });
  }

  /** Show a wish in the fields. */
  show(): void {
    const wish = this.wish();
    this.place.show(wish.to ? wish.to.name || text("find.point") : "");
    this.arrive.value = wish.arriveMs === null ? "now" : "at";
    byId("arrive-field").hidden = wish.arriveMs === null;
    if (wish.arriveMs !== null) this.arriveTime.value = cityField(wish.arriveMs, zone());
    this.stay.value = String(wish.stayMin);
    this.vehicle.value = wish.vehicle;
    this.only.value = wish.only;
    this.price.value = wish.price;
    this.height.value = wish.height;
    this.walk.value = wish.walkM === null ? "" : String(wish.walkM);
    const set = filtersOf(wish);
    write(byId("filters-active"), set ? text("find.filters_set", { n: set }) : "");
    byId("filters-clear").hidden = set === 0;
    this.showOrigin();
  }

  /** Say beside the field what cannot be asked. */
  say(fault: Fault | null): void {
    const time = fault === "arrive_past" || fault === "arrive_far";
    write(byId("time-problem"), fault && time ? text(`find.fault.${fault}`) : "");
    write(byId("filter-problem"), fault && !time ? text(`find.fault.${fault}`) : "");
    const invalid = (field: HTMLElement, bad: boolean): void => {
      if (bad) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    };
    invalid(this.arriveTime, time);
    invalid(this.price, fault === "price");
    invalid(this.height, fault === "height");
    invalid(this.vehicle, fault === "charging");
    if (fault && !time) byId<HTMLDetailsElement>("filters").open = true;
  }

  private take(): void {
    const before = this.wish();
    let arriveMs: number | null = null;
    if (this.arrive.value === "at") {
      const nextHourMs = (Math.floor(businessTime() / 3_600_000) + 1) * 3_600_000;
      arriveMs = fromCityField(this.arriveTime.value, zone()) ?? before.arriveMs ?? nextHourMs;
      // Chosen for the first time: what stood in the hidden field is of another day.
      if (before.arriveMs === null) arriveMs = nextHourMs;
    }
    this.changed(
      {
        ...before,
        arriveMs,
        stayMin: Number(this.stay.value),
        vehicle: this.vehicle.value as Vehicle,
        only: this.only.value as Only,
        price: this.price.value.trim(),
        height: this.height.value.trim(),
        walkM: this.walk.value ? Number(this.walk.value) : null,
      },
      false,
    );
  }

  /** The browser asks for consent; a refusal is an answer like any other. */
  private findMe(): void {
    const problem = byId("locate-problem");
    write(problem, "");
    if (!("geolocation" in navigator) || !isSecureContext) {
      write(problem, text("find.locate_missing"));
      return;
    }
    this.locate.setAttribute("aria-busy", "true");
    const done = (): void => this.locate.removeAttribute("aria-busy");
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        done();
        this.origin = [coords.longitude, coords.latitude];
        const wish = this.wish();
        this.showOrigin();
        if (wish.to) this.again();
        else this.changed({ ...wish, to: { at: this.origin, name: text("find.my_position") } }, true);
      },
      (error) => {
        done();
        write(
          problem,
          text(error.code === error.PERMISSION_DENIED ? "find.locate_refused" : "find.locate_failed"),
        );
      },
      { enableHighAccuracy: true, timeout: POSITION_MS, maximumAge: POSITION_AGE_MS },
    );
  }

  private showOrigin(): void {
    byId("origin").hidden = this.origin === null;
    write(byId("origin-words"), this.origin ? text("find.origin") : "");
  }
}
