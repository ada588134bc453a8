/** The attendant's post: one facility's bays, stays and bills, read every few seconds. */
import { ProblemError, read, readAll, type Page } from "../api/client";
import type { Attached, Bay, Bill, Exemptions, Facility, FeesByStart, Session } from "../api/types";
import { inWalkingOrder, shortLabel } from "../format/labels";
import { instant } from "../format/time";
import type { KeptAct } from "../outbox/acts";
import { laid } from "../outbox/overlay";
import { businessTime, noteCityTime } from "../shell/clock";
import { feeByStart, type Told } from "./fee_by_start";
import { Fees } from "./fees";
import { keepPost, keptPost } from "./kept";
import { tasks, type Task } from "./tasks";

const RULES_MS = 1_800_000;

export class Post {
  facility: Facility | null = null;
  bays: readonly Bay[] = [];
  /** Bays about which something waits to be sent. */
  waiting: ReadonlySet<string> = new Set();
  /** Open bills that wait to be collected here. */
  bills: readonly Bill[] = [];
  /** Wall-clock instant of the last complete answer. */
  readAtMs: number | null = null;
  /** What its stays will come to, for when there is no line. */
  readonly fees = new Fees();
  /** What frees a stay here; null until it was read once. */
  rules: Exemptions | null = null;
  private rulesReadMs = 0;
  /** What stays come to that begin, or are first named, without a line. */
  private byStart: FeesByStart | null = null;
  private readonly warned = new Map<string, readonly string[]>();
  private stays: ReadonlyMap<string, Session> = new Map();
  /** As the city said it; what was done here since lies over it. */
  private told: { stays: Map<string, Session>; bills: readonly Bill[] } = { stays: new Map(), bills: [] };

  constructor(
    readonly facilityId: string,
    /** What was done on this device and is not in what the city said. */
    private readonly done: () => readonly KeptAct[] = () => [],
  ) {}

  async load(): Promise<void> {
    const here = { facility_id: this.facilityId };
    const [facility, bays, stays, bills] = await Promise.all([
      read<Facility>(`/api/v1/facilities/${this.facilityId}`),
      readAll<Bay>(`/api/v1/facilities/${this.facilityId}/bays`, { limit: 500 }),
      readAll<Session>("/api/v1/sessions", { ...here, state: "open", limit: 500 }),
      read<Page<Bill>>("/api/v1/bills", { ...here, state: "open", limit: 60 }),
    ]);
    this.show(facility, bays, stays, bills.items);
    this.readAtMs = Date.now();
    if (facility.heard_at) noteCityTime(instant(facility.heard_at));
    const { readAtMs } = this;
    this.keep = () =>
      keepPost({ facility, bays, stays, bills: bills.items, readAtMs, fees: this.fees.kept(), rules: this.rules, byStart: this.byStart });
    void this.keep();
    void this.readRules();
  }

  /** What is due of a stay that ends now, as far as this device knows; null where it does not. */
  due(stay: Session, atMs = businessTime()): Told | null {
    const fee = this.fees.due(stay, atMs);
    if (fee) return { fee, alone: true };
    if (this.fees.asked(stay) || !stay.plate || !this.byStart || stay.paid_until_at || stay.part_of) return null;
    return feeByStart(this.byStart, stay.plate.kind, instant(stay.opened_at), atMs);
  }

  /** As of when the tables are that fees are read off without a line; null without any. */
  get pricesOf(): string | null {
    return this.byStart?.base_at ?? null;
  }

  /** Read what frees a stay here and what stays come to, now and then: rules change by the day. */
  private async readRules(): Promise<void> {
    if (Date.now() - this.rulesReadMs < RULES_MS) return;
    this.rulesReadMs = Date.now();
    const here = `/api/v1/facilities/${this.facilityId}`;
    try {
      this.rules = await read<Exemptions>(`${here}/exemptions`);
      this.byStart = await read<FeesByStart>(`${here}/fees-by-start`).catch((error: unknown) => {
        // A place without a tariff has none; whoever only looks may not ask.
        if (error instanceof ProblemError && !error.offline) return null;
        throw error;
      });
    } catch {
      this.rulesReadMs = 0;
    }
    await this.keep();
  }

  /** Keep what was read on this device; nothing was yet. */
  private keep = async (): Promise<void> => undefined;

  /** Fetch what stays will come to, and keep it. */
  async fetchFees(): Promise<void> {
    if (await this.fees.fetch([...this.told.stays.values()])) await this.keep();
  }

  /** Show what was last read on this device; false where nothing was. */
  async restore(): Promise<boolean> {
    const kept = await keptPost(this.facilityId);
    if (!kept || this.facility) return this.facility !== null;
    this.show(kept.facility, kept.bays, kept.stays, kept.bills);
    this.readAtMs = kept.readAtMs;
    this.fees.take(kept.fees);
    this.rules = kept.rules ?? null;
    this.byStart = kept.byStart ?? null;
    return true;
  }

  private show(facility: Facility, bays: readonly Bay[], stays: readonly Session[], bills: readonly Bill[]): void {
    this.facility = facility;
    this.bays = inWalkingOrder(bays);
    this.told = {
      // A stay from gate to gate stands in no bay.
      stays: new Map(
        stays.flatMap((stay): [string, Session][] => (stay.bay_id ? [[stay.bay_id, stay]] : [])),
      ),
      bills,
    };
    this.lay();
  }

  /** Lay what was done here over what the city said. */
  lay(): void {
    const { stays, bills } = this.told;
    const now = laid(this.facilityId, this.bays, stays, bills, this.done());
    this.stays = now.stays;
    this.bills = now.bills;
    this.waiting = now.waiting;
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
    if (stay.bay_id) this.told.stays.set(stay.bay_id, stay);
    this.lay();
    this.warned.set(stay.id, stay.warnings);
  }

  /** What the attendant was told when attaching the plate. */
  warnings(stayId: string): readonly string[] {
    return this.warned.get(stayId) ?? [];
  }

  /** Take a bill off the list once it is paid. */
  settled(billId: string): void {
    this.told.bills = this.told.bills.filter((bill) => bill.id !== billId);
    this.lay();
  }

  tasks(): Task[] {
    return tasks(
      [...this.stays].map(([bayId, stay]) => ({
        id: stay.id,
        bayId,
        bayLabel: this.short(stay.bay_label),
        openedMs: instant(stay.opened_at),
        // What is set aside, or part of a stay that has one, needs none.
        hasPlate: stay.plate !== null || stay.set_aside !== null || Boolean(stay.exempt) || stay.part_of !== null,
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
