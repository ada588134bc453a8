import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { answered, kept, MOST_SENT, nextPart, PART_BYTES, removable, sendable, type KeptPhoto } from "../src/outbox/photos";

function photo(order: number, more: Partial<KeptPhoto> = {}, bytes = PART_BYTES + 10): KeptPhoto {
  const taken = { id: `photo-${order}`, sha256: "00", content: new ArrayBuffer(bytes) };
  return { ...kept(taken, `act-${order}`, order), ...more };
}

describe("photos on their way", () => {
  it("follow their acts, the oldest first", () => {
    const photos = [photo(3), photo(1), photo(2)];
    assert.deepEqual(sendable(photos, new Set(["act-2"])).map(({ id }) => id), ["photo-1", "photo-3"]);
  });

  it("go on from where the city says that they stand", () => {
    const begun = answered(photo(1), { received: PART_BYTES, whole: false }, 9);
    assert.equal(nextPart(begun).from, PART_BYTES);
    assert.equal(nextPart(begun).bytes.length, 10);
    const whole = answered(begun, { received: PART_BYTES + 10, whole: true }, 9);
    assert.equal(whole.sentMs, 9);
    assert.deepEqual(sendable([whole], new Set()), []);
  });

  it("come again where what came was spoilt, and stay for a person at the third time", () => {
    let now = photo(1, { received: PART_BYTES });
    for (let times = 0; times < 3; times += 1) now = answered(now, { received: 0, whole: false }, 9);
    assert.equal(now.received, 0);
    assert.equal(now.refused, "spoilt");
    assert.deepEqual(sendable([now], new Set()), []);
  });

  it("make room the oldest first, and never before the city has them", () => {
    const sent = Array.from({ length: MOST_SENT }, (_, order) => photo(order, { sentMs: 1 }));
    const own = [photo(-2), photo(-1, { refused: "spoilt" })];
    assert.deepEqual(removable([...sent, ...own]), []);
    assert.deepEqual(removable([...own, ...sent], PART_BYTES).map(({ id }) => id), ["photo-0"]);
    assert.deepEqual(removable(own, 10 ** 9), []);
    const many = [...sent, photo(90, { sentMs: 1 })];
    assert.deepEqual(removable(many).map(({ id }) => id), ["photo-0"]);
  });
});
