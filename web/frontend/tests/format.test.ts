import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { flatFields, hexBytes, signalBars } from "../src/format/frames";
import { inWalkingOrder, runsNorth, shortLabel } from "../src/format/labels";
import { change, likelyTenders, minorDigits, moneyText, parseAmount } from "../src/format/money";
import { age, businessNow, lasting, momentText } from "../src/format/time";

const yuan = (minor: number) => ({ minor, currency: "CNY" });

describe("money", () => {
  it("reads what a person types without floating point", () => {
    assert.equal(parseAmount("0.29", "CNY"), 29);
    assert.equal(parseAmount("20", "CNY"), 2_000);
    assert.equal(parseAmount(" ¥7.5 ", "CNY"), 750);
    assert.equal(parseAmount("￥1000", "CNY"), 100_000);
  });

  it("refuses what is no amount", () => {
    for (const typed of ["", "abc", "1.234", "-5", "1,5", "1e3", "."]) {
      assert.equal(parseAmount(typed, "CNY"), null, typed);
    }
    assert.equal(parseAmount("1.5", "JPY"), null);
  });

  it("writes the yuan sign in both languages", () => {
    assert.equal(moneyText(yuan(1_250), "zh-CN"), "¥12.50");
    assert.equal(moneyText(yuan(1_250), "en-GB"), "¥12.50");
  });

  it("knows how many digits a currency has", () => {
    assert.deepEqual([minorDigits("CNY"), minorDigits("JPY")], [2, 0]);
  });

  it("gives no change before the sum is covered", () => {
    assert.equal(change(yuan(625), 600), null);
    assert.deepEqual(change(yuan(625), 2_000), yuan(1_375));
    assert.deepEqual(change(yuan(625), 625), yuan(0));
  });

  it("offers the exact amount and the notes that cover it", () => {
    assert.deepEqual(likelyTenders(yuan(625)), [625, 1_000, 2_000, 5_000, 10_000]);
    assert.deepEqual(likelyTenders(yuan(500)), [500, 1_000, 2_000, 5_000, 10_000]);
    assert.ok(likelyTenders(yuan(12_345)).every((minor) => minor >= 12_345));
    assert.deepEqual(likelyTenders({ minor: 300, currency: "EUR" }), [300]);
  });
});

describe("time", () => {
  const now = Date.UTC(2026, 2, 2, 1, 12, 0);

  it("says an age in the unit a person would use", () => {
    assert.deepEqual(age(now - 1_000, now), { unit: "now", n: 0 });
    assert.deepEqual(age(now - 8_000, now), { unit: "seconds", n: 8 });
    assert.deepEqual(age(now - 120_000, now), { unit: "minutes", n: 2 });
    assert.deepEqual(age(now - 2 * 3_600_000, now), { unit: "hours", n: 2 });
    assert.deepEqual(age(now - 50 * 3_600_000, now), { unit: "days", n: 2 });
  });

  it("never says that something happened in the future", () => {
    assert.deepEqual(age(now + 60_000, now), { unit: "now", n: 0 });
  });

  it("cuts a stay's length off at whole minutes", () => {
    assert.deepEqual(lasting(now - 59_000, now), { days: 0, hours: 0, minutes: 0 });
    assert.deepEqual(lasting(now - 65 * 60_000, now), { days: 0, hours: 1, minutes: 5 });
    assert.deepEqual(lasting(now - 27 * 3_600_000, now), { days: 1, hours: 3, minutes: 0 });
  });

  it("shows the city's time, with the date on another day", () => {
    assert.equal(momentText(now, now, "Asia/Shanghai", "en-GB"), "09:12");
    assert.equal(momentText(now - 86_400_000, now, "Asia/Shanghai", "en-GB"), "1 Mar 09:12");
    assert.equal(momentText(now - 86_400_000, now, "Asia/Shanghai", "zh-CN"), "3月1日 09:12");
  });

  it("runs the demo's clock from its setting", () => {
    assert.equal(businessNow({ d0Ms: 1_000, w0Ms: 500, speed: 20 }, 600), 3_000);
    assert.equal(businessNow({ d0Ms: 1_000, w0Ms: 500, speed: 0 }, 600), 1_000);
  });
});

describe("frames", () => {
  it("writes bytes in pairs", () => {
    assert.equal(hexBytes("02FF10"), "02 ff 10");
    assert.equal(hexBytes(""), "");
  });

  it("flattens decoded fields with dotted names", () => {
    assert.deepEqual(flatFields({ type: "heartbeat", debug: { mag: [1, 2], t: null } }), [
      ["type", "heartbeat"],
      ["debug.mag", "[1,2]"],
      ["debug.t", "null"],
    ]);
  });

  it("shows fewer bars the weaker or noisier the signal", () => {
    assert.equal(signalBars(-80, 8), 4);
    assert.equal(signalBars(-80, -9), 2);
    assert.equal(signalBars(-118, null), 1);
    assert.equal(signalBars(-130, 5), 0);
  });
});

describe("labels", () => {
  it("drops the facility's code from a bay's number", () => {
    assert.equal(shortLabel("K014-07", "K014"), "07");
    assert.equal(shortLabel("A-7", "K014"), "A-7");
    assert.equal(shortLabel("K014-", "K014"), "K014-");
  });

  it("stand beside the bays of a row that runs north", () => {
    assert.equal(runsNorth([[118, 31], [118.0001, 31.001]]), true);
    assert.equal(runsNorth([[118, 31], [118.001, 31.0001]]), false);
    assert.equal(runsNorth([]), false);
  });

  it("put bays in the order in which one walks past them", () => {
    const labels = inWalkingOrder([{ label: "A-10" }, { label: "A-9" }, { label: "A-1" }]);
    assert.deepEqual(
      labels.map(({ label }) => label),
      ["A-1", "A-9", "A-10"],
    );
  });
});
