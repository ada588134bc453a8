import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { FeesByStart } from "../src/api/types";
import { feeByStart } from "../src/attendant/fee_by_start";
import cases from "./fees_by_start.json";

describe("a fee of a stay that began without a line", () => {
  it("is the engine's own at every second that the tables reach, and unknown beyond", () => {
    for (const { tables, fees } of cases as unknown as { tables: FeesByStart; fees: [number, number, number | null][] }[]) {
      const baseMs = Date.parse(tables.base_at);
      for (const [start, leave, minor] of fees) {
        const [openedMs, atMs] = [baseMs + start * 1_000, baseMs + leave * 1_000];
        assert.equal(feeByStart(tables, "blue7", openedMs, atMs)?.fee.minor ?? null, minor);
        // A beginning is rounded up to a whole second, a leaving down.
        assert.equal(feeByStart(tables, "blue7", openedMs - 999, atMs + 999)?.fee.minor ?? null, minor);
        assert.equal(feeByStart(tables, "police_white", openedMs, atMs), null);
      }
    }
  });
});
