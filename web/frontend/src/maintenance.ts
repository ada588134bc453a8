/** The work that keeps signals alive: orders by when they are due, and a junction's file. */
import "../styles/base.css";
import "../styles/maintenance.css";
import { WorkDesk } from "./maintenance/desk";
import { FilePage } from "./maintenance/file";
import { page, startPage } from "./shell/page";
import { poll } from "./shell/poll";

const REFRESH_MS = 20_000;

void startPage(async () => {
  const { subject } = page();
  const shown = subject === null ? new WorkDesk() : new FilePage(subject);
  await shown.start();
  poll(() => shown.load(), REFRESH_MS);
});
