#!/bin/sh
# The allocated nodes as an inventory for Ansible: groups project_P, tag_T and network_P_N.
#   ansible-inventory -i examples/ansible/haas.sh --graph
#   ansible -i examples/ansible/haas.sh project_red -m ping
# The daemon is found as by haas-console: HAAS_SOCKET, HAAS_URL and HAAS_TOKEN, or console.toml.
exec "${HAAS_CONSOLE:-haas-console}" inventory "$@"
