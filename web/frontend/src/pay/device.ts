/** What the device that shows a pay page can do itself. */
/** Where a browser is led back to that WeChat told nobody of. */
const UNKNOWN = "#no-payer";
const PHONE = /Mobile|Android|iPhone|iPad|HarmonyOS/;

/** WeChat's own browser: its page for other browsers refuses it, and its codes are scanned alone. */
export function inWechat(agent: string = navigator.userAgent): boolean {
  return agent.includes("MicroMessenger");
}

/** On a phone's own browser a channel's page opens its app, in WeChat's it pays itself; elsewhere a code is scanned. */
export function wayToPay(agent: string = navigator.userAgent): "page" | "code" | "in-app" {
  if (inWechat(agent)) return notTold() ? "code" : "in-app";
  return PHONE.test(agent) ? "page" : "code";
}

/** Whether WeChat was asked who pays and did not say. */
export function notTold(): boolean {
  return typeof location !== "undefined" && location.hash === UNKNOWN;
}
