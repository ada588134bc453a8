/** A driver's own page: what goes on now, bays held, bills, stays, permits, vehicles. */
import "../styles/base.css";
import "../styles/mine.css";
import { read, type Page } from "./api/client";
import type { Bill, MyStay, MyVehicle } from "./api/types";
import { agoText } from "./format/words";
import { CurrentStay } from "./mine/current";
import { billRows, PagedList, stayRows } from "./mine/lists";
import { Held, showPermits } from "./mine/rights";
import { StartForm, type WantedBay } from "./mine/start";
import { bindDialog, vehicleList } from "./mine/vehicles";
import { everySecond } from "./shell/clock";
import { byId, h, replace, write } from "./shell/dom";
import { startPage } from "./shell/page";
import { poll } from "./shell/poll";
import { emptyState, errorState, skeleton } from "./shell/states";
import { text } from "./shell/text";
import { toast } from "./shell/toast";

const REFRESH_MS = 10_000;

class MinePage {
  private readonly now = byId("now");
  private readonly running = new Map<string, CurrentStay>();
  private readonly bills = new PagedList<Bill>(byId("bills"), "/api/v1/me/bills", billRows);
  private readonly stays = new PagedList<MyStay>(byId("stays"), "/api/v1/me/stays", stayRows);
  private readonly held = new Held(byId("held"));
  private vehicles: readonly MyVehicle[] | null = null;
  private wanted: WantedBay | null = null;
  /** What the list of running stays and the way to start another were drawn from. */
  private drawn = "";
  private readAtMs: number | null = null;

  constructor() {
    replace(this.now, skeleton(1, "card"));
    replace(byId("vehicles"), skeleton(2));
    everySecond(() => {
      for (const one of this.running.values()) one.update();
      this.showAge();
    });
  }

  start(): void {
    this.takeWanted();
    this.refreshNow = poll(() => this.refresh(), REFRESH_MS);
    void this.bills.load();
    void this.stays.load();
  }

  private refreshNow: () => void = () => undefined;

  /** The bay whose sign was scanned, if one was. */
  private takeWanted(): void {
    const { bay, label, place } = this.now.dataset;
    if (bay && label && place) this.wanted = { id: bay, label, place };
    else if (new URLSearchParams(location.search).has("bay")) toast(text("mine.no_such_bay"), "danger");
  }

  private async refresh(): Promise<void> {
    try {
      const [open, mine] = await Promise.all([
        read<Page<MyStay>>("/api/v1/me/stays", { state: "open", limit: 20 }),
        read<Page<MyVehicle>>("/api/v1/me/vehicles"),
      ]);
      this.readAtMs = Date.now();
      this.draw(open.items, mine.items);
    } catch (error) {
      if (this.vehicles === null) replace(this.now, errorState(error, () => this.refreshNow()));
    }
    this.showAge();
  }

  private draw(open: readonly MyStay[], vehicles: readonly MyVehicle[]): void {
    // Whoever scans the sign of the bay that they stand in wants to see that stay.
    if (open.some((stay) => stay.bay_id === this.wanted?.id)) this.wanted = null;
    const ids = (each: readonly { readonly id: string }[]): string => each.map(({ id }) => id).join();
    const key = `${ids(open)}|${ids(vehicles)}`;
    if (key === this.drawn) {
      for (const stay of open) this.running.get(stay.id)?.update(stay);
      return;
    }
    const before = this.vehicles;
    const ended = [...this.running.keys()].some((id) => !open.some((stay) => stay.id === id));
    this.drawn = key;
    this.vehicles = vehicles;
    const kept = new Map(this.running);
    this.running.clear();
    for (const stay of open) {
      const one = kept.get(stay.id) ?? new CurrentStay(stay, () => this.changed());
      one.update(stay);
      this.running.set(stay.id, one);
    }
    replace(this.now, ...[...this.running.values()].map((one) => one.element), this.starting(open, vehicles));
    if (before === null || ids(before) !== ids(vehicles)) {
      replace(byId("vehicles"), vehicleList(vehicles, () => this.changed()));
      this.held.show(vehicles);
      void showPermits(byId("my-permits"));
    }
    if (ended) void this.bills.load();
  }

  private starting(open: readonly MyStay[], vehicles: readonly MyVehicle[]): HTMLElement {
    if (vehicles.length === 0) {
      return emptyState(
        text("mine.none_now"),
        text("mine.bind_first"),
        h("button", { class: "button button-primary", type: "button", onclick: () => bindDialog(() => this.changed()) }, text("mine.bind_open")),
      );
    }
    const form = new StartForm(vehicles, this.wanted, () => {
      this.wanted = null;
      history.replaceState(null, "", "/mine");
      toast(text("mine.started"));
      this.changed();
      byId("now-title").focus({ preventScroll: false });
    });
    return open.length && !this.wanted
      ? h("details", { class: "frame start-more" }, h("summary", {}, text("mine.start_another")), form.element)
      : h(
          "div",
          { class: "start-card" },
          open.length ? null : h("p", { class: "note" }, text("mine.none_now")),
          h("h3", {}, text("mine.start_title")),
          form.element,
        );
  }

  private changed(): void {
    this.refreshNow();
    void this.bills.load();
    void this.stays.load();
  }

  private showAge(): void {
    write(
      byId("age"),
      this.readAtMs === null ? "" : text("post.age", { age: agoText(this.readAtMs, Date.now()) }),
    );
  }
}

void startPage(() => new MinePage().start());
