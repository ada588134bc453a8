import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MyShift, Session } from "../src/api/types";
import { countedMinor, shiftHere } from "../src/attendant/shift_here";
import {
  batchOf,
  cashRoom,
  cashWaiting,
  released,
  renumbered,
  settled,
  undoLeftMs,
  uuid7,
  type KeptAct,
  type Result,
  type Wanted,
} from "../src/outbox/acts";
import { laid } from "../src/outbox/overlay";

const DONE_MS = Date.parse("2026-03-02T01:00:00Z");

function kept(order: number, wanted: Wanted = { kind: "report" }, more: Partial<KeptAct> = {}): KeptAct {
  return {
    order,
    id: `act-${order}`,
    sequence: null,
    accountId: "a",
    deviceAt: new Date(DONE_MS + order * 1_000).toISOString(),
    offsetMs: 0,
    wanted,
    shown: {},
    refusal: null,
    ...more,
  };
}

function told(index: number, more: Partial<Result> = {}): Result {
  return {
    id: `act-${index + 1}`,
    index,
    result: "created",
    kept: true,
    reason: null,
    detail: null,
    advice: null,
    ...more,
  };
}

describe("an act's id", () => {
  it("is a UUIDv7 of its time", () => {
    // The time of RFC 9562's own example, appendix A.6.
    const id = uuid7(0x017f22e279b0, new Uint8Array(16));
    assert.equal(id, "017f22e2-79b0-7000-8000-000000000000");
  });
});

describe("what leaves the device", () => {
  it("waits ten seconds, in which it has no number", () => {
    const [act] = [kept(1)];
    const doneMs = DONE_MS + 1_000;
    assert.equal(undoLeftMs(act!, doneMs + 4_000), 6_000);
    assert.deepEqual(released([act!], 7, doneMs + 9_999, false), { acts: [], next: 7 });
    assert.deepEqual(released([act!], 7, doneMs + 10_000, false).acts.map((each) => each.sequence), [7]);
  });

  it("is numbered without gaps, in the order in which it was done", () => {
    const out = released([kept(3), kept(1), kept(2)], 5, DONE_MS, true);
    assert.deepEqual(out.acts.map((act) => [act.order, act.sequence]), [[1, 5], [2, 6], [3, 7]]);
    assert.equal(out.next, 8);
  });

  it("goes with all before it where the clock was set back in between", () => {
    const late = kept(2, { kind: "report" }, { deviceAt: new Date(DONE_MS + 3_600_000).toISOString() });
    const out = released([kept(1), late, kept(3)], 1, DONE_MS + 4_000, false);
    assert.deepEqual(out.acts.map((act) => act.order), [1, 2]);
  });

  it("is sent oldest first, without what was refused", () => {
    const refusal = { reason: "paid", words: "", advice: "nothing", kept: true };
    const acts = [3, 1, 2].map((n) => kept(n, { kind: "report" }, { sequence: n }));
    acts.push(kept(4, { kind: "report" }, { sequence: 4, refusal }), kept(5));
    assert.deepEqual(batchOf(acts, 2).map((act) => act.sequence), [1, 2]);
    assert.equal(batchOf(acts, 9).length, 3);
  });
});

describe("a device that became another terminal", () => {
  it("numbers what waits by that one's count, in its order", () => {
    const refusal = { reason: "paid", words: "", advice: "nothing", kept: true };
    const acts = [
      kept(4, { kind: "report" }, { sequence: 38 }),
      kept(3, { kind: "report" }, { sequence: 37 }),
      kept(2, { kind: "report" }, { sequence: 36, refusal }),
      kept(5),
    ];
    const anew = renumbered(acts, 1);
    assert.deepEqual(anew.acts.map((act) => [act.order, act.sequence]), [[3, 1], [4, 2]]);
    assert.equal(anew.next, 3);
  });
});

describe("what becomes of a batch", () => {
  const batch = [1, 2, 3, 4].map((n) => kept(n, { kind: "report" }, { sequence: n }));

  it("forgets what was taken, keeps what was refused, and sends again what was not told of", () => {
    const refused = told(2, { result: "conflict", reason: "no-stay", detail: "no stay", advice: "look-again" });
    const out = settled(batch, [told(0), told(1, { result: "exists" }), refused], 5, 5);
    assert.deepEqual(out.done, [1, 2]);
    assert.deepEqual(out.changed.map((act) => [act.order, act.refusal?.reason, act.refusal?.kept]), [
      [3, "no-stay", true],
    ]);
  });

  it("gives numbers behind all that both know where a device lost its count", () => {
    const again = { result: "conflict", kept: false, reason: "number-used", advice: "renumber" } as const;
    const out = settled(batch, [told(0, again), told(1, again)], 5, 41);
    assert.deepEqual(out.changed.map((act) => [act.order, act.sequence, act.refusal]), [
      [1, 41, null],
      [2, 42, null],
    ]);
    assert.equal(out.next, 43);
  });

  it("takes no word about another act", () => {
    assert.deepEqual(settled(batch, [told(0, { id: "other" })], 5, 5).done, []);
  });
});

