/** The finance desk: takings, reconciliation, refunds, invoices, arrears, the ledger behind them all, and what was agreed. */
import "../styles/base.css";
import "../styles/finance.css";
import { ArrearsDesk } from "./finance/arrears";
import { InvoicesDesk } from "./finance/invoices";
import { LedgerDesk } from "./finance/ledger";
import { ReconciliationDesk } from "./finance/reconciliation";
import { RefundsDesk } from "./finance/refunds";
import { TermsDesk } from "./finance/terms";
import { TakingsDesk } from "./finance/takings";
import { page, startPage } from "./shell/page";

function start(): Promise<void> | void {
  switch (page().subject) {
    case "reconciliation":
      return new ReconciliationDesk().start();
    case "refunds":
      return new RefundsDesk().start();
    case "invoices":
      return new InvoicesDesk().start();
    case "arrears":
      return new ArrearsDesk().start();
    case "ledger":
      return new LedgerDesk().start();
    case "terms":
      return new TermsDesk().start();
    default:
      return new TakingsDesk().start();
  }
}

void startPage(start);
