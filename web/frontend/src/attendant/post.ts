/** The attendant's post: one facility's bays, stays and bills, read every few seconds. */
import { read, readAll, type Page } from "../api/client";
import type { Attached, Bay, Bill, Facility, Session } from "../api/types";
import { inWalkingOrder, shortLabel } from "../format/labels";
import { instant } from "../format/time";
import { businessTime, noteCityTime } from "../shell/clock";
import { tasks, type Task } from "./tasks";

export class Post {
  facility: Facility | null = null;
  bays: readonly Bay[] = [];
  bills: readonly Bill[] = [];
  /** Wall-clock instant of the last complete answer. */
  readAtMs: number | null = null;
  private readonly warned = new Map<string, readonly string[]>();
  private stays = new Map<string, Session>();

  constructor(readonly facilityId: string) {}

  async load(): Promise<void> {
    const here = { facility_id: this.facilityId };
    const [facility, bays, stays, bills] = await Promise.all([
      read<Facility>(`/api/v1/facilities/${this.facilityId}`),
      readAll<Bay>(`/api/v1/facilities/${this.facilityId}/bays`, { limit: 500 }),
      readAll<Session>("/api/v1/sessions", { ...here, state: "open", limit: 500 }),
      read<Page<Bill>>("/api/v1/bills", { ...here, state: "open", limit: 60 }),
    ]);
    this.facility = facility;
    this.bays = inWalkingOrder(bays);
    // A stay from gate to gate stands in no bay.
    this.stays = new Map(
      stays.flatMap((stay): [string, Session][] => (stay.bay_id ? [[stay.bay_id, stay]] : [])),
    );
    this.bills = bills.items;
    this.readAtMs = Date.now();
    if (facility.heard_at) noteCityTime(instant(facility.heard_at));
  }

  bay(id: string): Bay | null {
    return this.bays.find((bay) => bay.id === id) ?? null;
  }

  /** A bay's number as painted on the kerb. */
  short(label: string): string {
    return shortLabel(label, this.facility?.code ?? "");
  }

  bill(id: string): Bill | null {
    return this.bills.find((bill) => bill.id === id) ?? null;
  }

  /** The stay that is open in a bay now. */
  stayIn(bayId: string): Session | null {
    return this.stays.get(bayId) ?? null;
  }

  /** Take a stay as the server just answered it, before the next reading. */
  take(stay: Attached): void {
    if (stay.bay_id) this.stays.set(stay.bay_id, stay);
    this.warned.set(stay.id, stay.warnings);
  }

  /** What the attendant was told when attaching the plate. */
  warnings(stayId: string): readonly string[] {
    return this.warned.get(stayId) ?? [];
  }

  /** Take a bill off the list once it is paid. */
  settled(billId: string): void {
    this.bills = this.bills.filter((bill) => bill.id !== billId);
  }

  tasks(): Task[] {
    return tasks(
      [...this.stays].map(([bayId, stay]) => ({
        id: stay.id,
        bayId,
        bayLabel: this.short(stay.bay_label),
        openedMs: instant(stay.opened_at),
        // What is set aside, or part of a stay that has one, needs none.
        hasPlate: stay.plate !== null || stay.set_aside !== null || stay.part_of !== null,
      })),
      this.bills.map((bill) => ({ id: bill.id, issuedMs: instant(bill.issued_at) })),
      this.bays.map((bay) => ({
        id: bay.id,
        label: this.short(bay.label),
        state: bay.state,
        heardMs: bay.heard_at ? instant(bay.heard_at) : null,
      })),
      businessTime(),
    );
  }
}
