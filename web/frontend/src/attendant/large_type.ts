/** Large type on a handheld: kept on the device, for who reads it in the sun or without glasses. */
import { h } from "../shell/dom";
import { text } from "../shell/text";

const KEPT = "greenbay.type";
const LARGE = "large";

function isLarge(): boolean {
  return document.documentElement.dataset["type"] === LARGE;
}

function show(large: boolean): void {
  if (large) document.documentElement.dataset["type"] = LARGE;
  else delete document.documentElement.dataset["type"];
}

/** Show type as it was chosen on this device. */
export function installType(): void {
  try {
    show(localStorage.getItem(KEPT) === LARGE);
  } catch {
    // Without storage it is chosen anew each time.
  }
}

export function typeSwitch(): HTMLButtonElement {
  const button = h(
    "button",
    {
      class: "button",
      type: "button",
      id: "large-type",
      "aria-pressed": String(isLarge()),
      onclick: () => {
        show(!isLarge());
        button.setAttribute("aria-pressed", String(isLarge()));
        try {
          localStorage.setItem(KEPT, isLarge() ? LARGE : "");
        } catch {
          // As above.
        }
      },
    },
    text("post.large_type"),
  );
  return button;
}
