import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { differenceWords } from "../src/signals/drive_words";
import { countedAt, lampOf, reaches, seenAt, shownAt, trackOf } from "../src/signals/replay_model";
import { useCatalogue } from "../src/shell/text";

const EVERYWHERE = { left: -1e9, right: 1e9, bottom: -1e9, top: 1e9 };

describe("a replay", () => {
  // From second 2 at (10, 5): 3 m east, 2 m east, then it stands.
  const track = trackOf([2, 100, 50, 30, 0, 20, 0, 0, 0]);

  it("glides from second to second and is nowhere before and after", () => {
    assert.equal(seenAt(track, 1.9), null);
    assert.equal(seenAt(track, 2.5)?.x, 11.5);
    assert.equal(seenAt(track, 3)?.x, 13);
    assert.equal(seenAt(track, 6), null);
  });

  it("points ahead, also while it stands", () => {
    assert.equal(seenAt(track, 4)?.heading, 0);
    const north = trackOf([0, 0, 0, 0, 0, 0, 50]);
    assert.ok(Math.abs((seenAt(north, 0)?.heading ?? 0) - Math.PI / 2) < 1e-6);
  });

  it("counts who is in view and who stands", () => {
    assert.deepEqual(countedAt([track], 2, EVERYWHERE), { there: 1, standing: 0 });
    assert.deepEqual(countedAt([track], 4, EVERYWHERE), { there: 1, standing: 1 });
    assert.deepEqual(countedAt([track], 4, { ...EVERYWHERE, right: 12 }), { there: 0, standing: 0 });
  });

  it("leaves out lanes that lie beside what is looked at", () => {
    const box = { left: 0, right: 10, bottom: 0, top: 10 };
    assert.equal(reaches(box, [-50, 50, 150, 50]), true);
    assert.equal(reaches(box, [110, 50, 150, 50]), false);
  });

  it("shows a signal's last state until the next", () => {
    const states = [[0, "Gr"], [11, "Fr"], [14, "rG"]] as const;
    assert.deepEqual([0, 10.9, 11, 200].map((at) => shownAt(states, at)), ["Gr", "Gr", "Fr", "rG"]);
    assert.deepEqual([..."GgFfyYuorsO"].map(lampOf).join(" "), "go go go go change change change change stop stop dark");
  });
});

describe("a measured difference", () => {
  const estimate = (mean: number, low: number, high: number): { mean: number; low: number; high: number } => ({ mean, low, high });
  const compared = (shown: "less" | "more" | "none", mean: number, low: number, high: number) => ({ before: estimate(0, 0, 0), after: estimate(0, 0, 0), difference: estimate(mean, low, high), shown });

  it("is called none where its interval spans zero", () => {
    useCatalogue("en", {
      "signals.drive_shown_none": "no difference shown ({low} to {high})",
      "signals.drive_shown_less": "less by {n} ({low} to {high})",
      "signals.drive_same": "the same in every seed",
    });
    assert.equal(differenceWords(compared("none", -1, -3, 1), "drain_delay_s"), "no difference shown (−3.0 to 1.0)");
    assert.equal(differenceWords(compared("less", -2, -3, -1), "drain_delay_s"), "less by 2.0 (−3.0 to −1.0)");
    assert.equal(differenceWords(compared("none", 0, 0, 0), "safety_violations"), "the same in every seed");
  });
});
