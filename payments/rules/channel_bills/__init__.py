"""The bills that channels send, each in its own format: read with the bad rows named, and written.

One row of any channel is a ``BillLine``; a module a channel reads and writes its files. Written
by the gateway, read by reconciliation; ``read(write(lines))`` gives the lines again.
"""
