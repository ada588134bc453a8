/** What the device that shows a pay page can do itself. */
const PHONE = /Mobile|Android|iPhone|iPad|HarmonyOS/;

/** WeChat's own browser: its page for other browsers refuses it, and its codes are scanned alone. */
export function inWechat(agent: string = navigator.userAgent): boolean {
  return agent.includes("MicroMessenger");
}

/** On a phone's own browser a channel's page opens its app; elsewhere its code is scanned. */
export function wayToPay(agent: string = navigator.userAgent): "page" | "code" {
  return PHONE.test(agent) && !inWechat(agent) ? "page" : "code";
}
