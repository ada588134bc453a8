/** A bay's own page and the signs to print: both stand without a script; this adds theme and keys. */
import "../styles/base.css";
import "../styles/sign.css";
import { startPage } from "./shell/page";

void startPage(() => {
  document.querySelector("[data-print]")?.addEventListener("click", () => print());
});
