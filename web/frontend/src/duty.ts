/** The engineer on duty: what is wrong with the signals, since when, why, and what was done. */
import "../styles/base.css";
import "../styles/duty.css";
import { DutyPage } from "./duty/list";
import { JunctionPage } from "./duty/junction";
import { page, startPage } from "./shell/page";
import { poll } from "./shell/poll";

const REFRESH_MS = 20_000;

void startPage(async () => {
  const { subject } = page();
  const shown = subject === null ? new DutyPage() : new JunctionPage(subject);
  await shown.start();
  poll(() => shown.load(), REFRESH_MS);
});
