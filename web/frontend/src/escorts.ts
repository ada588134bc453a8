/** Escort routes, for those who are cleared: drafted, approved, run, and their sealed log. */
import "../styles/base.css";
import "../styles/duty.css";
import { EscortDesk } from "./escorts/desk";
import { startPage } from "./shell/page";
import { poll } from "./shell/poll";

const REFRESH_MS = 3_000;

void startPage(async () => {
  const desk = new EscortDesk();
  await desk.start();
  poll(() => desk.load(), REFRESH_MS);
});
