/** Pages that signs' codes open, and the signs to print: they stand without a script, tickets apart. */
import "../styles/base.css";
import "../styles/sign.css";
import { act, actKey } from "./api/client";
import type { Ticket } from "./api/types";
import { byId, write } from "./shell/dom";
import { page, startPage } from "./shell/page";
import { problemText } from "./shell/states";

function offerTicket(button: HTMLButtonElement): void {
  // One key while the page stands: pressed twice, it is the same ticket.
  const key = actKey();
  const problem = byId("problem");
  button.addEventListener("click", () => {
    button.disabled = true;
    problem.hidden = true;
    act<Ticket>("POST", `/api/v1/facilities/${page().subject}/tickets`, {}, key).then(
      (taken) => location.assign(`/mine/tickets/${taken.vehicle_id}`),
      (error: unknown) => {
        button.disabled = false;
        problem.hidden = false;
        write(problem, problemText(error));
      },
    );
  });
}

void startPage(() => {
  document.querySelector("[data-print]")?.addEventListener("click", () => print());
  const ticket = document.querySelector<HTMLButtonElement>("[data-ticket]");
  if (ticket) offerTicket(ticket);
});
