/** The API's description: made by the server; the script opens what an address points at. */
import "../styles/base.css";
import "../styles/docs.css";
import { startPage } from "./shell/page";

function openTarget(): void {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (target instanceof HTMLDetailsElement) target.open = true;
}

void startPage(() => {
  openTarget();
  addEventListener("hashchange", openTarget);
});
