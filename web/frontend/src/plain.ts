/** Pages that work without a script: log-in, errors. The script adds theme and keys. */
import "../styles/base.css";
import "../styles/plain.css";
import { startPage } from "./shell/page";

void startPage(() => {
  // Once sent, a form says so and is not sent twice.
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-once]")) {
    form.addEventListener("submit", () => {
      for (const button of form.querySelectorAll<HTMLButtonElement>("button[type=submit]")) {
        button.setAttribute("aria-busy", "true");
        setTimeout(() => (button.disabled = true));
      }
    });
  }
  // Back from the page that the form led to: it may be sent again.
  addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll<HTMLButtonElement>("form[data-once] button")) {
      button.disabled = false;
      button.removeAttribute("aria-busy");
    }
  });
});
