import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { bars, labelEvery, line, slotAt, stretch, ticks } from "../src/charts/plot";
import { sorted, type PlaceRow } from "../src/figures/place_table";
import { dateOf, grain, lastDays, lengthOf, moved, valid } from "../src/figures/range";
import { collected, duration, rate, share } from "../src/figures/words";
import { useCatalogue } from "../src/shell/text";

const BOX = { left: 10, top: 0, width: 100, height: 50 };
const english = JSON.parse(readFileSync("../catalogue/en.json", "utf-8")) as Record<string, string>;

describe("ticks", () => {
  it("are round, begin at zero and reach the largest value", () => {
    assert.deepEqual(ticks(1), [0, 0.25, 0.5, 0.75, 1]);
    assert.deepEqual(ticks(37), [0, 10, 20, 30, 40]);
    assert.deepEqual(ticks(0), [0, 1]);
  });
});

describe("bars", () => {
  it("stand on zero and are as high as their values", () => {
    const [half, none, whole] = bars([5, 0, 10], 10, BOX, 0);
    assert.deepEqual([half?.y, half?.height], [25, 25]);
    assert.equal(none?.height, 0);
    assert.deepEqual([whole?.y, whole?.height], [0, 50]);
  });

  it("are left out where nothing is known", () => {
    assert.equal(bars([null, 1], 1, BOX)[0], null);
  });
});

describe("a line", () => {
  it("breaks where a value is unknown", () => {
    assert.equal(line([0, 1, null, 1], 1, BOX), "M22.5 50L47.5 0M97.5 0");
  });
});

describe("labels", () => {
  it("are left out until none touches the next", () => {
    assert.equal(labelEvery(24, 1_000, 40), 1);
    assert.equal(labelEvery(24, 300, 40), 4);
    assert.equal(labelEvery(72, 300, 40), 12);
  });
});

describe("a pointer", () => {
  it("falls into the slot under it, or the nearest one", () => {
    assert.deepEqual([slotAt(-5, 4, BOX), slotAt(36, 4, BOX), slotAt(999, 4, BOX)], [0, 1, 3]);
  });
});

describe("a strip of the day", () => {
  it("shows what lies in it, cut at its ends", () => {
    assert.deepEqual(stretch(-50, 50, 0, 100, BOX), { x: 10, y: 0, width: 50, height: 50 });
    assert.equal(stretch(100, 200, 0, 100, BOX), null);
  });
});

describe("days", () => {
  it("are those of the city, whatever the browser's zone", () => {
    assert.equal(dateOf(Date.parse("2026-03-01T16:30:00Z"), "Asia/Shanghai"), "2026-03-02");
  });

  it("go across months and leap days", () => {
    assert.equal(moved("2028-02-28", 1), "2028-02-29");
    assert.deepEqual(lastDays("2026-03-02", 7), { first: "2026-02-24", last: "2026-03-02" });
    assert.equal(lengthOf(lastDays("2026-03-02", 30)), 30);
  });

  it("are asked for by the hour while these can be told apart", () => {
    assert.equal(grain(lastDays("2026-03-02", 3)), "hour");
    assert.equal(grain(lastDays("2026-03-02", 4)), "day");
  });

  it("have to be in order and at most a year", () => {
    assert.equal(valid({ first: "2026-03-02", last: "2026-03-02" }), true);
    assert.equal(valid({ first: "2026-03-03", last: "2026-03-02" }), false);
    assert.equal(valid({ first: "", last: "2026-03-02" }), false);
    assert.equal(valid({ first: "2025-03-01", last: "2026-03-02" }), false);
  });
});

describe("figures in words", () => {
  it("have a dash where there is nothing to divide by", () => {
    assert.deepEqual([share(null), rate(null), duration(null), collected({ money: [] })], ["–", "–", "–", "–"]);
  });

  it("show small shares with a digit more", () => {
    useCatalogue("en", english);
    assert.deepEqual([share(0.623), share(0.041), share(1)], ["62%", "4.1%", "100%"]);
  });

  it("say durations as people do", () => {
    useCatalogue("en", english);
    assert.deepEqual(
      [duration(48), duration(1_500), duration(3_900)],
      ["48 s", "25 min", "1 h 05 min"],
    );
  });
});

describe("places", () => {
  const row = (name: string, occupancy: number | null): PlaceRow => ({
    id: name,
    name,
    line: {
      money: [],
      counts: {} as PlaceRow["line"]["counts"],
      figures: { occupancy } as PlaceRow["line"]["figures"],
    },
  });

  it("are sorted with the unknown ones last, whichever way", () => {
    const rows = [row("a", null), row("b", 0.2), row("c", 0.9)];
    assert.deepEqual(sorted(rows, "occupancy", true).map((each) => each.name), ["c", "b", "a"]);
    assert.deepEqual(sorted(rows, "occupancy", false).map((each) => each.name), ["b", "c", "a"]);
  });

  it("count their numbers as numbers", () => {
    const rows = [row("A10", 0), row("A9", 0)];
    assert.deepEqual(sorted(rows, "name", false).map((each) => each.name), ["A9", "A10"]);
  });
});
