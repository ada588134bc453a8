"""What signals cost: capacity, delay, queues, stops, level of service. Numpy in, numpy out.

Every function takes numbers or arrays that broadcast, and checks nothing that its caller could not
have meant: what is out of range is Invalid and names the argument.
"""
