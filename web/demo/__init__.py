"""The demo city: a riverside town made from a seed, with virtual cars, sensors and attendants.

Everything in it is invented and ours. It exists on embedded servers, or where GREENBAY_DEMO=1
says so, and is refused where other facilities exist.
"""
