import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  bayOf,
  boxAround,
  boxText,
  grown,
  holds,
  Occupancy,
  sameTown,
  shares,
  type LiveRow,
} from "../src/live/occupancy";

const FACILITY = "0190a0000000700080000000000000f1";
const row = (n: number, state: LiveRow[4]): LiveRow => [
  `0190a00000007000800000000000000${n}`,
  FACILITY,
  118,
  31,
  state,
  1_000,
  960,
  2_000,
  false,
];
const facilityId = "0190a000-0000-7000-8000-0000000000f1";

describe("occupancy", () => {
  it("speaks UUIDs whatever the feed writes", () => {
    assert.equal(bayOf(row(1, "free")).id, "0190a000-0000-7000-8000-000000000001");
    assert.equal(bayOf(row(1, "free")).facilityId, facilityId);
  });

  it("counts a facility's bays by state, unknown apart from free", () => {
    const known = new Occupancy();
    known.snapshot([row(1, "free"), row(2, "occupied"), row(3, "unknown")], true);
    assert.deepEqual(known.counts(facilityId), { free: 1, occupied: 1, unknown: 1 });
  });

  it("keeps counts right through changes, repeated ones too", () => {
    const known = new Occupancy();
    known.snapshot([row(1, "free"), row(2, "free")], true);
    known.change(row(1, "occupied"));
    known.change(row(1, "occupied"));
    assert.deepEqual(known.counts(facilityId), { free: 1, occupied: 1, unknown: 0 });
    assert.equal(known.change(row(1, "free")).before?.state, "occupied");
    assert.deepEqual(known.counts(facilityId), { free: 2, occupied: 0, unknown: 0 });
  });

  it("adds the parts of a snapshot and forgets the one before it", () => {
    const known = new Occupancy();
    known.snapshot([row(1, "free")], true);
    known.snapshot([row(2, "free")], false);
    assert.equal(known.bays.size, 2);
    known.snapshot([row(3, "occupied")], true);
    assert.deepEqual(known.counts(facilityId), { free: 0, occupied: 1, unknown: 0 });
  });
});

describe("boxes", () => {
  const box = { west: 1, south: 2, east: 3, north: 4 };

  it("knows whether one holds another", () => {
    assert.equal(holds(grown(box, 0.1), box), true);
    assert.equal(holds(box, grown(box, 0.1)), false);
  });

  it("finds the smallest around positions, none around none", () => {
    assert.deepEqual(
      boxAround([
        [3, 2],
        [1, 4],
      ]),
      box,
    );
    assert.equal(boxAround([]), null);
  });

  it("is not moved by a place far from the town", () => {
    const town = [
      [118.05, 30.93],
      [118.06, 30.94],
      [118.04, 30.92],
    ] as const;
    assert.deepEqual(sameTown([...town, [0, 0]]), [...town]);
    assert.deepEqual(sameTown([]), []);
  });

  it("never leaves the earth", () => {
    assert.deepEqual(grown({ west: -179, south: -89, east: 179, north: 89 }, 1), {
      west: -180,
      south: -90,
      east: 180,
      north: 90,
    });
  });

  it("writes itself as the feed asks", () => {
    assert.equal(boxText(box), "1.00000,2.00000,3.00000,4.00000");
  });
});

describe("shares", () => {
  it("always adds up to the whole", () => {
    for (const parts of [[1, 1, 1], [7, 11, 13], [0, 0, 5], [999, 1, 1]]) {
      assert.equal(
        shares(parts).reduce((a, b) => a + b),
        1_000,
      );
    }
  });

  it("is nothing of nothing", () => {
    assert.deepEqual(shares([0, 0, 0]), [0, 0, 0]);
  });
});
