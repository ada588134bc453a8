import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { apart, publicCounts } from "../src/map/capacity";

const counts = { free: 1, occupied: 1, unknown: 0, total: 2 };
const mixed = { counts, reserved: { total: 1 }, permit: { total: 0 }, closed: 1 };
const plain = { counts, reserved: { total: 0 }, permit: { total: 0 }, closed: 0 };
const bays = [
  { id: "a", usable: true },
  { id: "b", usable: true },
  { id: "reserved", usable: false },
  { id: "closed", usable: false },
];
const states = new Map([["a", "free"], ["b", "free"], ["reserved", "free"], ["closed", "free"]] as const);
const stateOf = (id: string) => states.get(id as "a") ?? null;

describe("the public's count", () => {
  it("follows the feed where every bay is the public's", () => {
    assert.equal(apart(plain), 0);
    const live = { free: 2, occupied: 0, unknown: 0 };
    assert.deepEqual(publicCounts(plain, live, null, stateOf), live);
  });

  it("never takes in a free bay that is somebody's, or may not be used", () => {
    const live = { free: 4, occupied: 0, unknown: 0 };
    assert.equal(apart(mixed), 2);
    assert.deepEqual(publicCounts(mixed, live, bays, stateOf), { free: 2, occupied: 0, unknown: 0 });
  });

  it("is the API's where it is not known whose the bays are, or the feed covers only some", () => {
    const live = { free: 4, occupied: 0, unknown: 0 };
    assert.equal(publicCounts(mixed, live, null, stateOf), counts);
    assert.equal(publicCounts(mixed, { ...live, free: 2 }, bays, stateOf), counts);
    assert.equal(publicCounts(mixed, live, bays.slice(1), stateOf), counts);
  });
});
