/** Requests to our own API: problem documents become errors, acts carry their idempotency key. */

import { noteCityTime } from "../shell/clock";
import type { ProblemDocument } from "./types";

/** A problem document (RFC 9457), or what stands for one when the network gave no answer. */
export class ProblemError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly field: string | null = null,
    readonly retryAfterS: number | null = null,
  ) {
    super(detail || code);
  }

  /** No answer at all: the line or the server is down; what was asked may or may not have happened. */
  get offline(): boolean {
    return this.status === 0;
  }
}

const TIMEOUT_MS = 15_000;

function csrf(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csrf"]')?.content ?? "";
}

async function problemOf(response: Response): Promise<ProblemError> {
  let document_: Partial<ProblemDocument> = {};
  try {
    document_ = (await response.json()) as Partial<ProblemDocument>;
  } catch {
    // A proxy answered with something else; the status says enough.
  }
  const first = document_.errors?.[0];
  const retry = Number(response.headers.get("Retry-After"));
  return new ProblemError(
    response.status,
    document_.type?.split(":").pop() ?? String(response.status),
    first?.detail ?? document_.detail ?? document_.title ?? response.statusText,
    first?.field ?? null,
    Number.isFinite(retry) && retry > 0 ? retry : null,
  );
}

async function send(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      credentials: "same-origin",
      ...init,
      // Refusals are shown as they come: in the page's language.
      headers: { ...init.headers, "Accept-Language": document.documentElement.lang },
      signal: init.signal ?? AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ProblemError(0, "offline", "");
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

type Query = Readonly<Record<string, string | number | boolean | null | undefined>>;

export function withQuery(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined) search.set(name, String(value));
  }
  const tail = search.toString();
  return tail ? `${path}?${tail}` : path;
}

/** Read; the browser's cache revalidates with the ETag, so that an unchanged answer costs nothing. */
export async function read<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> {
  const response = await send(withQuery(path, query), {
    cache: "no-cache",
    headers: { Accept: "application/json" },
    ...(signal ? { signal } : {}),
  });
  return (await response.json()) as T;
}

/** A fresh key for one act; keep it over every retry of that act. */
export function actKey(): string {
  return crypto.randomUUID();
}

/** Act once: the same key is sent again when the line drops, so that nothing happens twice. */
export async function act<T>(
  method: "POST" | "PUT" | "PATCH" | "DELETE",
  path: string,
  body: unknown,
  key: string = actKey(),
  timeoutMs: number = TIMEOUT_MS,
): Promise<T> {
  const init = (): RequestInit => ({
    method,
    signal: AbortSignal.timeout(timeoutMs),
    headers: {
      "Content-Type": "application/json",
      Accept: "application/json",
      "X-CSRF-Token": csrf(),
      "Idempotency-Key": key,
    },
    body: JSON.stringify(body),
  });
  let response: Response;
  try {
    response = await send(path, init());
  } catch (error) {
    if (!(error instanceof ProblemError) || !error.offline || !navigator.onLine) throw error;
    response = await send(path, init());
  }
  // What was done now must not lie ahead of a page whose clock lags by the answer that set it.
  const doneMs = Date.parse(response.headers.get("City-Time") ?? "");
  if (!Number.isNaN(doneMs)) noteCityTime(doneMs);
  return (response.status === 204 ? null : await response.json()) as T;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/** Every item of a list, page after page, up to a bound. */
export async function readAll<T>(path: string, query: Query = {}, most = 2_000): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<T> = await read<Page<T>>(path, { ...query, cursor });
    items.push(...page.items);
    cursor = page.next;
  } while (cursor !== null && items.length < most);
  return items;
}
