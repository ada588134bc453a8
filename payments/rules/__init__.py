"""What a bill, a payment and a ledger entry are, and what must hold of them."""
