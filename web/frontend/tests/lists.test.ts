import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { foremost, isOwing, tasks } from "../src/attendant/tasks";
import { matches, ordered, standing } from "../src/map/order";
import { healthOf, healthSums, listed } from "../src/operations/health";

const facility = (id: string, zh: string, en: string, free: number, occupied = 5, unknown = 0) => ({
  id,
  code: id.toUpperCase(),
  zh,
  en,
  position: [118 + free / 1_000, 31] as const,
  counts: { free, occupied, unknown },
});
const CITY = [
  facility("k1", "滨江路北侧1段", "Riverside Road, north side 1", 3),
  facility("g1", "图书馆停车库", "Library Garage", 20),
  facility("k2", "柳荫巷", "Liuyin Lane", 3, 1, 4),
];
const names = (sorting: "free" | "share" | "name" | "unknown" | "near") =>
  ordered(CITY, sorting, "en", [118.003, 31]).map(({ id }) => id);

describe("the list of facilities", () => {
  it("finds by either language and by code, whatever the width or case", () => {
    assert.equal(matches(CITY[0]!, "riverside"), true);
    assert.equal(matches(CITY[0]!, "滨江"), true);
    assert.equal(matches(CITY[0]!, "Ｋ１"), true);
    assert.equal(matches(CITY[0]!, "library"), false);
    assert.equal(matches(CITY[0]!, "  "), true);
  });

  it("puts the most free first and equal ones by name", () => {
    assert.deepEqual(names("free"), ["g1", "k2", "k1"]);
  });

  it("ranks a free share among known bays alone", () => {
    assert.deepEqual(names("share"), ["g1", "k2", "k1"]);
  });

  it("orders by name, by what is unknown and by distance", () => {
    assert.deepEqual(names("name"), ["g1", "k2", "k1"]);
    assert.deepEqual(names("unknown"), ["k2", "g1", "k1"]);
    assert.equal(names("near").at(-1), "g1");
  });

  it("calls a place unknown only where that is most of it", () => {
    assert.equal(standing({ free: 1, occupied: 0, unknown: 9 }), "free");
    assert.equal(standing({ free: 0, occupied: 5, unknown: 1 }), "occupied");
    assert.equal(standing({ free: 0, occupied: 1, unknown: 5 }), "unknown");
  });
});

describe("an attendant's tasks", () => {
  const now = 10_000_000;
  const stay = (id: string, minutes: number, hasPlate = false) => ({
    id,
    bayId: `b${id}`,
    bayLabel: id,
    openedMs: now - minutes * 60_000,
    hasPlate,
  });

  it("ask for the plate of the longest stay first, and of none that has one", () => {
    const found = tasks([stay("1", 2), stay("2", 30), stay("3", 9, true)], [], [], now);
    assert.deepEqual(
      found.map((task) => task.kind === "plate" && task.stayId),
      ["2", "1"],
    );
  });

  it("leave a car that has just come in peace", () => {
    assert.deepEqual(tasks([stay("1", 0.5)], [], [], now), []);
  });

  it("have plates before bills before silent bays", () => {
    const found = tasks(
      [stay("1", 2)],
      [{ id: "x", issuedMs: now - 1_000 }],
      [{ id: "b9", label: "9", state: "unknown", heardMs: null }],
      now,
    );
    assert.deepEqual(
      found.map(({ kind }) => kind),
      ["plate", "collect", "look"],
    );
  });

  it("drop bills of yesterday: their driver has gone", () => {
    assert.deepEqual(tasks([], [{ id: "x", issuedMs: now - 25 * 3_600_000 }], [], now), []);
  });

  it("always show the newest bill among the first", () => {
    const all = tasks(
      [1, 2, 3, 4].map((n) => stay(String(n), n + 1)),
      [{ id: "x", issuedMs: now }],
      [],
      now,
    );
    assert.deepEqual(
      foremost(all, 3).map(({ kind }) => kind),
      ["plate", "plate", "collect"],
    );
  });

  it("owe nothing on a paid bill", () => {
    assert.equal(isOwing({ state: "open" }), true);
    assert.equal(isOwing({ state: "paid" }), false);
  });
});

describe("devices", () => {
  const device = (id: string, health: string, seen: string | null = "2026-03-02T00:00:00Z") => ({
    id,
    health,
    network_key: id,
    model: "bosch-tps110",
    bay_label: `K-${id}`,
    district: "0153",
    last_seen_at: seen,
  });

  it("with a health that the page does not know count as faulty, never as well", () => {
    assert.equal(healthOf({ health: "haunted" }), "fault");
    assert.equal(healthSums([device("a", "haunted")]).ok, 0);
  });

  it("are listed the worst first, among them the longest silent", () => {
    const all = [
      device("a", "ok"),
      device("b", "silent", "2026-03-01T12:00:00Z"),
      device("c", "silent", "2026-03-01T06:00:00Z"),
    ];
    assert.deepEqual(
      listed(all, null, "").map(({ id }) => id),
      ["c", "b", "a"],
    );
    assert.deepEqual(
      listed(all, "ok", "").map(({ id }) => id),
      ["a"],
    );
    assert.deepEqual(
      listed(all, null, "k-b").map(({ id }) => id),
      ["b"],
    );
  });
});
