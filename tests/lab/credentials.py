"""The login of the lab's switch. The account exists only inside the lab's kernel."""

USER = "haas"
PASSWORD = "lab-password"
# crypt(3) of PASSWORD: SHA-256 with the minimum of rounds, because the lab is slow.
PASSWORD_HASH = "$5$rounds=1000$haaslab$8FCbxFCBzKS7qdCRyav3VteVutt2174l7rsBIG4mUc2"
