/** Where photos of acts lie until the city has them: beside the acts, in the same database. */
import type { KeptPhoto } from "./photos";
import { opened, PHOTOS } from "./store";

async function using<T>(mode: IDBTransactionMode, run: (photos: IDBObjectStore) => IDBRequest | null): Promise<T> {
  const database = await opened();
  return new Promise<T>((resolve, reject) => {
    const work = database.transaction(PHOTOS, mode, { durability: "strict" });
    const asked = run(work.objectStore(PHOTOS));
    work.oncomplete = () => resolve(asked?.result as T);
    work.onabort = () => reject(work.error ?? new Error("storage refused"));
  });
}

export function all(): Promise<KeptPhoto[]> {
  return using("readonly", (photos) => photos.getAll());
}

/** Write what became of a photo; one that was undone meanwhile does not come back. */
export function note(photo: KeptPhoto): Promise<void> {
  return using("readwrite", (photos) => {
    const asked = photos.count(photo.id);
    asked.onsuccess = () => {
      if (asked.result > 0) photos.put(photo);
    };
    return null;
  });
}

/** Forget a photo: the city has it. */
export function forget(id: string): Promise<void> {
  return using("readwrite", (photos) => photos.delete(id));
}
