import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { steady } from "../src/find/steady";
import {
  ceilingOf,
  faultOf,
  filtersOf,
  fragmentOf,
  heightOf,
  leaveMsOf,
  NOTHING_WISHED,
  questionOf,
  wishOf,
  withoutFilters,
  type Wish,
} from "../src/find/wish";
import { cityField, fromCityField } from "../src/format/city_time";

const NOW = Date.parse("2026-03-02T09:00:20+08:00");
const WISH: Wish = {
  to: { at: [118.054, 30.927], name: "钟楼街" },
  arriveMs: Date.parse("2026-03-02T12:00:00+08:00"),
  stayMin: 180,
  vehicle: "new",
  only: "charging",
  price: "12.5",
  height: "1,9",
  walkM: 400,
  radiusM: 2_000,
};

describe("a wish in the address", () => {
  it("comes back as it went in", () => {
    assert.deepEqual(wishOf(fragmentOf(WISH)), WISH);
    assert.deepEqual(wishOf(fragmentOf(NOTHING_WISHED)), NOTHING_WISHED);
  });

  it("takes what nobody can mean for nothing", () => {
    for (const bad of ["#to=200,30", "#to=118,x", "#to=1;drop", "#stay=17&walk=-3&vehicle=tank&arrive=soon"]) {
      assert.deepEqual(wishOf(bad), NOTHING_WISHED);
    }
  });
});

describe("what is typed", () => {
  it("is a height with point or comma, or refused", () => {
    assert.equal(heightOf(" 2.1 m"), 2.1);
    assert.equal(heightOf("1,95"), 1.95);
    assert.equal(heightOf(""), null);
    for (const bad of ["0", "11", "tall", "1.234"]) assert.ok(Number.isNaN(heightOf(bad)), bad);
  });

  it("is money to the fen, or refused", () => {
    assert.equal(ceilingOf("12.5"), 1_250);
    assert.equal(ceilingOf(" "), null);
    assert.ok(Number.isNaN(ceilingOf("-3")));
  });
});

describe("the question", () => {
  it("carries every filter in the API's units", () => {
    assert.deepEqual(questionOf(WISH, [118.0500012, 30.92], NOW), {
      longitude: 118.054,
      latitude: 30.927,
      radius_m: 2_000,
      limit: 15,
      per_facility: 1,
      vehicle: "small",
      energy: "new",
      arrive_at: "2026-03-02T04:00:00.000Z",
      leave_at: "2026-03-02T07:00:00.000Z",
      from_longitude: 118.05,
      from_latitude: 30.92,
      only: "charging",
      height_m: 1.9,
      walk_at_most_m: 400,
      price_at_most_minor: 1_250,
    });
  });

  it("is the same for everybody within a minute", () => {
    const soon = { ...NOTHING_WISHED, to: WISH.to };
    assert.equal(leaveMsOf(soon, NOW), Date.parse("2026-03-02T11:00:00+08:00"));
    assert.equal(leaveMsOf(soon, NOW + 30_000), leaveMsOf(soon, NOW));
    assert.equal(questionOf(soon, null, NOW)["arrive_at"], null);
  });

  it("is not asked with a fault, which is named", () => {
    assert.equal(faultOf(WISH, NOW), null);
    assert.equal(faultOf({ ...WISH, arriveMs: NOW - 600_000 }, NOW), "arrive_past");
    assert.equal(faultOf({ ...WISH, arriveMs: NOW + 15 * 86_400_000 }, NOW), "arrive_far");
    assert.equal(faultOf({ ...WISH, price: "cheap" }, NOW), "price");
    assert.equal(faultOf({ ...WISH, height: "tall" }, NOW), "height");
    assert.equal(faultOf({ ...WISH, vehicle: "small" }, NOW), "charging");
  });

  it("loses its filters and nothing else", () => {
    assert.equal(filtersOf(WISH), 5);
    const freed = withoutFilters(WISH);
    assert.equal(filtersOf(freed), 0);
    assert.deepEqual([freed.to, freed.arriveMs, freed.stayMin], [WISH.to, WISH.arriveMs, 180]);
  });
});

describe("a list that somebody reads", () => {
  const key = (each: string): string => each;
  it("keeps its order, drops what is gone, and has what is new behind", () => {
    assert.deepEqual(steady(["new", "b", "a"], ["a", "gone", "b"], key), ["a", "b", "new"]);
  });

  it("takes the new order where nobody reads", () => {
    assert.deepEqual(steady(["c", "a", "b"], [], key), ["c", "a", "b"]);
  });
});

describe("a time of the city", () => {
  it("goes into the field and back, whatever the device's zone", () => {
    const at = Date.parse("2026-03-02T00:05:00+08:00");
    assert.equal(cityField(at, "Asia/Shanghai"), "2026-03-02T00:05");
    assert.equal(fromCityField("2026-03-02T00:05", "Asia/Shanghai"), at);
    assert.equal(fromCityField("soon", "Asia/Shanghai"), null);
  });

  it("knows days on which clocks change", () => {
    const zone = "Europe/Berlin";
    assert.equal(fromCityField("2026-03-29T12:00", zone), Date.parse("2026-03-29T12:00:00+02:00"));
    assert.equal(fromCityField("2026-03-29T01:30", zone), Date.parse("2026-03-29T01:30:00+01:00"));
    assert.equal(fromCityField("2026-10-25T12:00", zone), Date.parse("2026-10-25T12:00:00+01:00"));
    assert.equal(fromCityField("2026-10-25T02:30", zone), Date.parse("2026-10-25T02:30:00+02:00"));
  });
});
