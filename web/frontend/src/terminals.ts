/** Attendants' terminals, and POS terminals beside them. */
import "../styles/base.css";
import "../styles/rights.css";
import "../styles/terminals.css";
import { chips } from "./shell/desk";
import { byId } from "./shell/dom";
import { startPage } from "./shell/page";
import { poll } from "./shell/poll";
import { named } from "./shell/text";
import { HandheldsPage } from "./terminals/handhelds";
import { PosPage } from "./terminals/pos";

const REFRESH_MS = 10_000;
const KINDS = ["handheld", "pos"] as const;

/** Which kind is looked at stands in the address: a link leads there. */
function kindShown(): (typeof KINDS)[number] {
  return new URLSearchParams(location.search).get("kind") === "pos" ? "pos" : "handheld";
}

void startPage(() => {
  const kind = kindShown();
  chips(
    byId("kind"),
    KINDS.map((each) => [each, named("terminals.kind", each)] as const),
    kind,
    (chosen) => location.assign(chosen === "pos" ? "/terminals?kind=pos" : "/terminals"),
  );
  const shown = kind === "pos" ? new PosPage() : new HandheldsPage();
  poll(() => shown.load(), REFRESH_MS);
});
