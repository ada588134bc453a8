import assert from "node:assert/strict";
import { test } from "node:test";
import { inWechat, wayToPay } from "../src/pay/device";

const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1";
const ANDROID = "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36";
const DESK = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";

test("a phone's own browser is led to the channel's page, WeChat's browser pays itself, a desk shows a code", () => {
  assert.equal(wayToPay(IPHONE), "page");
  assert.equal(wayToPay(ANDROID), "page");
  assert.equal(wayToPay(DESK), "code");
  assert.equal(wayToPay(`${IPHONE} MicroMessenger/8.0.54(0x18003634) NetType/WIFI`), "in-app");
  assert.equal(inWechat(`${ANDROID} MicroMessenger/8.0.54`), true);
  assert.equal(inWechat(DESK), false);
});
