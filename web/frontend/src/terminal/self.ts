/** What this device knows of itself, kept in IndexedDB: its key never leaves it, not even for us. */
import type { PublicJwk } from "./signing";

export interface Self {
  /** The terminal's id; null until it is enrolled. */
  readonly id: string | null;
  readonly name: string;
  readonly key: CryptoKey;
  readonly jwk: PublicJwk;
  /** Of the last request that was signed. */
  readonly sequence: number;
  /** The server's clock less this device's; null until it told the time. */
  readonly behindMs: number | null;
}

const DATABASE = "greenbay-terminal";
const STORE = "terminal";

/** What this device is, and what it will be once its enrolment is answered. */
export type Slot = "self" | "next";

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open(DATABASE, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE);
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error ?? new Error("no storage"));
  });
}

/** Read, change and write in one transaction: two tabs never take the same number. */
async function changed(slot: Slot, change: (known: Self | null) => Self | null): Promise<Self | null> {
  const database = await opened();
  try {
    return await new Promise((resolve, reject) => {
      const work = database.transaction(STORE, "readwrite");
      const store = work.objectStore(STORE);
      let now: Self | null = null;
      const asked = store.get(slot) as IDBRequest<Self | undefined>;
      asked.onsuccess = () => {
        const known = asked.result ?? null;
        now = change(known);
        if (now !== null && now !== known) store.put(now, slot);
      };
      work.oncomplete = () => resolve(now);
      work.onabort = () => reject(work.error ?? new Error("storage refused"));
      work.onerror = () => reject(work.error ?? new Error("storage refused"));
    });
  } finally {
    database.close();
  }
}

/** What this device is; null where it is no terminal, or its browser keeps nothing. */
export async function known(): Promise<Self | null> {
  try {
    return await changed("self", (self) => self);
  } catch {
    return null;
  }
}

/** Make a key to enrol with, unless one waits: a lost answer is asked for again with the same one. */
export async function prepared(): Promise<Self> {
  const waiting = await changed("next", (self) => self);
  if (waiting) return waiting;
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
  const { x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  if (!x || !y) throw new Error("the key has no coordinates");
  const fresh: Self = { id: null, name: "", key: pair.privateKey, jwk: { x, y }, sequence: 0, behindMs: null };
  return (await changed("next", (self) => self ?? fresh)) ?? fresh;
}

/** The enrolment was answered: what was to be is what this device is from now on, in one transaction. */
export async function became(id: string, name: string, behindMs: number): Promise<void> {
  const database = await opened();
  try {
    await new Promise<void>((resolve, reject) => {
      const work = database.transaction(STORE, "readwrite");
      const store = work.objectStore(STORE);
      const asked = store.get("next") as IDBRequest<Self | undefined>;
      asked.onsuccess = () => {
        if (!asked.result) return;
        store.put({ ...asked.result, id, name, behindMs }, "self");
        store.delete("next");
      };
      work.oncomplete = () => resolve();
      work.onabort = () => reject(work.error ?? new Error("storage refused"));
    });
  } finally {
    database.close();
  }
}

/** What there was no room to write: a device that is full signs on, or it could never send what fills it. */
const unwritten = new Map<Slot, Self>();

/** As `changed`, and known until the page ends where it cannot be written. */
async function changedAtLeastHere(slot: Slot, change: (known: Self) => Self): Promise<Self | null> {
  let now: Self | null = null;
  const from = (stored: Self | null): Self | null => {
    const here = unwritten.get(slot);
    const latest = here && here.id === stored?.id && here.sequence > stored.sequence ? here : stored;
    now = latest && change(latest);
    return now;
  };
  try {
    const stored = await changed(slot, from);
    unwritten.delete(slot);
    return stored;
  } catch (error) {
    if (now === null) throw error;
    // Lost with the page it does no harm: the city tells the number to go on from.
    unwritten.set(slot, now);
    return now;
  }
}

export async function noted(parts: Partial<Self>, slot: Slot = "self"): Promise<Self | null> {
  return changedAtLeastHere(slot, (self) => ({ ...self, ...parts }));
}

/** Take the next running number. */
export async function numbered(slot: Slot = "self"): Promise<Self | null> {
  return changedAtLeastHere(slot, (self) => ({ ...self, sequence: self.sequence + 1 }));
}
