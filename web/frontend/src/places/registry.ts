/** What is registered, as this page knows it: operators, facilities, and bays once asked for. */
import { read, readAll } from "../api/client";
import type { Operator, PlaceVersion, RegisteredFacility, Tariff } from "../api/types";
import { inWalkingOrder } from "../format/labels";
import { folded } from "../map/order";
import { inLanguage, language } from "../shell/text";
import type { Rule, Span } from "./times";

export const PURPOSES = ["public", "reserved", "permit"] as const;
export type Purpose = (typeof PURPOSES)[number];
/** Bays by whom they are for; never added up. */
export type ByPurpose = Readonly<Record<Purpose, number>>;

interface Names {
  readonly zh: string;
  readonly en: string;
}

/** Members of a place that this page reads; the API keeps more, which edits leave alone. */
export interface FacilityState {
  readonly id: string;
  readonly code: string;
  readonly district: string;
  readonly ownership: string;
  readonly kind: string;
  readonly name: Names;
  readonly position: readonly number[];
  readonly timezone: string;
  readonly operator_id: string;
  readonly revenue_nature: string;
  readonly tariff_id: string | null;
  readonly address: string | null;
  readonly onboarding: string;
  readonly title: string;
  readonly opening: readonly Span[];
  readonly rules: readonly Rule[];
  readonly limits: Readonly<Record<string, number | null>>;
  readonly machine: Readonly<Record<string, number>> | null;
}

export interface ZoneState {
  readonly id: string;
  readonly facility_id: string;
  readonly code: string;
  readonly kind: string;
  readonly name: Names;
  readonly level: number | null;
  readonly length_m: number | null;
  readonly rules: readonly Rule[];
}

export interface BayState {
  readonly id: string;
  readonly facility_id: string;
  readonly label: string;
  readonly kind: string;
  readonly purpose: Purpose;
  readonly ground: string;
  readonly located: string;
  readonly position: readonly number[];
  readonly bearing_deg: number | null;
  readonly length_m: number | null;
  readonly width_m: number | null;
  readonly zone_id: string | null;
  readonly rules: readonly Rule[];
  readonly grid_cell: string | null;
  readonly component_code: string | null;
  readonly retired_at: string | null;
}

/** A place as it stands, with the version that an edit states. */
export interface Kept<State> {
  readonly version: number;
  readonly fromAt: string;
  readonly changedBy: string;
  readonly state: State;
}

/** The schema leaves a place's members open, since three kinds of place share it. */
export function kept<State>(found: PlaceVersion): Kept<State> {
  return {
    version: found.version,
    fromAt: found.from_at,
    changedBy: found.changed_by,
    state: found.state as unknown as State,
  };
}

export interface Inside {
  readonly zones: readonly Kept<ZoneState>[];
  readonly bays: readonly Kept<BayState>[];
}

export function nameOf(place: { readonly name: Names }): string {
  return inLanguage(place.name.zh, place.name.en);
}

export function zoneName(zone: ZoneState): string {
  return nameOf(zone) || zone.code;
}

export function sumOf(all: Iterable<ByPurpose>): ByPurpose {
  const sum = { public: 0, reserved: 0, permit: 0 };
  for (const each of all) for (const purpose of PURPOSES) sum[purpose] += each[purpose];
  return sum;
}

export function purposesOf(bays: readonly Kept<BayState>[]): ByPurpose {
  const sum = { public: 0, reserved: 0, permit: 0 };
  for (const { state } of bays) sum[state.purpose] += 1;
  return sum;
}

export class Registry {
  operators: readonly Operator[] = [];
  facilities: readonly RegisteredFacility[] = [];
  tariffs: readonly Tariff[] = [];
  private readonly inside = new Map<string, Promise<Inside>>();

  async load(): Promise<void> {
    const [operators, facilities, tariffs] = await Promise.all([
      readAll<Operator>("/api/v1/operators", { limit: 500 }),
      readAll<RegisteredFacility>("/api/v1/registered-facilities", { limit: 500 }, 20_000),
      // An engineer sees places and no tariffs.
      readAll<Tariff>("/api/v1/tariffs", { limit: 100 }).catch(() => []),
    ]);
    this.operators = operators;
    this.facilities = facilities;
    this.tariffs = tariffs;
    this.inside.clear();
  }

  facility(id: string): RegisteredFacility | null {
    return this.facilities.find((each) => each.id === id) ?? null;
  }

  tariffName(id: string | null): string | null {
    const found = this.tariffs.find((each) => each.id === id);
    return found ? inLanguage(found.name.zh, found.name.en) : null;
  }

  /** A facility's zones and bays; asked for once until something changes. */
  insideOf(facilityId: string): Promise<Inside> {
    const known = this.inside.get(facilityId);
    if (known) return known;
    const path = `/api/v1/facilities/${facilityId}`;
    const loading = Promise.all([
      read<{ items: PlaceVersion[] }>(`${path}/zones`),
      readAll<PlaceVersion>(`${path}/bay-records`, { limit: 500 }, 20_000),
    ]).then(([zones, bays]) => ({
      zones: zones.items.map((each) => kept<ZoneState>(each)),
      bays: inWalkingOrder(
        bays.map((each) => ({ label: (each.state as { label?: string }).label ?? "", each })),
      ).map(({ each }) => kept<BayState>(each)),
    }));
    this.inside.set(facilityId, loading);
    loading.catch(() => this.inside.delete(facilityId));
    return loading;
  }

  forget(facilityId: string): void {
    this.inside.delete(facilityId);
  }

  /** Facilities that a search and a state leave, by operator; both in the order of their names. */
  grouped(search: string, onboarding: string): (readonly [Operator, readonly RegisteredFacility[]])[] {
    const collator = new Intl.Collator(language() === "zh" ? "zh-CN-u-co-pinyin" : "en", { numeric: true });
    const wanted = folded(search);
    const byOperator = new Map<string, RegisteredFacility[]>();
    for (const each of this.facilities) {
      if (onboarding && each.onboarding !== onboarding) continue;
      if (wanted && ![each.name.zh, each.name.en, each.code].some((name) => folded(name).includes(wanted))) continue;
      const list = byOperator.get(each.operator_id);
      if (list) list.push(each);
      else byOperator.set(each.operator_id, [each]);
    }
    return this.operators
      .filter((operator) => byOperator.has(operator.id) || (!wanted && !onboarding))
      .map((operator) => {
        const facilities = byOperator.get(operator.id) ?? [];
        facilities.sort((a, b) => collator.compare(nameOf(a), nameOf(b)));
        return [operator, facilities] as const;
      })
      .sort(([a], [b]) => collator.compare(nameOf(a), nameOf(b)));
  }
}
