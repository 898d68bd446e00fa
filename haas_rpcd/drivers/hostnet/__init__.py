"""The master's own network: VLAN interfaces on the trunk nic, and a bridge over each."""
