/** Paying inside WeChat's own browser: WeChat is called with what the server signed, and only says what it says. */
import { ProblemError } from "../api/client";
import type { PayOrder } from "../api/types";
import { h, write } from "../shell/dom";
import { named, text } from "../shell/text";

type AppCall = NonNullable<PayOrder["in_app"]>;
type Said = "told" | "cancelled" | "failed" | "missing";

interface WechatBridge {
  invoke(name: string, call: Readonly<Record<string, string>>, told: (answer: { err_msg?: string }) => void): void;
}

declare global {
  interface Window {
    WeixinJSBridge?: WechatBridge;
  }
}

const BRIDGE_WITHIN_MS = 5_000;
/** Where a browser is led back to whose payer is known now. */
const KNOWN = "#in-app";

/** What was signed last, by order: it is signed anew with each answer. */
const calls = new Map<string, AppCall>();

/** WeChat adds its bridge to the page by itself, maybe after the page has begun. */
function bridge(): Promise<WechatBridge | null> {
  if (window.WeixinJSBridge) return Promise.resolve(window.WeixinJSBridge);
  return new Promise((resolve) => {
    const done = (): void => resolve(window.WeixinJSBridge ?? null);
    document.addEventListener("WeixinJSBridgeReady", done, { once: true });
    setTimeout(done, BRIDGE_WITHIN_MS);
  });
}

/** Read what WeChat says; nothing follows from it: whether money moved is the server's to say. */
export function saidOf(message: string | undefined): Said {
  if (message === "get_brand_wcpay_request:ok") return "told";
  return message === "get_brand_wcpay_request:cancel" ? "cancelled" : "failed";
}

async function call(signed: AppCall): Promise<Said> {
  const found = await bridge();
  if (!found) return "missing";
  const asked = {
    appId: signed.app_id,
    timeStamp: signed.timestamp,
    nonceStr: signed.nonce,
    package: signed.package,
    signType: "RSA",
    paySign: signed.signature,
  };
  return new Promise((resolve) => found.invoke("getBrandWCPayRequest", asked, (answer) => resolve(saidOf(answer.err_msg))));
}

/** Tell what an order looks like: alike are drawn alike, whatever was signed anew. */
export function looks(order: PayOrder): unknown {
  if (order.in_app) calls.set(order.order_no, order.in_app);
  return { ...order, seconds_left: order.seconds_left > 0, in_app: order.in_app !== null };
}

/** The button that calls WeChat, and what WeChat said. */
export function appPart(order: PayOrder): HTMLElement[] {
  const said = h("p", { class: "note", id: "in-app-said", role: "status" });
  const button = h(
    "button",
    { class: "button button-primary button-wide", id: "go", type: "button" },
    text("pay.go", { channel: named("bill.channel", order.channel) }),
  );
  button.addEventListener("click", () => {
    const signed = calls.get(order.order_no) ?? order.in_app;
    if (!signed || button.disabled) return;
    button.disabled = true;
    void call(signed).then((word) => {
      button.disabled = word === "told";
      write(said, text(`pay.app_${word}`));
    });
  });
  return [button, said];
}

/** Call WeChat at once for an order that was just opened: its payer has pressed already. */
export function callAtOnce(order: PayOrder | null): void {
  if (order?.in_app) document.getElementById("go")?.click();
}

/** Whether WeChat must say first who pays. */
export function asksWho(error: unknown): boolean {
  return error instanceof ProblemError && error.status === 409 && error.field === "payer";
}

/** Whether this page was left to learn who pays, and that is known now; told once. */
export function isBack(): boolean {
  if (location.hash !== KNOWN) return false;
  history.replaceState(null, "", location.pathname);
  return true;
}