describe("cash that the city does not know of", () => {
  it("is what bills came to, not what was handed over", () => {
    const cash = (order: number, more: Partial<KeptAct> = {}): KeptAct =>
      kept(order, { kind: "cash", tendered_minor: 10_000 }, { shown: { amount: { minor: 350, currency: "CNY" } }, ...more });
    const refusal = { reason: "paid", words: "", advice: "nothing", kept: true };
    const acts = [cash(1), cash(2), cash(3, { refusal })];
    assert.equal(cashWaiting(acts), 700);
    assert.equal(cashRoom(acts, { minor: 1_000, currency: "CNY" }, "CNY"), 300);
    assert.equal(cashRoom(acts, { minor: 500, currency: "CNY" }, "CNY"), 0);
    assert.equal(cashRoom(acts, { minor: 1_000, currency: "EUR" }, "CNY"), null);
  });
});

describe("a post with what was done here", () => {
  const bays = [
    { id: "b1", label: "A-1" },
    { id: "b2", label: "A-2" },
  ];
  const stay = { id: "s1", bay_id: "b1", plate: null, opened_at: "2026-03-02T00:00:00Z" } as Session;
  const plate = { kind: "plate", bay_id: "b1", plate: "皖B12345", plate_kind: "blue7" } as const;

  it("names the stay that stands there", () => {
    const now = laid("f", bays, new Map([["b1", stay]]), [], [kept(1, plate)]);
    assert.equal(now.stays.get("b1")?.id, "s1");
    assert.equal(now.stays.get("b1")?.plate?.text, "皖B12345");
    assert.deepEqual([...now.waiting], ["b1"]);
  });

  it("begins one where none stood, then, by the city's clock", () => {
    const now = laid("f", bays, new Map(), [], [kept(1, plate, { offsetMs: 60_000 })]);
    assert.equal(now.stays.get("b1")?.opened_at, "2026-03-02T01:01:01.000Z");
  });

  it("follows the order of acts: named, then gone", () => {
    const now = laid("f", bays, new Map(), [], [kept(1, plate), kept(2, { kind: "end", bay_id: "b1" })]);
    assert.equal(now.stays.has("b1"), false);
  });

  it("leaves out bills that were paid here, and what the city said as it is", () => {
    const stays = new Map([["b1", stay]]);
    const bills = [{ id: "x" }, { id: "y" }] as never[];
    const now = laid("f", bays, stays, bills, [kept(1, { kind: "cash", bill_id: "x" }), kept(2, plate)]);
    assert.deepEqual(now.bills.map(({ id }) => id), ["y"]);
    assert.equal(stays.get("b1")?.plate, null);
  });
});

describe("a shift without a line", () => {
  const carried = { minor: 500, currency: "CNY" };
  const mine = { shift: null, carried, waiting: [], faces: [100], names: {} } as unknown as MyShift;
  const begun = kept(1, { kind: "shift-begin", place: "Ferry Road" });
  const rest = [kept(2, { kind: "shift-pause" }), kept(3, { kind: "shift-resume" })];

  it("is what was done here over what the city said", () => {
    const paused = shiftHere(mine, [begun, rest[0] as KeptAct], "0153").shift;
    assert.deepEqual([paused?.id, paused?.place, paused?.state], ["act-1", "Ferry Road", "open"]);
    assert.deepEqual(paused?.breaks.map(({ until_at }) => until_at), [null]);
    const back = shiftHere(mine, [begun, ...rest], "0153").shift;
    assert.deepEqual(back?.breaks, [{ from_at: "2026-03-02T01:00:02.000Z", until_at: "2026-03-02T01:00:03.000Z" }]);
  });

  it("tells what was counted and never what should be there", () => {
    const count = kept(5, { kind: "shift-count", pieces: { "100": 4, "50": 1 } });
    const cash = kept(4, { kind: "cash" }, { shown: { amount: { minor: 450, currency: "CNY" } } });
    const here = shiftHere(mine, [begun, cash, count], "0153");
    assert.equal(countedMinor(here.counted?.wanted.pieces ?? {}), 450);
    assert.equal(here.onDevice, 450);
    assert.equal(here.shift?.difference, null);
    // Another one begins where it ended.
    assert.equal(shiftHere(mine, [begun, count, kept(6, { kind: "shift-begin", place: "x" })], "0153").counted, null);
  });

  it("asks no more about cash that was counted here, and keeps what is in the bag by the ledger", () => {
    const offered = { ...mine, waiting: [{ id: "one" }, { id: "other" }] } as unknown as MyShift;
    const give = kept(2, { kind: "cash-give", amount_minor: 100, currency: "CNY" }, { shown: { amount: { minor: 100, currency: "CNY" } } });
    const take = kept(3, { kind: "cash-take", move_id: "one", amount_minor: 200, currency: "CNY" });
    const here = shiftHere(offered, [begun, give, take], "0153");
    assert.deepEqual(here.handed, [give, take]);
    assert.deepEqual(here.waiting.map(({ id }) => id), ["other"]);
    assert.deepEqual([here.carried.minor, here.onDevice], [500, 0]);
  });
});
