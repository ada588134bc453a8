/** What a driver looks for, as the page's address keeps it and as the API is asked. Pure. */
import { parseAmount } from "../format/money";

export type LonLat = readonly [number, number];
export type Vehicle = "small" | "new" | "large" | "motorcycle";
export type Only = "any" | "charging" | "disabled";

export interface Destination {
  readonly at: LonLat;
  /** As it was called when it was chosen; empty for a point of the map. */
  readonly name: string;
}

export interface Wish {
  readonly to: Destination | null;
  /** Null: now, or as soon as the drive takes. */
  readonly arriveMs: number | null;
  readonly stayMin: number;
  readonly vehicle: Vehicle;
  readonly only: Only;
  /** As typed: a filter that cannot be read is said to be so, and not left out in silence. */
  readonly price: string;
  readonly height: string;
  readonly walkM: number | null;
  readonly radiusM: number;
}

export const STAYS_MIN = [30, 60, 120, 180, 240, 480, 720, 1_440] as const;
export const WALKS_M = [200, 400, 600, 1_000] as const;
export const RADII_M = [800, 2_000, 5_000] as const;
const MINUTE_MS = 60_000;
const LIMIT = 15;
const CURRENCY = "CNY";
const HIGHEST_M = 10;
const LONGEST_NAME = 80;

export const NOTHING_WISHED: Wish = {
  to: null,
  arriveMs: null,
  stayMin: 120,
  vehicle: "small",
  only: "any",
  price: "",
  height: "",
  walkM: null,
  radiusM: RADII_M[0],
};

function oneOf<T extends string>(value: string | null, all: readonly T[], other: T): T {
  return all.find((each) => each === value) ?? other;
}

function numberOf(value: string | null, all: readonly number[]): number | null {
  return all.find((each) => String(each) === value) ?? null;
}

function destinationOf(search: URLSearchParams): Destination | null {
  const match = /^(-?\d{1,3}(?:\.\d{1,8})?),(-?\d{1,2}(?:\.\d{1,8})?)$/.exec(search.get("to") ?? "");
  const at: LonLat = [Number(match?.[1] ?? NaN), Number(match?.[2] ?? NaN)];
  if (!(Math.abs(at[0]) <= 180 && Math.abs(at[1]) <= 90)) return null;
  return { at, name: (search.get("name") ?? "").slice(0, LONGEST_NAME) };
}

