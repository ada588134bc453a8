/** What a stay costs up to an instant, and the instants that are worth asking about. */
import { read } from "../api/client";
import type { Fee } from "../api/types";

const MINUTE_MS = 60_000;
const QUARTER_MS = 15 * MINUTE_MS;

/** What a stay costs by now or by an instant ahead, with its rights and what was paid ahead. */
export function feeUntil(stayId: string, leaveMs: number | null): Promise<Fee> {
  return read<Fee>(`/api/v1/sessions/${stayId}/fee`, {
    until_at: leaveMs === null ? null : new Date(leaveMs).toISOString(),
  });
}

/** The quarter hours ahead within some hours: what a driver would say. Pure. */
export function quartersAhead(nowMs: number, hours: number): number[] {
  const first = Math.ceil((nowMs + MINUTE_MS) / QUARTER_MS) * QUARTER_MS;
  return Array.from({ length: hours * 4 }, (_, index) => first + index * QUARTER_MS);
}
