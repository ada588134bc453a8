"""The script that plays WeChat's bridge in a page (`wechat_app`)."""

from typing import Final

BRIDGE: Final = """// WeChat's bridge as a local gateway plays it: no real money moves.
(() => {
  if (window.WeixinJSBridge) return;
  const send = async (call) => {
    const answer = await fetch("GATEWAY/payer/bridge", {
      method: "POST", body: JSON.stringify(call), credentials: "omit",
    });
    return answer.json();
  };
  const sheet = (order) => new Promise((resolve) => {
    const shown = document.createElement("dialog");
    shown.id = "wechat-sheet";
    const end = (agreed) => { shown.close(); shown.remove(); resolve(agreed); };
    const part = (name, words, press) => {
      const made = document.createElement(name);
      made.textContent = words;
      if (press) { made.type = "button"; made.onclick = press; }
      return made;
    };
    shown.append(
      part("p", "微信支付 · 演示网关，不涉及真实资金"),
      part("h2", order.amount),
      part("p", order.subject),
      part("button", "确认支付 · Pay", () => end(true)),
      part("button", "取消 · Cancel", () => end(false)),
    );
    shown.oncancel = () => end(false);
    document.body.append(shown);
    shown.showModal();
  });
  window.WeixinJSBridge = {
    invoke: async (name, call, told) => {
      const end = (word) => told && told({ err_msg: `get_brand_wcpay_request:${word}` });
      if (name !== "getBrandWCPayRequest") return end("fail");
      try {
        const order = await send(call);
        if (order.err_msg) return told && told(order);
        if (!(await sheet(order))) return end("cancel");
        return told && told(await send({ ...call, agreed: true }));
      } catch {
        return end("fail");
      }
    },
  };
  document.dispatchEvent(new Event("WeixinJSBridgeReady"));
})();
"""
