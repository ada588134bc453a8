import { h } from "../shell/dom";
import { named, text } from "../shell/text";
import { plateLook, plateText, spelled } from "./kinds";

export interface ShownPlate {
  /** As the server gives it: masked where the role must not see it. */
  readonly text: string;
  readonly kind: string;
}

/** The dot is drawn: in Chinese fonts the character is as wide as an ideograph. */
export function withDot(shown: string): (string | HTMLElement)[] {
  const [office, rest] = shown.split("·");
  if (rest === undefined) return [shown];
  return [office ?? "", h("span", { class: "plate-dot" }), rest];
}

/** A number plate as one unbreakable label in its own colours. */
export function plateLabel(plate: ShownPlate, size: "s" | "m" | "l" = "s"): HTMLElement {
  const masked = plate.text.includes("*");
  return h(
    "span",
    {
      class: `plate plate-${plateLook(plate.kind)} plate-size-${size}`,
      role: "img",
      "aria-label": text(masked ? "plate.masked_label" : "plate.label", {
        kind: named("plate.kind", plate.kind),
        plate: spelled(plate.text.replaceAll("*", "●")),
      }),
      "data-kind": plate.kind,
    },
    h("span", { class: "plate-text", "aria-hidden": "true" }, ...withDot(plateText(plate.text))),
  );
}
