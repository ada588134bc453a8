/** Where acts are kept until the city has them: IndexedDB, written through to the disk. */
import type { Money } from "../format/money";
import type { KeptPhoto } from "./photos";
import { released, renumbered, type FreshAct, type KeptAct, type Settled } from "./acts";

const DATABASE = "greenbay-outbox";
const ACTS = "acts";
const FACTS = "facts";
export const PHOTOS = "photos";
const NEXT = "next";
const PERSON = "person";
const TERMINAL = "terminal";

/** Who is signed in at this terminal, as the city answered, and what they may do without a line. */
export interface Person {
  readonly accountId: string;
  readonly name: string;
  /** Most cash that the city need not know of. */
  readonly offlineCash: Money;
}

let open_: Promise<IDBDatabase> | null = null;

/**
 * What there was no room to write: known until the page ends, and written with what is written next.
 * A queue that could not leave a full device would never make room on it. Lost with the page it does
 * no harm: the city knows acts by their ids, and gives other numbers where these are taken.
 */
const unwritten = { next: 1, acts: new Map<number, KeptAct>() };

/** All of it is written, or of a terminal that this device is no more. */
function nothingUnwritten(): void {
  unwritten.next = 1;
  unwritten.acts.clear();
}

function withUnwritten(acts: readonly KeptAct[]): KeptAct[] {
  return acts.map((act) => unwritten.acts.get(act.order) ?? act);
}

/** Opened once: an act must not wait for it. */
export function opened(): Promise<IDBDatabase> {
  open_ ??= new Promise<IDBDatabase>((resolve, reject) => {
    const asked = indexedDB.open(DATABASE, 2);
    asked.onupgradeneeded = () => {
      const { result } = asked;
      const lacks = (name: string): boolean => !result.objectStoreNames.contains(name);
      if (lacks(ACTS)) result.createObjectStore(ACTS, { keyPath: "order", autoIncrement: true });
      if (lacks(FACTS)) result.createObjectStore(FACTS);
      if (lacks(PHOTOS)) result.createObjectStore(PHOTOS, { keyPath: "id" });
    };
    asked.onsuccess = () => {
      const database = asked.result;
      const forget = (): void => {
        open_ = null;
      };
      database.onclose = forget;
      database.onversionchange = () => {
        database.close();
        forget();
      };
      resolve(database);
    };
    asked.onerror = () => {
      open_ = null;
      reject(asked.error ?? new Error("no storage"));
    };
  });
  return open_;
}

/** Run one transaction; it counts once it is on the disk. */
async function transaction<T>(
  mode: IDBTransactionMode,
  run: (
    acts: IDBObjectStore,
    facts: IDBObjectStore,
    give: (value: T) => void,
    photos: IDBObjectStore,
  ) => void,
): Promise<T> {
  const database = await opened();
  return new Promise<T>((resolve, reject) => {
    const work = database.transaction([ACTS, FACTS, PHOTOS], mode, { durability: "strict" });
    let found: T | undefined;
    work.oncomplete = () => resolve(found as T);
    work.onabort = () => reject(work.error ?? new Error("storage refused"));
    const give = (value: T): void => {
      found = value;
    };
    run(work.objectStore(ACTS), work.objectStore(FACTS), give, work.objectStore(PHOTOS));
  });
}

function asked<T>(request: IDBRequest, then: (value: T) => void): void {
  request.onsuccess = () => then(request.result as T);
}

/** Keep an act with its photo; it may be shown as done once both are. */
export function add(act: FreshAct, photo: KeptPhoto | null = null): Promise<KeptAct> {
  return transaction<KeptAct>("readwrite", (acts, _facts, give, photos) => {
    if (photo) photos.put(photo);
    asked<number>(acts.add(act), (order) => give({ ...act, order }));
  });
}

export function all(): Promise<KeptAct[]> {
  return transaction<KeptAct[]>("readonly", (acts, _facts, give) =>
    asked<KeptAct[]>(acts.getAll(), (kept) => give(withUnwritten(kept))),
  );
}

/** Forget an act that has no number yet; false where it left already. */
export function undo(order: number): Promise<boolean> {
  return transaction<boolean>("readwrite", (acts, _facts, give, photos) => {
    give(false);
    asked<KeptAct | undefined>(acts.get(order), (act) => {
      if (act?.sequence !== null || unwritten.acts.has(order)) return;
      acts.delete(order);
      if (act.wanted.photo_id) photos.delete(act.wanted.photo_id);
      give(true);
    });
  });
}

