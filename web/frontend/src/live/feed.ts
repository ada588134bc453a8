/** The live feed of one box: a snapshot, then changes, resumed by the browser after a break. */
import { boxText, type Box, type LiveRow } from "./occupancy";

export type FeedState = "connecting" | "live" | "reconnecting" | "offline";

export interface FeedListener {
  snapshot(rows: readonly LiveRow[], fresh: boolean): void;
  changes(rows: readonly LiveRow[]): void;
  state(state: FeedState): void;
}

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

export class Feed {
  private source: EventSource | null = null;
  private retryMs = FIRST_RETRY_MS;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private fresh = true;
  private box: Box | null = null;
  /** Wall-clock instant of the last word from the server; null before the first. */
  heardAtMs: number | null = null;

  constructor(private readonly listener: FeedListener) {
    addEventListener("offline", () => listener.state("offline"));
    addEventListener("online", () => this.reopen());
  }

  watch(box: Box): void {
    this.box = box;
    this.reopen();
  }

  close(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.source?.close();
    this.source = null;
  }

  private reopen(): void {
    this.close();
    if (!this.box) return;
    this.fresh = true;
    this.listener.state(this.heardAtMs === null ? "connecting" : "reconnecting");
    // The feed may answer from another port of this host: it needs the session's cookie there too.
    const source = new EventSource(`/live/occupancy?bbox=${boxText(this.box)}`, {
      withCredentials: true,
    });
    this.source = source;
    source.addEventListener("open", () => this.heard());
    source.addEventListener("snapshot", (event) => {
      this.heard();
      const { bays } = JSON.parse(event.data as string) as { bays: LiveRow[] };
      this.listener.snapshot(bays, this.fresh);
      this.fresh = false;
    });
    source.addEventListener("changes", (event) => {
      this.heard();
      const { bays } = JSON.parse(event.data as string) as { bays: LiveRow[] };
      this.listener.changes(bays);
    });
    source.addEventListener("error", () => {
      if (source !== this.source) return;
      this.listener.state(navigator.onLine ? "reconnecting" : "offline");
      // The browser tries again by itself unless the server refused: then it is for us to.
      if (source.readyState === EventSource.CLOSED) {
        this.timer = setTimeout(() => this.reopen(), this.retryMs);
        this.retryMs = Math.min(LONGEST_RETRY_MS, this.retryMs * 2);
      }
    });
  }

  private heard(): void {
    this.heardAtMs = Date.now();
    this.retryMs = FIRST_RETRY_MS;
    this.listener.state("live");
  }
}
