/** Stored-value parking cards: a driver's own, or the desk that issues and tops them up. */
import "../styles/base.css";
import "../styles/mine.css";
import "../styles/rights.css";
import "../styles/bill.css";
import "../styles/pay.css";
import "../styles/cards.css";
import { CardDesk } from "./cards/desk";
import { MyCards } from "./cards/mine";
import { TopUpPage } from "./cards/top_up";
import { page, startPage } from "./shell/page";

void startPage(() => {
  const { subject } = page();
  const topUp = document.getElementById("top-up");
  if (topUp) return new TopUpPage(topUp, subject ?? "").start();
  return subject === "desk" ? new CardDesk().start() : new MyCards().start();
});
