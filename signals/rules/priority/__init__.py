"""Priority at signals: who asks, who goes first, what the signal does for it, and what it owes."""
