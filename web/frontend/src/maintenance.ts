/** The work that keeps signals alive: orders by when they are due, and one of them. */
import "../styles/base.css";
import "../styles/maintenance.css";
import { WorkDesk } from "./maintenance/desk";
import { startPage } from "./shell/page";
import { poll } from "./shell/poll";

const REFRESH_MS = 20_000;

void startPage(async () => {
  const desk = new WorkDesk();
  await desk.start();
  poll(() => desk.load(), REFRESH_MS);
});
