/** Tables of what the post's stays will come to, fetched while there is a line. */
import { ProblemError, read } from "../api/client";
import type { FeeCourse, Session } from "../api/types";
import type { Money } from "../format/money";
import { businessTime } from "../shell/clock";
import { feeAt } from "./fee_course";

const HOUR_MS = 3_600_000;
/** A table is made anew when this little of it is left, or it is this old: payments may have come. */
const LEAST_AHEAD_MS = 8 * HOUR_MS;
const OLDEST_MS = HOUR_MS / 2;
const GAP_MS = 250;

interface Known {
  /** What it was made for: another plate, or a payment ahead, makes another table. */
  readonly of: string;
  readonly course: FeeCourse | null;
  readonly askedMs: number;
}

function ofStay(stay: Session): string {
  return [stay.opened_at, stay.plate?.text, stay.plate?.kind, stay.paid_until_at, stay.part_of].join(" ");
}

export type KeptFees = readonly (readonly [string, Known])[];

export class Fees {
  private readonly known = new Map<string, Known>();
  private running = false;

  constructor(kept: KeptFees = []) {
    this.take(kept);
  }

  take(kept: KeptFees): void {
    for (const [id, each] of kept) if (!this.known.has(id)) this.known.set(id, each);
  }

  kept(): KeptFees {
    return [...this.known];
  }

  /** What is due of a stay that ends now; null where this device does not know. */
  due(stay: Session, atMs = businessTime()): Money | null {
    const found = this.known.get(stay.id);
    return found?.course && found.of === ofStay(stay) ? feeAt(found.course, atMs) : null;
  }

  /** Whether the city was asked about a stay as it is known here; what it cannot say no table says. */
  asked(stay: Session): boolean {
    return this.known.get(stay.id)?.of === ofStay(stay);
  }

  /** Fetch what is missing or old, one after the other; true where anything is new. */
  async fetch(stays: readonly Session[]): Promise<boolean> {
    if (this.running) return false;
    this.running = true;
    let any = false;
    try {
      const here = new Set(stays.map(({ id }) => id));
      for (const id of this.known.keys()) if (!here.has(id)) this.known.delete(id);
      for (const stay of stays.filter((each) => this.lacks(each))) {
        const course = await read<FeeCourse>(`/api/v1/sessions/${stay.id}/fee-course`).catch((error: unknown) => {
          // Some fees cannot be said ahead, under a permit say: that is an answer as well.
          if (error instanceof ProblemError && [404, 409, 422].includes(error.status)) return null;
          throw error;
        });
        this.known.set(stay.id, { of: ofStay(stay), course, askedMs: Date.now() });
        any = true;
        await new Promise((resolve) => setTimeout(resolve, GAP_MS));
      }
    } catch {
      // No line: what is known stays.
    } finally {
      this.running = false;
    }
    return any;
  }

  private lacks(stay: Session): boolean {
    if (!stay.plate || stay.set_aside !== null || stay.exempt || stay.part_of !== null) return false;
    const found = this.known.get(stay.id);
    if (!found || found.of !== ofStay(stay) || Date.now() - found.askedMs > OLDEST_MS) return true;
    return found.course !== null && Date.parse(found.course.until_at) - businessTime() < LEAST_AHEAD_MS;
  }
}
