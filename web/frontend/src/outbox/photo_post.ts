/** Sends photos after their acts, part by part, each from where the city says that it stands. */
import { Refused, sendPhotoPart } from "../terminal/line";
import { base64 } from "../terminal/signing";
import { again, answered, nextPart, sendable, type KeptPhoto } from "./photos";
import * as store from "./photo_store";

const NOT_YET = new Set(["act", "clock", "replayed"]);

export class PhotoPost {
  photos: readonly KeptPhoto[] = [];

  async reload(): Promise<void> {
    this.photos = await store.all();
  }

  /** How many are on their way. */
  waiting(): number {
    return this.photos.filter(({ refused }) => refused === null).length;
  }

  /** Let a photo that the city refused be sent once more. */
  async retry(photo: KeptPhoto): Promise<void> {
    await store.note(again(photo));
  }

  /** Send what can be sent; true where nothing is left that could be. Throws without a line. */
  async upload(waitingActs: ReadonlySet<string>): Promise<boolean> {
    await this.reload();
    let all = true;
    for (const photo of sendable(this.photos, waitingActs)) all = (await this.send(photo)) && all;
    await this.reload();
    return all;
  }

  private async send(photo: KeptPhoto): Promise<boolean> {
    let now = photo;
    while (now.refused === null) {
      const next = await this.afterPart(now);
      if (next === "later") return false;
      if (next === null) {
        await store.forget(now.id);
        return true;
      }
      // Without room to write it the photo goes on from here, and after a restart from where the city stands.
      await store.note(next).catch(() => undefined);
      now = next;
    }
    return true;
  }

  /** What a photo is once its next part was sent; null where the city has all of it. */
  private async afterPart(photo: KeptPhoto): Promise<KeptPhoto | "later" | null> {
    try {
      return answered(photo, await this.part(photo));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const { reason, received, status } = error;
      if (reason === "offset" && received !== null && received !== photo.received) return { ...photo, received };
      if (NOT_YET.has(reason) || status === 401 || status === 403 || status === 429 || status >= 500) return "later";
      return { ...photo, refused: reason || String(status) };
    }
  }

  private part(photo: KeptPhoto): Promise<{ received: number; whole: boolean }> {
    const { from, bytes } = nextPart(photo);
    return sendPhotoPart({
      photo_id: photo.id,
      act_id: photo.actId,
      bytes: photo.content.byteLength,
      from_byte: from,
      part: base64(bytes.slice().buffer),
    });
  }
}
