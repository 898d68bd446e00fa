"""What trunk ports lead to, as admins declare it: another trunk port, or a hypervisor.

The rows of two ports that lead to each other say so of each other. A port that leads neither to a
port nor to a hypervisor leads anywhere, with or without a row. ``wrong`` says what LLDP contradicts
a declaration with.
"""

from __future__ import annotations

SQL = """
CREATE TABLE trunk_end (
    port_id INTEGER PRIMARY KEY REFERENCES port(id) ON DELETE CASCADE,
    peer_id INTEGER UNIQUE REFERENCES port(id) ON DELETE SET NULL,
    hypervisor TEXT,
    wrong TEXT,
    CHECK (peer_id IS NULL OR hypervisor IS NULL),
    CHECK (peer_id IS NOT port_id)
) STRICT;
CREATE INDEX trunk_end_wrong ON trunk_end(port_id) WHERE wrong IS NOT NULL;
CREATE INDEX trunk_end_hypervisor ON trunk_end(hypervisor) WHERE hypervisor IS NOT NULL;
CREATE INDEX trunk_port ON port(switch_id) WHERE role = 'trunk';

CREATE TRIGGER access_port_leads_nowhere AFTER UPDATE OF role ON port WHEN NEW.role <> 'trunk'
BEGIN
    UPDATE trunk_end SET peer_id = NULL, wrong = NULL WHERE peer_id = NEW.id;
    DELETE FROM trunk_end WHERE port_id = NEW.id;
END;

CREATE TRIGGER nothing_leads_to_a_deleted_hypervisor AFTER DELETE ON hypervisor
BEGIN
    UPDATE trunk_end SET hypervisor = NULL, wrong = NULL WHERE hypervisor = OLD.name;
END;
"""

_CHECKED = """
CREATE TRIGGER trunk_ends_are_trunk_ports_{event} BEFORE {event} ON trunk_end
WHEN EXISTS (SELECT 1 FROM port WHERE id IN (NEW.port_id, NEW.peer_id) AND role <> 'trunk')
BEGIN SELECT RAISE(ABORT, 'only a trunk port leads to another'); END;

CREATE TRIGGER trunk_ends_are_on_two_switches_{event} BEFORE {event} ON trunk_end
WHEN (SELECT switch_id FROM port WHERE id = NEW.port_id)
    = (SELECT switch_id FROM port WHERE id = NEW.peer_id)
BEGIN SELECT RAISE(ABORT, 'a link joins two switches'); END;

CREATE TRIGGER trunk_end_is_at_a_hypervisor_{event} BEFORE {event} ON trunk_end
WHEN NEW.hypervisor <> 'master'
  AND NOT EXISTS (SELECT 1 FROM hypervisor WHERE name = NEW.hypervisor)
BEGIN SELECT RAISE(ABORT, 'there is no such hypervisor'); END;
"""

SQL += "".join(_CHECKED.format(event=event) for event in ("INSERT", "UPDATE"))
