import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { feeAt, type Course } from "../src/attendant/fee_course";
import cases from "./fee_courses.json";

describe("a fee without a line", () => {
  it("is the engine's own at every second of its table, and unknown beyond", () => {
    for (const { course, fees } of cases as unknown as { course: Course; fees: [number, number | null][] }[]) {
      for (const [second, minor] of fees) {
        assert.equal(feeAt(course, second * 1_000)?.minor ?? null, minor);
        assert.equal(feeAt(course, second * 1_000 + 999)?.minor ?? null, minor);
      }
      assert.equal(feeAt(course, Date.parse(course.from_at) - 1), null);
      assert.equal(feeAt(course, Date.parse(course.until_at) + 1_000), null);
    }
  });
});
