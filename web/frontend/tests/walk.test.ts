import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PatrolTask } from "../src/api/types";
import { standing, urgency, withMark } from "../src/attendant/patrol_tasks";
import { lossOfWalk, MOST_ORDERED, straightM, walk, walkM, type Ground, type Stop } from "../src/attendant/walk";
import type { KeptAct } from "../src/outbox/acts";

const HERE = { longitude: 118.38, latitude: 31.33 };
const NO_GROUND: Ground = { facilities: [], walksM: [] };

/** A point so many metres east and north of here. */
function moved(eastM: number, northM: number): { longitude: number; latitude: number } {
  return {
    longitude: HERE.longitude + eastM / (111_195 * Math.cos((HERE.latitude * Math.PI) / 180)),
    latitude: HERE.latitude + northM / 111_195,
  };
}

function stop(id: string, eastM: number, northM = 0, weight = 1, facility = 0): Stop {
  return { id, ...moved(eastM, northM), weight, facility };
}

/** Numbers that look random and are the same each time (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function town(seed: number, n: number): Stop[] {
  const draw = random(seed);
  return Array.from({ length: n }, (_, at) => stop(`s${at}`, draw() * 800, draw() * 800, 0.5 + draw() * 8, -1));
}

function orders<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((first, at) => orders([...items.slice(0, at), ...items.slice(at + 1)]).map((rest) => [first, ...rest]));
}

const GROUND: Ground = { facilities: [HERE, moved(0, 20)], walksM: [[0, 20], [20, 0]] };

function walked(from: typeof HERE, stops: readonly Stop[], ground: Ground): Stop[] {
  const byId = new Map(stops.map((each) => [each.id, each]));
  return walk(from, stops, ground).map(({ id }) => byId.get(id) as Stop);
}

describe("a walk", () => {
  it("goes along the kerb in the order of its bays", () => {
    const stops = [3, 1, 4, 0, 2].map((n) => stop(`b${n}`, n * 6));
    assert.deepEqual(
      walk(HERE, stops, GROUND).map(({ id }) => id),
      ["b0", "b1", "b2", "b3", "b4"],
    );
  });

  it("goes to what is urgent first, past what can wait", () => {
    const stops = [stop("sensor", 30, 0, 0.5), stop("escape", 90, 0, 8), stop("zombie", 120, 0, 1)];
    assert.equal(walk(HERE, [stops[0], stop("left", -60, 0, 8), stops[2]] as Stop[], GROUND)[0]?.id, "left");
    assert.deepEqual(walk(HERE, stops, GROUND).map(({ id }) => id), ["escape", "zombie", "sensor"]);
  });

  it("names each stop once, whatever is asked", () => {
    for (let seed = 1; seed <= 30; seed += 1) {
      const stops = town(seed, seed * 3);
      const ids = walk(HERE, stops, NO_GROUND).map(({ id }) => id);
      assert.deepEqual([...ids].sort(), stops.map(({ id }) => id).sort());
    }
    assert.deepEqual(walk(HERE, [], NO_GROUND), []);
  });

  it("is the same whenever it is asked", () => {
    const stops = town(7, 25);
    assert.deepEqual(walk(HERE, stops, NO_GROUND), walk(HERE, stops, NO_GROUND));
  });

  it("loses no more than the order given, and than going to the nearest next", () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const stops = town(seed, 14);
      const found = lossOfWalk(HERE, walked(HERE, stops, NO_GROUND), NO_GROUND);
      const rest = [...stops];
      const nearest: Stop[] = [];
      let at: { longitude: number; latitude: number } = HERE;
      while (rest.length > 0) {
        rest.sort((a, b) => straightM(at, a) - straightM(at, b));
        at = rest.shift() as Stop;
        nearest.push(at as Stop);
      }
      assert.ok(found <= lossOfWalk(HERE, stops, NO_GROUND) + 1e-6);
      assert.ok(found <= lossOfWalk(HERE, nearest, NO_GROUND) + 1e-6);
    }
  });

  it("loses at most a twentieth more than the best of all orders of six", () => {
    let worst = 1;
    let best = 0;
    for (let seed = 100; seed < 140; seed += 1) {
      const stops = town(seed, 6);
      const found = lossOfWalk(HERE, walked(HERE, stops, NO_GROUND), NO_GROUND);
      const least = Math.min(...orders(stops).map((order) => lossOfWalk(HERE, order, NO_GROUND)));
      worst = Math.max(worst, found / least);
      if (found <= least + 1e-6) best += 1;
    }
    assert.ok(worst <= 1.05, `${worst}`);
    assert.ok(best >= 34, `${best} of 40 are the best`);
  });

  it("tells how far it is by each stop, and the minutes that stops take", () => {
    const legs = walk(HERE, [stop("a", 72), stop("b", 144)], GROUND);
    assert.deepEqual(legs.map(({ metres }) => Math.round(metres)), [72, 144]);
    assert.deepEqual(legs.map(({ minutes }) => Math.round(minutes * 10) / 10), [1, 3]);
  });

  it("orders hundreds within a moment, all of them", () => {
    const stops = town(3, MOST_ORDERED * 3);
    const began = performance.now();
    assert.equal(walk(HERE, stops, NO_GROUND).length, stops.length);
    assert.ok(performance.now() - began < 3_000);
  });
});

describe("a way between two bays", () => {
  const apart = { facilities: [moved(0, 0), moved(0, 100)], walksM: [[0, 400], [400, 0]] };

  it("is straight along one kerb, and as long as the streets make it to another", () => {
    assert.equal(Math.round(walkM(stop("a", 0, 0, 1, 0), stop("b", 30, 0, 1, 0), apart)), 30);
    assert.equal(Math.round(walkM(stop("a", 0, 0, 1, 0), stop("b", 0, 100, 1, 1), apart)), 400);
  });

  it("is the straight line and a usual detour where no street is known", () => {
    assert.equal(Math.round(walkM(stop("a", 0, 0, 1, -1), stop("b", 100, 0, 1, 1), apart)), 130);
  });
});

const TASK: PatrolTask = {
  id: "t1",
  kind: "plate",
  facility_id: "f",
  bay_id: "b1",
  bay_label: "K-01",
  position: [118.38, 31.33],
  session_id: "s",
  bill_id: null,
  plate: null,
  amount: null,
  what: "",
  arose_at: "2026-03-02T01:00:00Z",
  seen_at: null,
};

function done(wanted: KeptAct["wanted"], refusal: KeptAct["refusal"] = null): KeptAct {
  return { order: 1, id: "a", sequence: 1, accountId: "p", deviceAt: "2026-03-02T01:00:00Z", offsetMs: 0, wanted, shown: {}, refusal };
}

describe("what still calls", () => {
  it("leaves out what was done on this device, until it is refused", () => {
    const act = { kind: "plate", bay_id: "b1" } as const;
    assert.equal(standing([TASK], [], [done(act)]).length, 0);
    assert.equal(standing([TASK], [], [done(act, { reason: "no-stay", words: "", advice: "look-again", kept: true })]).length, 1);
    const escape = { ...TASK, kind: "escape" as const, bill_id: "bill" };
    assert.equal(standing([escape], [], [done({ kind: "cash", bill_id: "bill" })]).length, 0);
  });

  it("leaves out what somebody looked at, and keeps what was only seen", () => {
    const mark = { task_id: "t1", at: TASK.arose_at, done: false, note: "" };
    assert.equal(standing([TASK], [mark], []).length, 1);
    assert.equal(standing([TASK], [{ ...mark, done: true }], []).length, 0);
  });

  it("keeps the first time that a task was seen", () => {
    const first = { task_id: "t1", at: "2026-03-02T01:00:00Z", done: false, note: "" };
    assert.deepEqual(withMark([first], { ...first, at: "2026-03-02T02:00:00Z" }), [first]);
    assert.equal(withMark([first], { ...first, done: true }).length, 2);
  });

  it("grows less urgent only where time takes the chance away", () => {
    assert.ok(urgency("escape", 0) > urgency("plate", 0));
    assert.ok(urgency("escape", 30) < urgency("plate", 30));
    assert.equal(urgency("plate", 0), urgency("plate", 600));
  });
});