/** Number what may leave now, and give all that is kept; where that cannot be written, send it yet. */
export async function release(deviceMs: number, atOnce: boolean): Promise<KeptAct[]> {
  const numbered = (mode: IDBTransactionMode, early: boolean): Promise<KeptAct[]> =>
    transaction<KeptAct[]>(mode, (acts, facts, give) => {
      asked<number | undefined>(facts.get(NEXT), (next = 1) => {
        asked<KeptAct[]>(acts.getAll(), (stored) => {
          const kept = withUnwritten(stored);
          const leaving = released(kept, Math.max(next, unwritten.next), deviceMs, early);
          const changed = new Map(leaving.acts.map((act) => [act.order, act]));
          if (mode === "readonly") {
            for (const act of leaving.acts) unwritten.acts.set(act.order, act);
            unwritten.next = leaving.next;
          } else {
            for (const act of leaving.acts) acts.put(act);
            for (const act of kept) if (unwritten.acts.has(act.order)) acts.put(act);
            if (leaving.next > next) facts.put(leaving.next, NEXT);
          }
          give(kept.map((act) => changed.get(act.order) ?? act));
        });
      });
    });
  try {
    const all = await numbered("readwrite", atOnce);
    nothingUnwritten();
    return all;
  } catch {
    // What can still be undone keeps no number: after a restart nobody would know that it had left.
    return numbered("readonly", false);
  }
}

/** Take what became of a batch, in one transaction: a device that dies before sends it again. */
export async function settle(decide: (next: number) => Settled): Promise<Settled> {
  const settled = (room: boolean): Promise<Settled> =>
    transaction<Settled>("readwrite", (acts, facts, give) => {
      asked<number | undefined>(facts.get(NEXT), (next = 1) => {
        const outcome = decide(Math.max(next, unwritten.next));
        for (const order of outcome.done) acts.delete(order);
        if (room) {
          for (const act of outcome.changed) acts.put(act);
          facts.put(outcome.next, NEXT);
        }
        give(outcome);
      });
    });
  try {
    const outcome = await settled(true);
    for (const order of [...outcome.done, ...outcome.changed.map((act) => act.order)]) unwritten.acts.delete(order);
    unwritten.next = 1;
    return outcome;
  } catch {
    // To forget needs no room, and makes some.
    const outcome = await settled(false);
    for (const order of outcome.done) unwritten.acts.delete(order);
    for (const act of outcome.changed) unwritten.acts.set(act.order, act);
    unwritten.next = outcome.next;
    return outcome;
  }
}

/** Forget a refusal that a person has read and the city has on record. */
export function dismiss(order: number): Promise<void> {
  return transaction<void>("readwrite", (acts) => {
    asked<KeptAct | undefined>(acts.get(order), (act) => {
      if (act?.refusal?.kept) acts.delete(order);
    });
  });
}

/** Let what the city has not on record be sent again. */
export function retry(order: number): Promise<void> {
  return transaction<void>("readwrite", (acts) => {
    asked<KeptAct | undefined>(acts.get(order), (act) => {
      if (act?.refusal && !act.refusal.kept) acts.put({ ...act, refusal: null });
    });
  });
}

/**
 * Take who is signed in at which terminal, and the number that it goes on from: this device may
 * have lost its memory, or have become another terminal.
 */
export async function signedIn(found: Person, terminalId: string, least: number): Promise<void> {
  let another = false;
  await transaction<void>("readwrite", (acts, facts) => {
    facts.put(found, PERSON);
    asked<string | undefined>(facts.get(TERMINAL), (before) => {
      facts.put(terminalId, TERMINAL);
      if (before !== undefined && before !== terminalId) {
        another = true;
        asked<KeptAct[]>(acts.getAll(), (kept) => {
          const anew = renumbered(withUnwritten(kept), least);
          for (const act of anew.acts) acts.put(act);
          facts.put(anew.next, NEXT);
        });
        return;
      }
      asked<number | undefined>(facts.get(NEXT), (next = 1) => {
        if (least > next) facts.put(least, NEXT);
      });
    });
  });
  if (another) nothingUnwritten();
}

export function person(): Promise<Person | null> {
  return transaction<Person | null>("readonly", (_acts, facts, give) => {
    asked<Person | undefined>(facts.get(PERSON), (found) => give(found ?? null));
  });
}
