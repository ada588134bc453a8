/**
 * The way out of this device: an act is kept before it is shown as done, can be undone for ten
 * seconds, and is sent in order, as often as it takes, until the city says that it has it.
 */
import { Refused, sendActs, type ActsAnswer } from "../terminal/line";
import { deviceOffsetMs } from "../terminal/city_clock";
import {
  batchOf,
  cashRoom,
  MOST_A_BATCH,
  partOf,
  settled,
  undoLeftMs,
  uuid7,
  waiting,
  type FreshAct,
  type KeptAct,
  type Refusal,
  type Shown,
  type Wanted,
} from "./acts";
import { kept, lost, type KeptPhoto, type TakenPhoto } from "./photos";
import { PhotoPost } from "./photo_post";
import * as store from "./store";

const FIRST_RETRY_MS = 4_000;
const LONGEST_RETRY_MS = 60_000;
const REFUSED_BODY = 413;

export class Outbox {
  acts: readonly KeptAct[] = [];
  person: store.Person | null = null;
  /** Whether the last word with the city failed for want of a line. */
  offline = !navigator.onLine;
  /** Why the city takes nothing from this terminal now: 'locked', 'revoked', 'signature'. */
  barred: string | null = null;
  private answered: { readonly act: KeptAct; readonly atMs: number }[] = [];
  private readonly photoPost = new PhotoPost();
  private readonly listeners = new Set<() => void>();
  private retryMs = FIRST_RETRY_MS;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private readonly otherTabs = new BroadcastChannel("greenbay-outbox");

