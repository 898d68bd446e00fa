"""Two masters: one serves, the other stands by. See docs/two-masters.md.

etcd elects: whoever creates the key of the site is the master, as long as its lease lives.
Litestream copies each commit to a place that both masters reach, before its caller is answered.
"""
