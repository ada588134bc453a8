import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  carriedOver,
  isComplete,
  nextKeys,
  nextPad,
  PLATE_KINDS,
  placesOf,
  plateLook,
  plateText,
  spelled,
  typedText,
} from "../src/plates/kinds";

describe("plates", () => {
  it("ask for the province, then the office, then the serial", () => {
    assert.equal(nextPad("blue7", []), "province");
    assert.ok(nextKeys("blue7", []).includes("皖"));
    assert.ok(!nextKeys("blue7", ["皖"]).includes("1"));
    assert.ok(nextKeys("blue7", ["皖", "B"]).includes("1"));
  });

  it("know neither I nor O", () => {
    for (const letter of ["I", "O"]) assert.ok(!nextKeys("blue7", ["皖", "B"]).includes(letter));
  });

  it("are complete at their kind's length", () => {
    assert.equal(isComplete("blue7", [..."皖B1234"]), false);
    assert.equal(isComplete("blue7", [..."皖B12345"]), true);
    assert.equal(isComplete("nev_green8", [..."皖B12345"]), false);
    assert.equal(isComplete("nev_green8", [..."皖BD12345"]), true);
    assert.deepEqual(nextKeys("blue7", [..."皖B12345"]), []);
  });

  it("fill their fixed characters in by themselves", () => {
    assert.equal(typedText("police_white", [..."皖B1234"]), "皖B1234警");
    assert.equal(typedText("hkmo_black", ["1", "2", "3", "4", "港"]), "粤Z1234港");
    assert.equal(typedText("emergency_white", [..."皖X1234"]), "皖X1234应急");
    assert.equal(typedText("wj_white", [..."皖12345"]), "WJ皖12345");
  });

  it("carry over what still fits when the kind changes", () => {
    assert.deepEqual(carriedOver("nev_green8", [..."皖B123"]), [..."皖B123"]);
    assert.deepEqual(carriedOver("emergency_white", [..."皖B123"]), ["皖"]);
  });

  it("show a dot after the issuing office, and none in plates without one", () => {
    assert.equal(plateText("皖B12345"), "皖B·12345");
    assert.equal(plateText("皖B·1***5"), "皖B·1***5");
    assert.equal(plateText("WJ皖12345"), "WJ皖12345");
  });

  it("are spelled character by character for a screen reader", () => {
    assert.equal(spelled("皖B·12345"), "皖 B 1 2 3 4 5");
  });

  it("each have a look, and every typed kind can be completed", () => {
    for (const kind of PLATE_KINDS) {
      assert.notEqual(plateLook(kind), undefined, kind);
      if (!placesOf(kind)) continue;
      const typed: string[] = [];
      for (let keys = nextKeys(kind, typed); keys.length > 0; keys = nextKeys(kind, typed)) {
        typed.push(keys[0] ?? "");
        assert.ok(typed.length < 12, kind);
      }
      assert.equal(isComplete(kind, typed), true, kind);
    }
  });

  it("look plain where the kind is new to the page", () => {
    assert.equal(plateLook("moon_silver"), "plain");
  });
});
