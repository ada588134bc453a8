import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { again, answered, kept, lost, nextPart, PART_BYTES, sendable, type KeptPhoto } from "../src/outbox/photos";
import { base64 } from "../src/terminal/signing";

function photo(order: number, more: Partial<KeptPhoto> = {}, bytes = PART_BYTES + 10): KeptPhoto {
  const taken = { id: `photo-${order}`, sha256: "00", content: new ArrayBuffer(bytes) };
  const act = { id: `act-${order}`, wanted: { kind: "exempt" as const }, shown: {} };
  return { ...kept(taken, act, order), ...more };
}

describe("what a photo is sent as", () => {
  it("is base64 however large it is", () => {
    const bytes = Uint8Array.from({ length: 400_001 }, (_, at) => at % 251);
    assert.equal(base64(bytes.buffer), Buffer.from(bytes).toString("base64"));
  });
});

describe("photos on their way", () => {
  it("follow their acts, the oldest first", () => {
    const photos = [photo(3), photo(1), photo(2)];
    assert.deepEqual(sendable(photos, new Set(["act-2"])).map(({ id }) => id), ["photo-1", "photo-3"]);
  });

  it("go on from where the city says that they stand", () => {
    const begun = answered(photo(1), { received: PART_BYTES, whole: false });
    assert.ok(begun);
    assert.equal(nextPart(begun).from, PART_BYTES);
    assert.equal(nextPart(begun).bytes.length, 10);
    assert.equal(answered(begun, { received: PART_BYTES + 10, whole: true }), null);
  });

  it("come again where what came was spoilt, and stay for a person at the third time", () => {
    let now: KeptPhoto | null = photo(1, { received: PART_BYTES });
    for (let times = 0; times < 3 && now; times += 1) now = answered(now, { received: 0, whole: false });
    assert.ok(now);
    assert.equal(now.received, 0);
    assert.equal(now.refused, "spoilt");
    assert.deepEqual(sendable([now], new Set()), []);
    assert.deepEqual(sendable([again(now)], new Set()), [again(photo(1))]);
  });

  it("are lost where the city awaits one that is not here", () => {
    assert.deepEqual(lost(["photo-1", "photo-9"], [photo(1)]), ["photo-9"]);
  });
});
