"""What families like Cisco's IOS have in common: parts that their simulators are composed of.

A family takes what behaves as its vendor documents, and writes the rest itself. Nothing in here is
specific to one vendor.
"""