  constructor() {
    this.otherTabs.onmessage = () => void this.reload();
    addEventListener("online", () => {
      this.retryMs = FIRST_RETRY_MS;
      this.send();
    });
    addEventListener("offline", () => {
      this.offline = true;
      this.changed();
    });
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.send();
    });
  }

  /** Read what was kept before the last restart, and send it. */
  async start(): Promise<void> {
    this.person = await store.person();
    await this.reload();
    this.send();
  }

  onChange(listener: () => void): void {
    this.listeners.add(listener);
  }

  /** Take who is signed in, and the number that the city goes on from. */
  async signedIn(person: store.Person, terminalId: string, nextAct: number): Promise<void> {
    await store.signedIn(person, terminalId, nextAct);
    this.person = person;
    await this.reload();
  }

  /**
   * Keep an act; it is done once this resolves. Rejects where the device keeps nothing (its storage
   * is full, say): then nothing was done.
   */
  async note(wanted: Wanted, shown: Shown, photo: TakenPhoto | null = null): Promise<KeptAct> {
    const { person } = this;
    if (!person) throw new Error("nobody is signed in at this terminal");
    const beganMs = performance.now();
    const nowMs = Date.now();
    const offsetMs = deviceOffsetMs();
    const fresh: FreshAct = {
      id: uuid7(nowMs + (offsetMs ?? 0), crypto.getRandomValues(new Uint8Array(16))),
      sequence: null,
      accountId: person.accountId,
      deviceAt: new Date(nowMs).toISOString(),
      offsetMs,
      wanted: photo ? { ...wanted, photo_id: photo.id, photo_sha256: photo.sha256 } : wanted,
      shown,
      refusal: null,
    };
    const act = await store.add(fresh, photo && kept(photo, fresh, nowMs + (offsetMs ?? 0)));
    performance.measure("greenbay-act-kept", { start: beganMs });
    this.acts = [...this.acts, act];
    this.told();
    this.schedule(undoLeftMs(act, Date.now()) + 50);
    void navigator.storage?.persist?.();
    return act;
  }

  /** How many photos are on their way. */
  photosWaiting(): number {
    return this.photoPost.waiting();
  }

  /** Photos that are on this device alone, on their way or refused. */
  photos(): readonly KeptPhoto[] {
    return this.photoPost.photos;
  }

  /** How many photos the city awaits and this device has not: nobody can send them any more. */
  photosLost = 0;

  /** Take which photos the city awaited when it was told what is here. */
  notePhotosAwaited(awaited: readonly string[], here: readonly KeptPhoto[]): void {
    this.photosLost = lost(awaited, here).length;
    this.changed();
  }

  /** Send a photo that the city refused once more. */
  async retryPhoto(photo: KeptPhoto): Promise<void> {
    await this.photoPost.retry(photo);
    await this.upload();
  }

  /** What may still be taken in cash while there is no line; no bound while there is one. */
  cashRoom(currency: string): number {
    if (!this.offline) return Number.POSITIVE_INFINITY;
    return (this.person && cashRoom(this.acts, this.person.offlineCash, currency)) ?? 0;
  }

  /** The act that was done last and can still be undone. */
  undoable(): KeptAct | null {
    const last = this.acts.findLast((act) => act.refusal === null);
    return last && undoLeftMs(last, Date.now()) > 0 ? last : null;
  }

  /** Take an act back; false where it has left already. */
  async undo(act: KeptAct): Promise<boolean> {
    const undone = await store.undo(act.order);
    await this.reload();
    this.otherTabs.postMessage("changed");
    return undone;
  }

  async dismiss(act: KeptAct): Promise<void> {
    await store.dismiss(act.order);
    await this.reload();
  }

  /** Send what the city could not take once more: this device alone has it. */
  async retry(act: KeptAct): Promise<void> {
    await store.retry(act.order);
    await this.upload();
  }

  waiting(): KeptAct[] {
    return waiting(this.acts);
  }

  refused(): KeptAct[] {
    return this.acts.filter((act) => act.refusal !== null);
  }

  /** What the page shows over the city's last word: what waits, and what came after that word. */
  laid(): KeptAct[] {
    return [...this.answered.map(({ act }) => act), ...this.waiting()].sort((a, b) => a.order - b.order);
  }

  /** An answer that was asked for then has in it what the city had taken before. */
  seenSince(askedMs: number): void {
    this.answered = this.answered.filter(({ atMs }) => atMs >= askedMs);
  }

  /** Send what may leave, and try again later where this device cannot even read it. */
  private send(): void {
    this.upload().catch(() => this.again());
  }

  /** Send what may leave; `atOnce` ends the time in which it could be undone. */
  async upload(atOnce = false): Promise<void> {
    await navigator.locks.request("greenbay-outbox", async () => {
      let most = MOST_A_BATCH;
      for (;;) {
        this.acts = await store.release(Date.now(), atOnce);
        const batch = batchOf(this.acts, most);
        if (batch.length === 0) break;
        const answer = await this.sent(batch);
        if (answer === "too large" && batch.length > 1) most = Math.ceil(batch.length / 2);
        else if (answer === "too large" || answer === "refused") {
          // One act that cannot even be sent stands for itself; more are tried one by one.
          if (batch.length === 1) await this.stuck(batch);
          most = 1;
        } else if (answer === null) return;
        else if (!(await this.settle(batch, answer))) {
          // An answer about nothing that was sent: as good as none.
          this.again();
          return;
        }
      }
      await this.uploadPhotos();
    });
    this.told();
    const held = this.acts.filter((act) => act.sequence === null);
    if (held.length > 0) this.schedule(Math.max(...held.map((act) => undoLeftMs(act, Date.now()))) + 50);
  }

  /** Photos follow their acts; what keeps one back keeps no act back. */
  private async uploadPhotos(): Promise<void> {
    const waiting = new Set(this.waiting().map(({ id }) => id));
    try {
      if (!(await this.photoPost.upload(waiting))) this.again();
    } catch {
      if (this.photoPost.waiting() > 0) this.again();
    }
  }

  private async sent(batch: readonly KeptAct[]): Promise<ActsAnswer | "too large" | "refused" | null> {
    try {
      const answer = await sendActs(new Date().toISOString(), batch.map(partOf));
      this.offline = false;
      this.barred = null;
      this.retryMs = FIRST_RETRY_MS;
      return answer;
    } catch (error) {
      if (error instanceof Refused) {
        this.offline = false;
        if (error.status === REFUSED_BODY) return "too large";
        if (error.status === 400 || error.status === 422) return "refused";
        // 401 and 403 are about the terminal, 429 and 5xx about the moment: keep all, ask later.
        this.barred = error.status === 401 || error.status === 403 ? error.reason || "signature" : null;
      } else this.offline = true;
      this.changed();
      this.again();
      return null;
    }
  }

  private again(): void {
    this.schedule(this.retryMs);
    this.retryMs = Math.min(LONGEST_RETRY_MS, this.retryMs * 2);
  }

  /** Take what became of a batch; false where it says nothing of any of it. */
  private async settle(batch: readonly KeptAct[], answer: ActsAnswer): Promise<boolean> {
    const outcome = await store.settle((next) => settled(batch, answer.items, next, answer.next_act));
    const done = new Set(outcome.done);
    const atMs = performance.now();
    this.answered.push(...batch.filter((act) => done.has(act.order)).map((act) => ({ act, atMs })));
    await this.reload();
    this.otherTabs.postMessage("changed");
    return outcome.done.length + outcome.changed.length > 0;
  }

  private async stuck(batch: readonly KeptAct[]): Promise<void> {
    const refusal: Refusal = { reason: "unreadable", words: "", advice: "call-supervisor", kept: false };
    const changed = batch.map((act) => ({ ...act, refusal }));
    await store.settle((next) => ({ done: [], changed, next }));
    await this.reload();
  }

  private schedule(afterMs: number): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = null;
      this.send();
    }, afterMs);
  }

  private async reload(): Promise<void> {
    this.acts = await store.all();
    await this.photoPost.reload();
    this.changed();
  }

  private told(): void {
    this.changed();
    this.otherTabs.postMessage("changed");
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }
}
