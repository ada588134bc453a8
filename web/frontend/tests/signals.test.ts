import assert from "node:assert/strict";
import { describe, it } from "node:test";
import cases from "./bands.json";
import { bandAlong, commonCycleS, widest, type Arc } from "../src/signals/bands";
import { cycleS, greensOf, greenWithFlashing, movedBoundary, stagesOf } from "../src/signals/stages";
import { releasedBy } from "../src/signals/groups";
import { beginWith } from "../src/signals/network_choice";
import type { Model, Network, Plan } from "../src/signals/types";

const PLAN: Plan = {
  junction: "J",
  name: "day",
  offset_s: 5,
  intervals: [
    { duration_s: 20, shows: { a: "green", b: "red" } },
    { duration_s: 3, shows: { a: "flashing_green", b: "red" } },
    { duration_s: 3, shows: { a: "yellow", b: "red" } },
    { duration_s: 2, shows: { a: "red", b: "red" } },
    { duration_s: 30, shows: { a: "red", b: "green" } },
    { duration_s: 2, shows: { a: "red", b: "yellow" } },
  ],
};

describe("bands along a street", () => {
  for (const each of cases) {
    it(`is ${each.width_s} s in a cycle of ${each.cycle_s} s through ${each.greens.length} signals`, () => {
      const found = widest(each.greens as unknown as Arc[][], each.reach_s, each.cycle_s);
      assert.ok(Math.abs(found.widthS - each.width_s) < 1e-9, String(found.widthS));
      assert.ok(Math.abs(found.beginS - each.begin_s) < 1e-9, String(found.beginS));
    });
  }

  it("repeats where shorter cycles divide the longest one, and is none where a stop cannot be driven", () => {
    assert.equal(commonCycleS([60, 120, 120]), 120);
    assert.equal(commonCycleS([60, 100]), null);
    const half = { cycleS: 60, offsetS: 0, greens: [[0, 30]] as Arc[] };
    const whole = { cycleS: 120, offsetS: 10, greens: [[50, 40]] as Arc[] };
    assert.equal(bandAlong([half, whole], [0, 0], 120).widthS, 30);
    assert.equal(bandAlong([half, null], [0, 0], 120).widthS, 0);
  });
});

describe("a plan's stages", () => {
  it("are where somebody has a steady green and nobody changes", () => {
    assert.deepEqual(
      stagesOf(PLAN).map(({ interval, groups, greenS, changeS }) => [interval, groups.join(), greenS, changeS]),
      [
        [0, "a", 20, 8],
        [4, "b", 30, 2],
      ],
    );
    assert.deepEqual(greensOf(PLAN, "a"), [[0, 23]]);
    assert.deepEqual(stagesOf(PLAN).map((stage) => greenWithFlashing(PLAN, stage)), [23, 30]);
  });

  it("share seconds over a boundary without changing the cycle, none below a second", () => {
    const moved = movedBoundary(PLAN, 0, 100);
    assert.deepEqual(stagesOf(moved).map(({ greenS }) => greenS), [49, 1]);
    assert.equal(cycleS(moved), cycleS(PLAN));
  });
});

describe("the network that a page begins with", () => {
  const network = (code: string, heard_at: string | null): Network => ({
    id: `id-${code}`,
    code,
    revision: 1,
    name: { zh: code, en: code },
    origin: "import",
    imported_at: "2026-03-02T00:00:00Z",
    heard_at,
  });
  const newest = network("newest", null);
  const town = network("town", "2026-03-02T08:00:00Z");
  const silent = network("silent", "2026-03-01T08:00:00Z");
  const all = [newest, silent, town];

  it("is the one asked for, the one chosen last, the one that reports, the newest", () => {
    assert.equal(beginWith(all, "id-silent", "newest")?.code, "silent");
    assert.equal(beginWith(all, null, "newest")?.code, "newest");
    assert.equal(beginWith(all, null, "gone")?.code, "town");
    assert.equal(beginWith([newest], null, null)?.code, "newest");
    assert.equal(beginWith([], null, null), undefined);
  });
});

describe("what a group releases", () => {
  const lane = (name: string, ...shape: [number, number][]) => ({ name, lanes: [{ name: `${name}_0`, shape }] });
  const way = (group: string, from_lane: string, turn: string, kind: string, ...shape: [number, number][]) => ({
    name: `${group}-${turn}`, group, from_lane, to_lane: "out_0", turn, kind, path: [{ shape }],
  });
  const model: Model = {
    roads: [lane("from_north", [0, 90], [0, 50], [0, 10]), lane("from_west", [-90, 90], [-50, 1], [-10, 0])],
    junctions: [
      {
        name: "J",
        groups: ["3", "4", "5", "6"].map((name) => ({ name, kind: "vehicle" })),
        movements: [
          way("3", "from_north_0", "right", "vehicle", [0, 10], [-10, 0]),
          way("3", "from_north_0", "straight", "vehicle", [0, 10], [0, -10]),
          way("4", "from_west_0", "straight", "bicycle", [-10, 0], [10, 0]),
          way("5", "kerb", "crossing", "pedestrian", [-8, 14], [8, 14]),
        ],
      },
    ],
  };

  it("is known by the side that its lane or crossing lies on, its turns and who goes", () => {
    assert.deepEqual([...releasedBy(model)], [
      ["3", [{ wind: "n", kind: "vehicle", turns: ["straight", "right"] }]],
      ["4", [{ wind: "w", kind: "bicycle", turns: ["straight"] }]],
      ["5", [{ wind: "n", kind: "pedestrian", turns: ["crossing"] }]],
      ["6", []],
    ]);
  });
});
