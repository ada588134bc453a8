/** Stored-value parking cards: a driver's own, or the desk that issues and tops them up. */
import "../styles/base.css";
import "../styles/mine.css";
import "../styles/rights.css";
import "../styles/cards.css";
import { CardDesk } from "./cards/desk";
import { MyCards } from "./cards/mine";
import { page, startPage } from "./shell/page";

void startPage(() => (page().subject === "desk" ? new CardDesk().start() : new MyCards().start()));
