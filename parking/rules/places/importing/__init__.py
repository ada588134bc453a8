"""Reading places from other people's files: what is good is planned, what is not says why.

A reader (`collection`, `table`, `curblr`) turns a file into stated features, each accepted or
rejected with the field at fault and the rule it breaks; `assembly` makes facilities, zones and
bays of them. Nothing here touches a database: the plan is compared with what stands elsewhere.
"""
