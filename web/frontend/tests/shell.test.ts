import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { GLYPHS, hatchPath } from "../src/glyphs/shapes";
import { counted, fill, inLanguage, named, text, useCatalogue } from "../src/shell/text";

const read = (language: string): Record<string, string> =>
  JSON.parse(readFileSync(`../catalogue/${language}.json`, "utf-8")) as Record<string, string>;

describe("texts", () => {
  it("fill their holes and show those without a value", () => {
    assert.equal(fill("{a} of {b}", { a: 1 }), "1 of {b}");
  });

  it("count one and many in English alone", () => {
    useCatalogue("en", read("en"));
    assert.equal(counted("count.bays", 1), "1 bay");
    assert.equal(counted("count.bays", 1_200), "1,200 bays");
    useCatalogue("zh", read("zh"));
    assert.equal(counted("count.bays", 1), "1个泊位");
  });

  it("show the server's own word where the catalogue has none", () => {
    useCatalogue("en", read("en"));
    assert.equal(named("fault", "obstructed"), "obstructed");
    assert.equal(named("fault", "eaten-by-bear"), "eaten-by-bear");
    assert.equal(text("state.free"), "Free");
  });

  it("take the other language where one is missing", () => {
    useCatalogue("en", read("en"));
    assert.equal(inLanguage("柳荫巷", ""), "柳荫巷");
    assert.equal(inLanguage("柳荫巷", "Liuyin Lane"), "Liuyin Lane");
    assert.equal(inLanguage(null, null), "");
  });
});

describe("glyphs", () => {
  it("differ in shape and not in colour alone", () => {
    const paths = Object.values(GLYPHS).map((shapes) => JSON.stringify(shapes));
    assert.equal(new Set(paths).size, paths.length);
  });

  it("keep the hatch inside its circle", () => {
    const numbers = [...hatchPath(8, [-4, 0, 4]).matchAll(/[ML](\S+) (-?[\d.]+)/g)];
    assert.equal(numbers.length, 6);
    for (const [, x, y] of numbers) {
      assert.ok(Math.hypot(Number(x) - 12, Number(y) - 12) <= 8.02);
    }
  });
});
