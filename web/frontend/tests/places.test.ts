import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { changes } from "../src/places/changes";
import { sumOf } from "../src/places/registry";
import { layRow } from "../src/places/rows";
import { localField, localInstant } from "../src/shell/form";

describe("a place's history", () => {
  it("names what differs, with what it was before", () => {
    const before = { label: "A-01", kind: "standard", limits: { max_height_m: 2.1 }, zone_id: null };
    const after = { label: "A-01", kind: "charging", limits: { max_height_m: 2.2 }, zone_id: null };
    assert.deepEqual(changes(before, after), [
      { field: "kind", before: "standard", after: "charging" },
      { field: "limits", before: { max_height_m: 2.1 }, after: { max_height_m: 2.2 } },
    ]);
  });

  it("takes a member that one of them lacks for null", () => {
    assert.deepEqual(changes({ level: 1 }, { grid_cell: null }), [
      { field: "level", before: 1, after: null },
    ]);
  });
});

describe("bays laid in a row", () => {
  const row = { longitude: 118, latitude: 31, pitch_m: 6, count: 3, prefix: "K1-", first: 9 };

  it("are numbered on, with as many digits as the last one", () => {
    assert.deepEqual(
      layRow({ ...row, bearing_deg: 0 }).map(({ label }) => label),
      ["K1-09", "K1-10", "K1-11"],
    );
  });

  it("lie the pitch apart along the bearing", () => {
    const [first, second] = layRow({ ...row, bearing_deg: 90 });
    assert.deepEqual(first?.position, [118, 31]);
    assert.equal(second?.position[1], 31);
    // A degree of longitude is 95.4 km at 31° north.
    assert.ok(Math.abs(((second?.position[0] ?? 0) - 118) * 95_420 - 6) < 0.05);
  });
});

describe("bays by purpose", () => {
  it("are summed purpose by purpose", () => {
    assert.deepEqual(
      sumOf([
        { public: 3, reserved: 1, permit: 0 },
        { public: 2, reserved: 0, permit: 4 },
      ]),
      { public: 5, reserved: 1, permit: 4 },
    );
  });
});

describe("a wall clock that was typed", () => {
  it("is the city's and not the browser's", () => {
    assert.equal(localInstant("2026-07-14T08:00", "Asia/Shanghai"), "2026-07-14T00:00:00.000Z");
    assert.equal(localField(Date.UTC(2026, 6, 14, 0, 0), "Asia/Shanghai"), "2026-07-14T08:00");
  });

  it("keeps its hour on both sides of a clock change", () => {
    assert.equal(localInstant("2026-03-29T01:30", "Europe/Berlin"), "2026-03-29T00:30:00.000Z");
    assert.equal(localInstant("2026-03-29T03:30", "Europe/Berlin"), "2026-03-29T01:30:00.000Z");
  });
});
