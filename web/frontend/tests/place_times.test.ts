import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { daysText, otherClauses, otherMembers } from "../src/places/times";

describe("times of places", () => {
  it("says runs of days by their ends and single ones by name", () => {
    assert.equal(daysText(["mo", "tu", "we", "th", "fr"]), `${daysText(["mo"])}–${daysText(["fr"])}`);
    assert.ok(!daysText(["sa", "su"]).includes("–"));
    assert.equal(daysText(["we", "tu", "mo", "su"]).split("–").length, 2);
  });

  it("keeps clauses that it has no field for", () => {
    assert.deepEqual(otherClauses({ days: ["mo"], times: [["08:00", "24:00"]], dates: [["12-24", "12-26"]] }), {
      dates: [["12-24", "12-26"]],
    });
    assert.deepEqual(otherMembers({ activity: "no_parking", reason: "market", users: ["taxi"], priority: 1 }), {
      users: ["taxi"],
      priority: 1,
    });
  });
});
