import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { validateStyleMin } from "@maplibre/maplibre-gl-style-spec";
import { mapStyle, type MapTokens } from "../src/map/style";

const COLOUR = "#5d6b65";
const TOKENS: MapTokens = {
  paper: COLOUR,
  surface: COLOUR,
  ink: COLOUR,
  muted: COLOUR,
  line: COLOUR,
  accent: COLOUR,
  taken: COLOUR,
  information: COLOUR,
  land: COLOUR,
  water: COLOUR,
  street: COLOUR,
  casing: COLOUR,
  green: COLOUR,
};

describe("the map's style", () => {
  for (const language of ["zh", "en"] as const) {
    it(`breaks no rule of the style specification (${language})`, () => {
      const faults = validateStyleMin(mapStyle(TOKENS, language, "https://city.example/streets.geojson"));
      assert.deepEqual(
        faults.map(({ message }) => message),
        [],
      );
    });
  }

  it("asks nobody but its own streets for anything", () => {
    const style = mapStyle(TOKENS, "en", "https://city.example/streets.geojson");
    assert.equal(style.glyphs, undefined);
    assert.equal(style.sprite, undefined);
    assert.ok(Object.values(style.sources).every(({ type }) => type === "geojson"));
  });
});
