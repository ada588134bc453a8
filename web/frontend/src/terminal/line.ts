/** Signed requests of this terminal: a wrong clock and a lost count are put right and sent again. */
import type { ActResults, PhotoReceived, SignedIn, TerminalStanding } from "../api/types";
import { noteStanding } from "./city_clock";
import { became, known, noted, numbered, prepared, type Slot } from "./self";
import { signed, thumbprint } from "./signing";

/** Why a request was refused, and what the server says of it. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    detail: string,
    /** Of a photo: how much of it the city has. */
    readonly received: number | null = null,
  ) {
    super(detail);
  }
}

interface Told {
  readonly reason?: string;
  readonly detail?: string;
  readonly server_at?: string;
  readonly next_sequence?: number;
  readonly received?: number;
}

const TRIES = 3;
const TIMEOUT_MS = 15_000;

/** One at a time over all tabs: numbers that overtake each other would be refused. */
function post<T>(path: string, body: object, slot: Slot = "self"): Promise<T> {
  return navigator.locks.request("greenbay-terminal", () => sent<T>(path, body, slot)) as Promise<T>;
}

async function sent<T>(path: string, body: object, slot: Slot): Promise<T> {
  const written = JSON.stringify(body);
  for (let left = TRIES; ; left -= 1) {
    const self = await numbered(slot);
    if (!self) throw new Refused(0, "not-enrolled", "");
    const keyName = self.id ?? (await thumbprint(self.jwk));
    const target = { method: "POST", path, query: "" };
    const atMs = Date.now() + (self.behindMs ?? 0);
    const headers = await signed(self.key, keyName, target, written, self.sequence, atMs);
    const csrf = document.querySelector<HTMLMetaElement>('meta[name="csrf"]')?.content ?? "";
    const answer = await fetch(path, {
      method: "POST",
      credentials: "same-origin",
      headers: {
        ...headers,
        "Content-Type": "application/json",
        "Accept-Language": document.documentElement.lang,
        "X-CSRF-Token": csrf,
      },
      body: written,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (answer.ok) return (await answer.json()) as T;
    const told = (await answer.json().catch(() => ({}))) as Told;
    if (left > 1 && told.reason === "clock" && told.server_at) {
      await noted({ behindMs: Date.parse(told.server_at) - Date.now() }, slot);
    } else if (left > 1 && told.reason === "replayed" && told.next_sequence) {
      await noted({ sequence: told.next_sequence - 1 }, slot);
    } else throw new Refused(answer.status, told.reason ?? "", told.detail ?? answer.statusText, told.received ?? null);
  }
}

function behind(told: TerminalStanding): number {
  return Date.parse(told.server_at) - Date.now();
}

/** Bind this device's key to the terminal that a code is for. */
export async function enrol(code: string): Promise<TerminalStanding> {
  const { jwk } = await prepared();
  const body = { code, public_key: { kty: "EC", crv: "P-256", ...jwk }, app_version: appVersion() };
  const told = await post<TerminalStanding>("/api/v1/terminals/enrolment", body, "next");
  await became(told.id, told.name, behind(told));
  return told;
}

/** Sign whoever is logged in on this page in at this terminal; null where it is none. */
export async function signIn(): Promise<SignedIn | null> {
  const self = await known();
  if (!self?.id) return null;
  const told = await post<SignedIn>("/api/v1/terminals/sign-ins", { terminal_id: self.id });
  noteStanding(told.terminal.server_at, told.terminal.city_at);
  return told;
}

export type ActsAnswer = ActResults;

/** Send a batch of acts; each is answered by itself. */
export function sendActs(sentAt: string, items: readonly object[]): Promise<ActsAnswer> {
  return post<ActsAnswer>("/api/v1/terminals/acts", { sent_at: sentAt, items });
}

/** Send a part of a photo that an act names; the act went before it. */
export function sendPhotoPart(part: object): Promise<PhotoReceived> {
  return post<PhotoReceived>("/api/v1/terminals/photos", part);
}

/** What waits on this device. */
export interface Queue {
  readonly waiting: number;
  readonly oldestAt: string | null;
  /** As of when its tables of fees are; null where it has none. */
  readonly pricesOf: string | null;
  /** Where the device is, where that may be known. */
  readonly place: { readonly longitude: number; readonly latitude: number } | null;
}

/** About 100 m: more is nobody's business, and the city keeps no more. */
function coarse(degrees: number): number {
  return Math.round(degrees * 1_000) / 1_000;
}

/** Say how this terminal does; null where it is none. */
export async function tellHealth(queue: Queue): Promise<TerminalStanding | null> {
  const self = await known();
  if (!self?.id) return null;
  const told = await post<TerminalStanding>("/api/v1/terminals/health", {
    app_version: appVersion(),
    acts_waiting: queue.waiting,
    ...(queue.pricesOf ? { tariffs_version: queue.pricesOf } : {}),
    ...(queue.oldestAt ? { oldest_waiting_at: queue.oldestAt } : {}),
    ...(queue.place ? { longitude: coarse(queue.place.longitude), latitude: coarse(queue.place.latitude) } : {}),
    network: navigator.onLine ? network() : "none",
    clock_behind_ms: self.behindMs === null ? null : Math.round(self.behindMs),
    ...(await battery()),
  });
  await noted({ name: told.name, behindMs: behind(told) });
  noteStanding(told.server_at, told.city_at);
  return told;
}

/** The script's own hashed name: it changes with every release that changes it. */
function appVersion(): string {
  return (new URL(import.meta.url).pathname.split("/").pop() ?? "app").replace(/\.m?js$/, "").slice(0, 64);
}

interface Battery {
  readonly level: number;
  readonly charging: boolean;
}

async function battery(): Promise<{ battery_percent?: number; charging?: boolean }> {
  const browser = navigator as Navigator & { getBattery?: () => Promise<Battery> };
  const told = await browser.getBattery?.().catch(() => null);
  return told ? { battery_percent: Math.round(told.level * 100), charging: told.charging } : {};
}

function network(): "wifi" | "cellular" | "other" {
  const { connection } = navigator as Navigator & { connection?: { type?: string } };
  return connection?.type === "wifi" || connection?.type === "cellular" ? connection.type : "other";
}
