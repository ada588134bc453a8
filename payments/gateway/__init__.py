"""A local gateway that speaks as WeChat Pay, Alipay and UnionPay do: the city's outside world.

It stands where the channels stand: nothing of the ledger, the bills or a database is imported.
What it writes on the wire are the same rules that our adapters read with (``payments.rules``).
"""
