/** A post as it was last read, for a start without a line; the service worker drops it at a log-out. */
import type { Bay, Bill, Exemptions, Facility, FeesByStart, PatrolAnswer, Session } from "../api/types";
import type { KeptFees } from "./fees";
import type { Mark, RoundPhoto } from "./patrol_tasks";

/** The worker's log-out names it as well. */
const DATABASE = "greenbay-post";
const STORE = "posts";
const PATROLS = "patrols";
/** One list alone is kept: around the post. */
const AROUND = "around";

export interface KeptPost {
  readonly facility: Facility;
  readonly bays: readonly Bay[];
  readonly stays: readonly Session[];
  readonly bills: readonly Bill[];
  readonly readAtMs: number;
  readonly fees: KeptFees;
  /** Missing on devices that kept the post before there was any. */
  readonly rules?: Exemptions | null;
  readonly byStart?: FeesByStart | null;
}

export interface KeptPatrol {
  readonly answer: PatrolAnswer | null;
  readonly readAtMs: number | null;
  /** What was said of tasks and is not known to the city. */
  readonly marks: readonly Mark[];
  /** Photos that the city has not got; missing on devices that kept the list before there were any. */
  readonly photos?: readonly RoundPhoto[];
}

async function using<T>(
  mode: IDBTransactionMode,
  run: (store: IDBObjectStore) => IDBRequest,
  name: string = STORE,
): Promise<T> {
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const asked = indexedDB.open(DATABASE, 2);
    asked.onupgradeneeded = () => {
      for (const each of [STORE, PATROLS]) {
        if (!asked.result.objectStoreNames.contains(each)) asked.result.createObjectStore(each);
      }
    };
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error ?? new Error("no storage"));
  });
  try {
    return await new Promise<T>((resolve, reject) => {
      const work = database.transaction(name, mode);
      const asked = run(work.objectStore(name));
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

/** False where there is no room: then the list works with a line alone. */
export async function keepPatrol(patrol: KeptPatrol): Promise<boolean> {
  try {
    await using("readwrite", (store) => store.put(patrol, AROUND), PATROLS);
    return true;
  } catch {
    return false;
  }
}

export async function keptPatrol(): Promise<KeptPatrol | null> {
  try {
    return (await using<KeptPatrol | undefined>("readonly", (store) => store.get(AROUND), PATROLS)) ?? null;
  } catch {
    return null;
  }
}
