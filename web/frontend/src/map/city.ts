/** The city as this page knows it: facilities from the API, bays from the live feed. */
import { readAll } from "../api/client";
import { lonLat, type Bay, type Facility } from "../api/types";
import { shortLabel } from "../format/labels";
import { instant } from "../format/time";
import { Occupancy, type Counts, type LiveBay, type LiveRow } from "../live/occupancy";
import { noteCityTime } from "../shell/clock";
import { publicCounts } from "./capacity";
import type { Listed } from "./order";

export interface Place extends Listed {
  readonly facility: Facility;
  readonly heardMs: number | null;
}

export class City {
  readonly live = new Occupancy();
  private readonly facilities = new Map<string, Facility>();
  private readonly heard = new Map<string, number>();
  private readonly bays = new Map<string, Bay>();
  private readonly loaded = new Map<string, Promise<readonly Bay[]>>();
  private readonly ofFacility = new Map<string, readonly Bay[]>();

  async loadFacilities(): Promise<void> {
    const all = await readAll<Facility>("/api/v1/facilities", { limit: 500 });
    this.facilities.clear();
    for (const facility of all) {
      this.facilities.set(facility.id, facility);
      if (facility.heard_at) this.hear(facility.id, instant(facility.heard_at));
    }
  }

  snapshot(rows: readonly LiveRow[], fresh: boolean): void {
    this.live.snapshot(rows, fresh);
    for (const bay of this.live.bays.values()) this.hearBay(bay);
  }

  /** Take changes; returns those whose state is another than before. */
  changes(rows: readonly LiveRow[]): LiveBay[] {
    const turned: LiveBay[] = [];
    for (const row of rows) {
      const { before, after } = this.live.change(row);
      this.hearBay(after);
      if (before?.state !== after.state) turned.push(after);
    }
    return turned;
  }

  places(): Place[] {
    return [...this.facilities.values()].map((facility) => this.placeOf(facility));
  }

  place(id: string): Place | null {
    const facility = this.facilities.get(id);
    return facility ? this.placeOf(facility) : null;
  }

  /** Counts of the public's bays. */
  counts(facility: Facility): Counts {
    return publicCounts(
      facility,
      this.live.counts(facility.id),
      this.ofFacility.get(facility.id) ?? null,
      (id) => this.stateOf(id)?.state ?? null,
    );
  }

  /** A facility's bays with their labels; fetched once, their states come from the feed. */
  baysOf(facilityId: string): Promise<readonly Bay[]> {
    const known = this.loaded.get(facilityId);
    if (known) return known;
    const loading = readAll<Bay>(`/api/v1/facilities/${facilityId}/bays`, { limit: 500 });
    this.loaded.set(facilityId, loading);
    loading.then(
      (bays) => {
        bays.forEach((bay) => this.bays.set(bay.id, bay));
        this.ofFacility.set(facilityId, bays);
      },
      () => this.loaded.delete(facilityId),
    );
    return loading;
  }

  /** Bays were changed: ask for them again when they are wanted. */
  forgetBays(): void {
    this.bays.clear();
    this.loaded.clear();
    this.ofFacility.clear();
  }

  /** A bay's number as painted on the kerb. */
  shortLabel(bay: Bay): string {
    return shortLabel(bay.label, this.facilities.get(bay.facility_id)?.code ?? "");
  }

  bay(id: string): Bay | null {
    return this.bays.get(id) ?? null;
  }

  /** A bay as it is now: from the feed, else as the API last gave it. */
  stateOf(id: string): LiveBay | null {
    const live = this.live.bays.get(id);
    if (live) return live;
    const bay = this.bays.get(id);
    return bay ? liveOf(bay) : null;
  }

  private placeOf(facility: Facility): Place {
    return {
      id: facility.id,
      code: facility.code,
      zh: facility.name.zh,
      en: facility.name.en,
      position: lonLat(facility.position),
      counts: this.counts(facility),
      heardMs: this.heard.get(facility.id) ?? null,
      facility,
    };
  }

  private hearBay(bay: LiveBay): void {
    if (bay.heardMs !== null) this.hear(bay.facilityId, bay.heardMs);
  }

  private hear(facilityId: string, atMs: number): void {
    noteCityTime(atMs);
    if (atMs > (this.heard.get(facilityId) ?? 0)) this.heard.set(facilityId, atMs);
  }
}

export function liveOf(bay: Bay): LiveBay {
  const [longitude, latitude] = lonLat(bay.position);
  return {
    id: bay.id,
    facilityId: bay.facility_id,
    longitude,
    latitude,
    state: bay.state,
    sinceMs: bay.since_at ? instant(bay.since_at) : null,
    sure: bay.sure,
    heardMs: bay.heard_at ? instant(bay.heard_at) : null,
    provisional: bay.provisional,
  };
}