/** Read a wish from an address's fragment; what cannot be read is as if it were not there. */
export function wishOf(fragment: string): Wish {
  const search = new URLSearchParams(fragment.replace(/^#/, ""));
  const arriveMs = Date.parse(search.get("arrive") ?? "");
  return {
    to: destinationOf(search),
    arriveMs: Number.isNaN(arriveMs) ? null : arriveMs,
    stayMin: numberOf(search.get("stay"), STAYS_MIN) ?? NOTHING_WISHED.stayMin,
    vehicle: oneOf(search.get("vehicle"), ["small", "new", "large", "motorcycle"], "small"),
    only: oneOf(search.get("only"), ["any", "charging", "disabled"], "any"),
    price: (search.get("price") ?? "").slice(0, 9),
    height: (search.get("height") ?? "").slice(0, 5),
    walkM: numberOf(search.get("walk"), WALKS_M),
    radiusM: numberOf(search.get("radius"), RADII_M) ?? RADII_M[0],
  };
}

/** The fragment of a wish: where the driver is never stands in it. */
export function fragmentOf(wish: Wish, bayId: string | null = null): string {
  const search = new URLSearchParams();
  if (wish.to) {
    search.set("to", wish.to.at.map((each) => each.toFixed(6)).join(","));
    if (wish.to.name) search.set("name", wish.to.name);
  }
  if (wish.arriveMs !== null) search.set("arrive", new Date(wish.arriveMs).toISOString());
  const plain = NOTHING_WISHED;
  if (wish.stayMin !== plain.stayMin) search.set("stay", String(wish.stayMin));
  if (wish.vehicle !== plain.vehicle) search.set("vehicle", wish.vehicle);
  if (wish.only !== plain.only) search.set("only", wish.only);
  if (wish.price) search.set("price", wish.price);
  if (wish.height) search.set("height", wish.height);
  if (wish.walkM !== null) search.set("walk", String(wish.walkM));
  if (wish.radiusM !== plain.radiusM) search.set("radius", String(wish.radiusM));
  if (bayId) search.set("bay", bayId);
  const words = search.toString();
  return words ? `#${words}` : "";
}

export function bayOf(fragment: string): string | null {
  const bay = new URLSearchParams(fragment.replace(/^#/, "")).get("bay");
  return bay && /^[0-9a-f-]{36}$/.test(bay) ? bay : null;
}

/** Metres as typed, '2.1' or '2,1'; null for none, NaN where it is no height of a vehicle. */
export function heightOf(typed: string): number | null {
  if (!typed.trim()) return null;
  const match = /^\s*(\d{1,2}(?:[.,]\d{1,2})?)\s*(?:m|米)?\s*$/.exec(typed);
  const height = Number((match?.[1] ?? "").replace(",", ".") || NaN);
  return height > 0 && height <= HIGHEST_M ? height : NaN;
}

/** Minor units as typed; null for none, NaN where it is no amount. */
export function ceilingOf(typed: string): number | null {
  return typed.trim() ? (parseAmount(typed, CURRENCY) ?? NaN) : null;
}

export type Fault = "arrive_past" | "arrive_far" | "price" | "height" | "charging";

const PUNCTUAL_MS = 5 * MINUTE_MS;
const FURTHEST_MS = 14 * 24 * 60 * MINUTE_MS;

/** The first thing about a wish that cannot be asked; null where all of it can. */
export function faultOf(wish: Wish, nowMs: number): Fault | null {
  if (wish.arriveMs !== null) {
    if (wish.arriveMs < nowMs - PUNCTUAL_MS) return "arrive_past";
    if (wish.arriveMs > nowMs + FURTHEST_MS) return "arrive_far";
  }
  if (Number.isNaN(ceilingOf(wish.price))) return "price";
  if (Number.isNaN(heightOf(wish.height))) return "height";
  if (wish.only === "charging" && wish.vehicle !== "new") return "charging";
  return null;
}

/** How many filters are set: what may be cleared where nothing is found. */
export function filtersOf(wish: Wish): number {
  const set = [wish.vehicle !== "small", wish.only !== "any", wish.walkM !== null];
  return set.filter(Boolean).length + [wish.price, wish.height].filter((each) => each.trim()).length;
}

export function withoutFilters(wish: Wish): Wish {
  const { vehicle, only, price, height, walkM } = NOTHING_WISHED;
  return { ...wish, vehicle, only, price, height, walkM };
}

/** When the car is to leave, on a whole minute, so that equal questions have equal answers. */
export function leaveMsOf(wish: Wish, nowMs: number): number {
  const leaveMs = (wish.arriveMs ?? nowMs) + wish.stayMin * MINUTE_MS;
  return Math.floor(leaveMs / MINUTE_MS) * MINUTE_MS;
}

/** Vehicle and energy as the API names them. */
export function traitsOf(vehicle: Vehicle): {
  readonly vehicle: "small" | "large" | "motorcycle";
  readonly energy: "new" | null;
} {
  return vehicle === "new" ? { vehicle: "small", energy: "new" } : { vehicle, energy: null };
}

/** The question to `bays/nearest`; for a wish without a fault and with a destination. */
export function questionOf(
  wish: Wish,
  origin: LonLat | null,
  nowMs: number,
): Record<string, string | number | null> {
  const [longitude, latitude] = wish.to?.at ?? [0, 0];
  // Given back as it stands when it lies a moment in the past: forms are filled in slowly.
  const arriveMs = wish.arriveMs !== null && wish.arriveMs > nowMs ? wish.arriveMs : null;
  return {
    longitude,
    latitude,
    radius_m: Math.max(wish.radiusM, wish.walkM ?? 0),
    limit: LIMIT,
    per_facility: 1,
    ...traitsOf(wish.vehicle),
    arrive_at: arriveMs === null ? null : new Date(arriveMs).toISOString(),
    leave_at: new Date(leaveMsOf(wish, nowMs)).toISOString(),
    from_longitude: origin ? Number(origin[0].toFixed(5)) : null,
    from_latitude: origin ? Number(origin[1].toFixed(5)) : null,
    only: wish.only === "any" ? null : wish.only,
    height_m: heightOf(wish.height),
    walk_at_most_m: wish.walkM,
    price_at_most_minor: ceilingOf(wish.price),
  };
}
