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
  return transaction<KeptAct[]>("readonly", (acts, _facts, give) => asked<KeptAct[]>(acts.getAll(), give));
}

/** Forget an act that has no number yet; false where it left already. */
export function undo(order: number): Promise<boolean> {
  return transaction<boolean>("readwrite", (acts, _facts, give, photos) => {
    give(false);
    asked<KeptAct | undefined>(acts.get(order), (act) => {
      if (act?.sequence !== null) return;
      acts.delete(order);
      if (act.wanted.photo_id) photos.delete(act.wanted.photo_id);
      give(true);
    });
  });
}

/** Number what may leave now, and give all that is kept. */
export function release(deviceMs: number, atOnce: boolean): Promise<KeptAct[]> {
  return transaction<KeptAct[]>("readwrite", (acts, facts, give) => {
    asked<number | undefined>(facts.get(NEXT), (next = 1) => {
      asked<KeptAct[]>(acts.getAll(), (kept) => {
        const leaving = released(kept, next, deviceMs, atOnce);
        for (const act of leaving.acts) acts.put(act);
        if (leaving.acts.length > 0) facts.put(leaving.next, NEXT);
        const numbered = new Map(leaving.acts.map((act) => [act.order, act]));
        give(kept.map((act) => numbered.get(act.order) ?? act));
      });
    });
  });
}

/** Take what became of a batch, in one transaction: a device that dies before sends it again. */
export function settle(decide: (next: number) => Settled): Promise<Settled> {
  return transaction<Settled>("readwrite", (acts, facts, give) => {
    asked<number | undefined>(facts.get(NEXT), (next = 1) => {
      const outcome = decide(next);
      for (const order of outcome.done) acts.delete(order);
      for (const act of outcome.changed) acts.put(act);
      facts.put(outcome.next, NEXT);
      give(outcome);
    });
  });
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
export function signedIn(found: Person, terminalId: string, least: number): Promise<void> {
  return transaction<void>("readwrite", (acts, facts) => {
    facts.put(found, PERSON);
    asked<string | undefined>(facts.get(TERMINAL), (before) => {
      facts.put(terminalId, TERMINAL);
      if (before !== undefined && before !== terminalId) {
        asked<KeptAct[]>(acts.getAll(), (kept) => {
          const anew = renumbered(kept, least);
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
}

export function person(): Promise<Person | null> {
  return transaction<Person | null>("readonly", (_acts, facts, give) => {
    asked<Person | undefined>(facts.get(PERSON), (found) => give(found ?? null));
  });
}
