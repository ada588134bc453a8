"""Payments: bills, taking money, and the double-entry ledger behind both."""
