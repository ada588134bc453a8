/** A post as it was last read, for a start without a line; the service worker drops it at a log-out. */
import type { Bay, Bill, Colleague, Exemptions, Facility, FeesByStart, MyShift, PatrolAnswer, Session } from "../api/types";
import type { KeptFees } from "./fees";
import type { Mark, RoundPhoto } from "./patrol_tasks";

/** The worker's log-out names it as well. */
const DATABASE = "greenbay-post";
const STORE = "posts";
const PATROLS = "patrols";
/** One list alone is kept: around the post. */
const AROUND = "around";
const SHIFTS = "shifts";
/** So many posts are kept, those read last: an attendant goes round a few, and plates are not hoarded. */
export const MOST_POSTS = 6;

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

export interface KeptShift {
  readonly mine: MyShift;
  /** Who was on shift then; missing on devices that kept the shift before they were. */
  readonly colleagues?: readonly Colleague[];
  readonly readAtMs: number;
}

async function using<T>(
  mode: IDBTransactionMode,
  run: (store: IDBObjectStore) => IDBRequest,
  name: string = STORE,
): Promise<T> {
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const asked = indexedDB.open(DATABASE, 3);
    asked.onupgradeneeded = () => {
      for (const each of [STORE, PATROLS, SHIFTS]) {
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

/** Keep a post as it was just read, and forget those that were read longest ago. */
export async function keepPost(post: KeptPost): Promise<void> {
  try {
    await using("readwrite", (store) => {
      const all = store.getAll();
      all.onsuccess = () => {
        const others = (all.result as KeptPost[]).filter(({ facility }) => facility.id !== post.facility.id);
        others.sort((a, b) => b.readAtMs - a.readAtMs);
        for (const { facility } of others.slice(MOST_POSTS - 1)) store.delete(facility.id);
      };
      return store.put(post, post.facility.id);
    });
  } catch {
    // Without room the page works with a line alone.
  }
}

/** Posts that were read on this device, the last one first. */
export async function keptPosts(): Promise<KeptPost[]> {
  try {
    const found = await using<KeptPost[]>("readonly", (store) => store.getAll());
    return found.sort((a, b) => b.readAtMs - a.readAtMs);
  } catch {
    return [];
  }
}

/** One's own shift as it was last read here. */
export async function keepShift(account: string, kept: KeptShift): Promise<void> {
  try {
    await using("readwrite", (store) => store.put(kept, account), SHIFTS);
  } catch {
    // As above.
  }
}

export async function keptShift(account: string): Promise<KeptShift | null> {
  try {
    return (await using<KeptShift | undefined>("readonly", (store) => store.get(account), SHIFTS)) ?? null;
  } catch {
    return null;
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
