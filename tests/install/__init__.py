"""The Debian package, installed: in chroots, and on a master with systemd. See README.md."""
