"""Who logs in to the lab's switch. The account exists inside the lab's kernel only."""

USER = "haas"
PASSWORD = "lab-password"
# crypt(3) of PASSWORD, SHA-256 with the fewest rounds that it allows: logins in the lab are slow.
PASSWORD_HASH = "$5$rounds=1000$haaslab$8FCbxFCBzKS7qdCRyav3VteVutt2174l7rsBIG4mUc2"
