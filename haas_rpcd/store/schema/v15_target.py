"""Applies of a part of a project: of one node, or of what is on one network.

Both ids are null once the node or the network is gone. The job has nothing to do then.
"""

SQL = """
CREATE TABLE job_target (
    job_id INTEGER PRIMARY KEY REFERENCES job(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    node_id INTEGER REFERENCES node(id) ON DELETE SET NULL,
    network_id INTEGER REFERENCES network(id) ON DELETE SET NULL
) STRICT;
CREATE INDEX job_target_node ON job_target(node_id) WHERE node_id IS NOT NULL;
CREATE INDEX job_target_network ON job_target(network_id) WHERE network_id IS NOT NULL;
"""
