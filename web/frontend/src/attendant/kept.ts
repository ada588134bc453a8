/** A post as it was last read, for a start without a line; the service worker drops it at a log-out. */
import type { Bay, Bill, Facility, Session } from "../api/types";
import type { KeptFees } from "./fees";

/** The worker's log-out names it as well. */
const DATABASE = "greenbay-post";
const STORE = "posts";

export interface KeptPost {
  readonly facility: Facility;
  readonly bays: readonly Bay[];
  readonly stays: readonly Session[];
  readonly bills: readonly Bill[];
  readonly readAtMs: number;
  readonly fees: KeptFees;
}

async function using<T>(mode: IDBTransactionMode, run: (store: IDBObjectStore) => IDBRequest): Promise<T> {
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const asked = indexedDB.open(DATABASE, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE);
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error ?? new Error("no storage"));
  });
  try {
    return await new Promise<T>((resolve, reject) => {
      const work = database.transaction(STORE, mode);
      const asked = run(work.objectStore(STORE));
      work.oncomplete = () => resolve(asked.result as T);
      work.onabort = () => reject(work.error ?? new Error("storage refused"));
    });
  } finally {
    database.close();
  }
}

/** Only this one post is kept: an attendant has one. */
export async function keepPost(post: KeptPost): Promise<void> {
  try {
    await using("readwrite", (store) => {
      store.clear();
      return store.put(post, post.facility.id);
    });
  } catch {
    // Without room the page works with a line alone.
  }
}

export async function keptPost(facilityId: string): Promise<KeptPost | null> {
  try {
    return (await using<KeptPost | undefined>("readonly", (store) => store.get(facilityId))) ?? null;
  } catch {
    return null;
  }
}
