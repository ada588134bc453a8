import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Bill, StayTimeline } from "../src/api/types";
import { quartersAhead } from "../src/mine/fee";
import { atNumber, byNumber } from "../src/mine/numbers";
import { openAmounts } from "../src/mine/sums";
import { byDay, cameLate, story } from "../src/timeline/words";

const said = (kind: string, source: string, at: string, heard: string, detail = {}) => ({
  id: `${kind}-${at}`,
  session_id: null,
  kind,
  at,
  recorded_at: heard,
  source,
  certainty: 1000,
  by: null,
  plate: null,
  read_as: null,
  detail,
});
const FOUND = {
  items: [
    said("bay-departure", "sensor", "2026-03-02T02:00:00Z", "2026-03-02T02:00:20Z", { reason: "departure" }),
    said("ended", "attendant", "2026-03-02T01:50:00Z", "2026-03-02T03:00:00Z", { reason: "saw it leave" }),
    said("bay-arrival", "sensor", "2026-03-01T15:59:00Z", "2026-03-01T15:59:01Z"),
  ],
} as unknown as StayTimeline;
const BILL = {
  id: "b",
  state: "disputed",
  issued_at: "2026-03-02T02:10:00Z",
  payment: null,
  dispute: {
    id: "d",
    state: "open",
    words: "I left at ten",
    opened_at: "2026-03-02T04:00:00Z",
    resolved_at: null,
    answer: null,
  },
} as unknown as Bill;

describe("the evidence timeline", () => {
  it("tells what was so in the order of its time, the bill and its dispute with it", () => {
    assert.deepEqual(
      story(FOUND, BILL).map(({ kind }) => kind),
      ["bay-arrival", "ended", "bay-departure", "bill-issued", "bill-disputed"],
    );
  });

  it("keeps a person's reason and not a sensor's as words of their own", () => {
    assert.deepEqual(
      story(FOUND, BILL).map(({ reason }) => reason),
      [null, "saw it leave", null, null, "I left at ten"],
    );
  });

  it("stands what machines saw apart from what people said, and marks corrections", () => {
    const entries = story(FOUND, null);
    assert.deepEqual(entries.map(({ lane }) => lane), ["street", "people", "street"]);
    assert.deepEqual(entries.map(({ corrects }) => corrects), [false, true, false]);
  });

  it("says only of what came late when it was heard", () => {
    assert.deepEqual(story(FOUND, null).map(cameLate), [false, true, false]);
  });

  it("parts the days of the city, not those of Greenwich", () => {
    const days = byDay(story(FOUND, null), "Asia/Shanghai");
    assert.deepEqual(
      days.map(([day, entries]) => [day, entries.length]),
      [
        ["2026-03-01", 1],
        ["2026-03-02", 2],
      ],
    );
  });
});

describe("a bay by its painted number", () => {
  const places = [{ code: "K01" }, { code: "K014" }, { code: "G1" }];
  const bays = [{ label: "K014-07" }, { label: "K014-17" }, { label: "K014-70" }];

  it("belongs to the place with the longest code that it begins with", () => {
    assert.equal(byNumber(places, "k014-07")?.code, "K014");
    assert.equal(byNumber(places, "Ｋ０１４ 07")?.code, "K014");
    assert.equal(byNumber(places, "07"), null);
    assert.equal(byNumber(places, "K014"), null);
  });

  it("is found whole, short, and without its leading zero, and never by a part of it", () => {
    for (const typed of ["K014-07", "k01407", "07", "7"]) {
      assert.equal(atNumber(bays, "K014", typed)?.label, "K014-07", typed);
    }
    assert.equal(atNumber(bays, "K014", "0"), null);
    assert.equal(atNumber(bays, "K014", ""), null);
  });
});

describe("what a driver is asked and owes", () => {
  it("offers quarter hours that lie ahead", () => {
    const nowMs = Date.parse("2026-03-02T01:14:30Z");
    assert.deepEqual(
      quartersAhead(nowMs, 1).map((atMs) => new Date(atMs).toISOString().slice(11, 16)),
      ["01:30", "01:45", "02:00", "02:15"],
    );
  });

  it("sums open bills by currency and counts no frozen, paid or cancelled one", () => {
    const bill = (state: string, minor: number, currency = "CNY") => ({
      state,
      amount: { minor, currency },
    });
    assert.deepEqual(
      openAmounts([
        bill("open", 250),
        bill("disputed", 900),
        bill("open", 500),
        bill("paid", 300),
        bill("open", 40, "HKD"),
        bill("open", 0, "MOP"),
      ]),
      [
        { minor: 750, currency: "CNY" },
        { minor: 40, currency: "HKD" },
      ],
    );
  });
});
