import assert from "node:assert/strict";
import { test } from "node:test";
import { placeOf, steps } from "../src/tariffs/json_place";
import { changePercent } from "../src/tariffs/words";

const DOCUMENT = `{
  "name": {"zh": "甲, }", "en": "a \\"b\\" ]"},
  "schedules": [
    {"id": "one", "bands": [{"id": "x", "charge": {"kind": "free"}}, {"id": "y", "cap_minor": -5}]}
  ]
}`;

const at = (path: string): string => {
  const [from, to] = placeOf(DOCUMENT, path);
  return DOCUMENT.slice(from, to);
};

test("a path becomes steps", () => {
  assert.deepEqual(steps("schedules[0].bands[12].charge"), ["schedules", 0, "bands", 12, "charge"]);
});

test("a value is found by its path, whatever stands in the texts before it", () => {
  assert.equal(at("schedules[0].bands[1].cap_minor"), "-5");
  assert.equal(at("schedules[0].bands[0].charge"), '{"kind": "free"}');
  assert.equal(at("name.en"), '"a \\"b\\" ]"');
});

test("of what is not there the nearest thing around it is found", () => {
  assert.equal(at("schedules[0].bands[1].charge.steps[0]"), '{"id": "y", "cap_minor": -5}');
  assert.equal(at("currency"), DOCUMENT);
});

test("a text that is no JSON never holds the page up", () => {
  assert.deepEqual(placeOf("{,,,", "a[0]"), placeOf("{,,,", "a[0]"));
  assert.equal(placeOf("[1, 2", "[1]")[0], 4);
});

test("a change from nothing has no percentage", () => {
  assert.equal(changePercent(0, 500), null);
  assert.equal(changePercent(400, 500), 25);
});
