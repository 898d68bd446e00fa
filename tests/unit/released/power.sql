-- A filled database as a daemon with the migrations up to "power" left it. tests/unit/test_upgrade.py
-- upgrades it. A released database does not change any more, so this file does not either.
BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'haas','initial','2026-11-01 12:00:00.000000+00:00');
INSERT INTO "_sqlite_migrations" VALUES(2,'haas','drift','2026-11-01 12:00:00.000000+00:00');
INSERT INTO "_sqlite_migrations" VALUES(3,'haas','applied_columns','2026-11-25 18:49:37.960074+00:00');
INSERT INTO "_sqlite_migrations" VALUES(4,'haas','not_understood','2026-11-25 19:09:10.751183+00:00');
INSERT INTO "_sqlite_migrations" VALUES(5,'haas','saved','2026-11-25 20:46:22.563501+00:00');
INSERT INTO "_sqlite_migrations" VALUES(6,'haas','access','2026-11-25 20:58:29.193808+00:00');
INSERT INTO "_sqlite_migrations" VALUES(7,'haas','late','2026-11-25 21:10:00.369696+00:00');
INSERT INTO "_sqlite_migrations" VALUES(8,'haas','audit_chain','2026-11-25 21:16:01.544885+00:00');
INSERT INTO "_sqlite_migrations" VALUES(9,'haas','tenancy','2026-11-25 21:18:21.970665+00:00');
INSERT INTO "_sqlite_migrations" VALUES(10,'haas','identity','2026-11-25 21:20:34.772410+00:00');
INSERT INTO "_sqlite_migrations" VALUES(11,'haas','observed','2026-11-25 21:34:55.476784+00:00');
INSERT INTO "_sqlite_migrations" VALUES(12,'haas','transcript','2026-11-25 21:52:41.298724+00:00');
INSERT INTO "_sqlite_migrations" VALUES(13,'haas','contact','2026-11-25 22:07:54.081397+00:00');
INSERT INTO "_sqlite_migrations" VALUES(14,'haas','confirm','2026-11-25 23:44:47.983169+00:00');
INSERT INTO "_sqlite_migrations" VALUES(15,'haas','target','2026-11-25 23:49:53.531832+00:00');
INSERT INTO "_sqlite_migrations" VALUES(16,'haas','retired','2026-11-25 23:57:20.662897+00:00');
INSERT INTO "_sqlite_migrations" VALUES(17,'haas','bmc','2026-11-26 00:06:50.240790+00:00');
INSERT INTO "_sqlite_migrations" VALUES(18,'haas','evidence','2026-11-26 00:12:06.272557+00:00');
INSERT INTO "_sqlite_migrations" VALUES(19,'haas','power','2026-11-26 00:21:52.084941+00:00');
CREATE TABLE allocation (
    node_id INTEGER PRIMARY KEY REFERENCES node(id) ON DELETE RESTRICT,
    project_id INTEGER NOT NULL REFERENCES project(id) ON DELETE RESTRICT,
    releasing INTEGER NOT NULL DEFAULT 0 CHECK (releasing IN (0, 1))
) STRICT;
INSERT INTO "allocation" VALUES(1,1,0);
INSERT INTO "allocation" VALUES(2,1,1);
INSERT INTO "allocation" VALUES(6,2,0);
INSERT INTO "allocation" VALUES(8,1,0);
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time REAL NOT NULL,
    user TEXT NOT NULL,
    method TEXT NOT NULL,
    project TEXT,
    project_id INTEGER REFERENCES project(id) ON DELETE SET NULL,
    params TEXT NOT NULL,
    outcome TEXT NOT NULL,
    message TEXT
, via TEXT NOT NULL DEFAULT '', objects TEXT NOT NULL DEFAULT '[]', job INTEGER, project_seq INTEGER, hash BLOB) STRICT;
INSERT INTO "audit" VALUES(1,1790000000.0,'rita','network.create','red',1,'{"network": "net", "project": "red"}','done',NULL,'','[]',NULL,1,X'B6CEEAC69164024D378B84E317CAC47AC715F2854BF3749172E2B44748A9507D');
INSERT INTO "audit" VALUES(2,1790000001.0,'bob','network.create','red',NULL,'{"network": "x", "project": "red"}','not_found','There is no project red.','','[]',NULL,NULL,X'9ADE2DBBD55E25D409A4EB30E26845FECA361052C532522145172059B3BC39D3');
CREATE TABLE audit_anchor (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    audit_id INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;
INSERT INTO "audit_anchor" VALUES(1,0,X'');
CREATE TABLE audit_object (
    name TEXT NOT NULL,
    noun TEXT NOT NULL,
    audit_id INTEGER NOT NULL REFERENCES audit(id) ON DELETE CASCADE,
    PRIMARY KEY (name, noun, audit_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE awaits_hook (
    node_id INTEGER PRIMARY KEY REFERENCES allocation(node_id) ON DELETE RESTRICT
) STRICT;
CREATE TABLE bmc (
    node_id INTEGER PRIMARY KEY REFERENCES node(id) ON DELETE CASCADE,
    protocol TEXT NOT NULL CHECK (protocol IN ('ipmi', 'redfish')),
    host TEXT NOT NULL,
    port INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
    credential TEXT,
    system TEXT,
    fingerprint TEXT
) STRICT;
CREATE TABLE bridge (
    vlan INTEGER PRIMARY KEY REFERENCES vlan_claim(vlan) ON DELETE RESTRICT,
    confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1))
) STRICT;
INSERT INTO "bridge" VALUES(100,1);
INSERT INTO "bridge" VALUES(104,0);
CREATE TABLE confirm (
    job_id INTEGER PRIMARY KEY REFERENCES job(id) ON DELETE CASCADE,
    seconds REAL NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'confirmed', 'reverted')),
    back TEXT,
    boot TEXT,
    boot_deadline REAL,
    deadline REAL,
    reverted_by INTEGER
) STRICT;
CREATE TABLE connection (
    nic_id INTEGER NOT NULL REFERENCES nic(id) ON DELETE RESTRICT,
    network_id INTEGER NOT NULL REFERENCES network(id) ON DELETE RESTRICT,
    tagged INTEGER NOT NULL CHECK (tagged IN (0, 1)),
    PRIMARY KEY (nic_id, network_id)
) STRICT, WITHOUT ROWID;
INSERT INTO "connection" VALUES(1,1,0);
INSERT INTO "connection" VALUES(6,1,1);
INSERT INTO "connection" VALUES(6,2,0);
INSERT INTO "connection" VALUES(8,4,1);
CREATE TABLE dialect_without_save (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE drift (
    device TEXT NOT NULL,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    applied TEXT NOT NULL,
    observed TEXT NOT NULL,
    since REAL NOT NULL, open INTEGER CHECK (open IN (0, 1)), not_understood TEXT,
    PRIMARY KEY (device, kind, target)
) STRICT, WITHOUT ROWID;
INSERT INTO "drift" VALUES('libvirt','headnode','blue/desk','running with nic0 on 101','stopped with nic0 on 101',1790000050.0,NULL,NULL);
INSERT INTO "drift" VALUES('master','bridge','br-vlan100','present','absent',1790000050.0,NULL,NULL);
INSERT INTO "drift" VALUES('sw1','vlan','102','present','absent',1790000050.0,NULL,NULL);
INSERT INTO "drift" VALUES('sw2','port','ethernet 1/1/3','parked','access 1',1790000050.0,NULL,NULL);
CREATE TABLE headnode (
    id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES project(id) ON DELETE RESTRICT,
    name TEXT NOT NULL,
    uuid TEXT NOT NULL UNIQUE,
    image TEXT NOT NULL,
    running INTEGER NOT NULL DEFAULT 1 CHECK (running IN (0, 1)),
    deleting INTEGER NOT NULL DEFAULT 0 CHECK (deleting IN (0, 1)),
    UNIQUE (project_id, name)
) STRICT;
INSERT INTO "headnode" VALUES(1,1,'head','11111111-1111-4111-8111-111111111111','base-headnode',1,0);
INSERT INTO "headnode" VALUES(2,1,'half','22222222-2222-4222-8222-222222222222','base-headnode',1,0);
INSERT INTO "headnode" VALUES(3,2,'fresh','33333333-3333-4333-8333-333333333333','base-headnode',1,0);
INSERT INTO "headnode" VALUES(4,1,'going','44444444-4444-4444-8444-444444444444','base-headnode',1,1);
INSERT INTO "headnode" VALUES(5,2,'desk','55555555-5555-4555-8555-555555555555','base-headnode',1,0);
INSERT INTO "headnode" VALUES(6,2,'off','66666666-6666-4666-8666-666666666666','base-headnode',0,0);
CREATE TABLE headnode_applied (
    headnode_id INTEGER PRIMARY KEY REFERENCES headnode(id) ON DELETE RESTRICT,
    confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1)),
    running INTEGER CHECK (running IN (0, 1)),
    CHECK (confirmed = (running IS NOT NULL))
) STRICT;
INSERT INTO "headnode_applied" VALUES(1,0,NULL);
INSERT INTO "headnode_applied" VALUES(2,0,NULL);
INSERT INTO "headnode_applied" VALUES(4,0,NULL);
INSERT INTO "headnode_applied" VALUES(5,1,1);
INSERT INTO "headnode_applied" VALUES(6,1,0);
CREATE TABLE headnode_applied_nic (
    headnode_id INTEGER NOT NULL REFERENCES headnode_applied(headnode_id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    mac TEXT NOT NULL,
    vlan INTEGER NOT NULL,
    PRIMARY KEY (headnode_id, name, mac, vlan)
) STRICT, WITHOUT ROWID;
INSERT INTO "headnode_applied_nic" VALUES(5,'nic0','52:54:00:aa:00:05',101);
INSERT INTO "headnode_applied_nic" VALUES(5,'nic1','52:54:00:aa:00:06',0);
CREATE TABLE headnode_carries (
    headnode_id INTEGER NOT NULL REFERENCES headnode(id) ON DELETE RESTRICT,
    vlan INTEGER NOT NULL,
    PRIMARY KEY (headnode_id, vlan)
) STRICT, WITHOUT ROWID;
INSERT INTO "headnode_carries" VALUES(1,0);
INSERT INTO "headnode_carries" VALUES(5,0);
INSERT INTO "headnode_carries" VALUES(1,100);
INSERT INTO "headnode_carries" VALUES(2,100);
INSERT INTO "headnode_carries" VALUES(5,101);
CREATE TABLE headnode_nic (
    id INTEGER PRIMARY KEY,
    headnode_id INTEGER NOT NULL REFERENCES headnode(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    mac TEXT NOT NULL UNIQUE,
    network_id INTEGER REFERENCES network(id) ON DELETE RESTRICT,
    UNIQUE (headnode_id, name)
) STRICT;
INSERT INTO "headnode_nic" VALUES(1,1,'nic0','52:54:00:aa:00:01',1);
INSERT INTO "headnode_nic" VALUES(2,1,'nic1','52:54:00:aa:00:02',NULL);
INSERT INTO "headnode_nic" VALUES(3,2,'nic0','52:54:00:aa:00:03',1);
INSERT INTO "headnode_nic" VALUES(4,4,'nic0','52:54:00:aa:00:04',NULL);
INSERT INTO "headnode_nic" VALUES(5,5,'nic0','52:54:00:aa:00:05',2);
INSERT INTO "headnode_nic" VALUES(6,5,'nic1','52:54:00:aa:00:06',NULL);
CREATE TABLE headnode_observed (
    headnode_id INTEGER PRIMARY KEY REFERENCES headnode(id) ON DELETE CASCADE,
    reached INTEGER NOT NULL CHECK (reached IN (0, 1)),
    stop_seen INTEGER NOT NULL DEFAULT 0 CHECK (stop_seen IN (0, 1)),
    seen TEXT
) STRICT;
CREATE TABLE hook_run (
    job_id INTEGER PRIMARY KEY REFERENCES job(id) ON DELETE CASCADE,
    node TEXT NOT NULL,
    outcome TEXT NOT NULL,
    output TEXT NOT NULL,
    started REAL NOT NULL,
    finished REAL NOT NULL
) STRICT;
CREATE TABLE invitation (
    project_id INTEGER NOT NULL REFERENCES project(id) ON DELETE CASCADE,
    user TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('owner', 'member', 'reader')),
    PRIMARY KEY (project_id, user)
) STRICT, WITHOUT ROWID;
CREATE TABLE job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('apply', 'release', 'site')),
    project_id INTEGER REFERENCES project(id) ON DELETE SET NULL,
    project TEXT,
    node_id INTEGER REFERENCES node(id) ON DELETE SET NULL,
    user TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    cancelling INTEGER NOT NULL DEFAULT 0 CHECK (cancelling IN (0, 1)),
    digest TEXT,
    error TEXT,
    created REAL NOT NULL,
    started REAL,
    finished REAL
, place INTEGER NOT NULL DEFAULT 0, tenant_error TEXT) STRICT;
INSERT INTO "job" VALUES(1,'apply',1,'red',NULL,'rita','succeeded',0,'0123456789abcdef',NULL,1790000000.0,1790000001.0,1790000004.0,1,NULL);
INSERT INTO "job" VALUES(2,'apply',1,'red',NULL,'rita','running',0,NULL,NULL,1790000010.0,1790000011.0,NULL,2,NULL);
INSERT INTO "job" VALUES(3,'release',1,'red',2,'rita','queued',0,NULL,NULL,1790000020.0,NULL,NULL,3,NULL);
INSERT INTO "job" VALUES(4,'site',NULL,NULL,NULL,'haas-rpcd','queued',0,NULL,NULL,1790000030.0,NULL,NULL,4,NULL);
INSERT INTO "job" VALUES(5,'site',NULL,NULL,NULL,'ada','cancelled',0,NULL,'Cancelled before it began; all is still staged.',1790000040.0,NULL,1790000041.0,5,NULL);
CREATE TABLE job_target (
    job_id INTEGER PRIMARY KEY REFERENCES job(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    node_id INTEGER REFERENCES node(id) ON DELETE SET NULL,
    network_id INTEGER REFERENCES network(id) ON DELETE SET NULL
) STRICT;
CREATE TABLE last_boot (boot_id TEXT NOT NULL) STRICT;
CREATE TABLE lease (
    node_id INTEGER PRIMARY KEY REFERENCES allocation(node_id) ON DELETE CASCADE,
    until REAL NOT NULL,
    warned INTEGER NOT NULL DEFAULT 0 CHECK (warned IN (0, 1))
) STRICT;
CREATE TABLE member (
    project_id INTEGER NOT NULL REFERENCES project(id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES user(id) ON DELETE CASCADE, role TEXT NOT NULL DEFAULT 'member'
    CHECK (role IN ('owner', 'member', 'reader')),
    PRIMARY KEY (project_id, user_id)
) STRICT, WITHOUT ROWID;
INSERT INTO "member" VALUES(1,2,'member');
INSERT INTO "member" VALUES(2,3,'member');
INSERT INTO "member" VALUES(3,2,'member');
CREATE TABLE network (
    id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES project(id) ON DELETE RESTRICT,
    name TEXT NOT NULL, deleting INTEGER NOT NULL DEFAULT 0 CHECK (deleting IN (0, 1)),
    UNIQUE (project_id, name)
) STRICT;
INSERT INTO "network" VALUES(1,1,'net',0);
INSERT INTO "network" VALUES(2,2,'own',0);
INSERT INTO "network" VALUES(4,1,'new',0);
CREATE TABLE nic (
    id INTEGER PRIMARY KEY,
    node_id INTEGER NOT NULL REFERENCES node(id) ON DELETE RESTRICT,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('data', 'bmc')),
    mac TEXT UNIQUE,
    port_id INTEGER UNIQUE REFERENCES port(id) ON DELETE RESTRICT,
    UNIQUE (node_id, name)
) STRICT;
INSERT INTO "nic" VALUES(1,1,'eth0','data','52:54:00:00:00:01',1);
INSERT INTO "nic" VALUES(2,2,'eth0','data','52:54:00:00:00:02',2);
INSERT INTO "nic" VALUES(3,3,'eth0','data','52:54:00:00:00:03',3);
INSERT INTO "nic" VALUES(4,4,'eth0','data','52:54:00:00:00:04',4);
INSERT INTO "nic" VALUES(5,5,'eth0','data','52:54:00:00:00:05',5);
INSERT INTO "nic" VALUES(6,6,'eth0','data','52:54:00:00:00:06',9);
INSERT INTO "nic" VALUES(7,7,'eth0','data','52:54:00:00:00:07',NULL);
INSERT INTO "nic" VALUES(8,8,'eth0','data','52:54:00:00:00:08',10);
INSERT INTO "nic" VALUES(9,9,'eth0','data','52:54:00:00:00:09',11);
INSERT INTO "nic" VALUES(10,1,'ipmi','bmc',NULL,6);
CREATE TABLE nic_staged (
    nic_id INTEGER PRIMARY KEY REFERENCES nic(id) ON DELETE CASCADE,
    user TEXT NOT NULL,
    time REAL NOT NULL,
    project_id INTEGER NOT NULL
) STRICT;
CREATE TABLE node (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO "node" VALUES(1,'node-1');
INSERT INTO "node" VALUES(2,'node-2');
INSERT INTO "node" VALUES(3,'node-3');
INSERT INTO "node" VALUES(4,'node-4');
INSERT INTO "node" VALUES(5,'node-5');
INSERT INTO "node" VALUES(6,'node-6');
INSERT INTO "node" VALUES(7,'node-7');
INSERT INTO "node" VALUES(8,'node-8');
INSERT INTO "node" VALUES(9,'node-9');
CREATE TABLE node_power (
    node_id INTEGER PRIMARY KEY REFERENCES node(id) ON DELETE CASCADE,
    power TEXT CHECK (power IN ('on', 'off')),
    changed REAL
) STRICT;
CREATE TABLE node_tag (
    node_id INTEGER NOT NULL REFERENCES node(id) ON DELETE CASCADE,
    tag TEXT NOT NULL,
    PRIMARY KEY (node_id, tag)
) STRICT, WITHOUT ROWID;
INSERT INTO "node_tag" VALUES(3,'gpu');
INSERT INTO "node_tag" VALUES(3,'rack=a');
CREATE TABLE port (
    id INTEGER PRIMARY KEY,
    switch_id INTEGER NOT NULL REFERENCES switch(id) ON DELETE RESTRICT,
    name TEXT NOT NULL,
    canonical TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('access', 'trunk')),
    UNIQUE (switch_id, name),
    UNIQUE (switch_id, canonical)
) STRICT;
INSERT INTO "port" VALUES(1,1,'Gi1/0/1','GigabitEthernet1/0/1','access');
INSERT INTO "port" VALUES(2,1,'Gi1/0/2','GigabitEthernet1/0/2','access');
INSERT INTO "port" VALUES(3,1,'Gi1/0/3','GigabitEthernet1/0/3','access');
INSERT INTO "port" VALUES(4,1,'Gi1/0/4','GigabitEthernet1/0/4','access');
INSERT INTO "port" VALUES(5,1,'Gi1/0/5','GigabitEthernet1/0/5','access');
INSERT INTO "port" VALUES(6,1,'Gi1/0/6','GigabitEthernet1/0/6','access');
INSERT INTO "port" VALUES(7,1,'Gi1/0/7','GigabitEthernet1/0/7','access');
INSERT INTO "port" VALUES(8,1,'Gi1/0/8','GigabitEthernet1/0/8','trunk');
INSERT INTO "port" VALUES(9,2,'ethernet 1/1/1','ethernet 1/1/1','access');
INSERT INTO "port" VALUES(10,2,'ethernet 1/1/2','ethernet 1/1/2','access');
INSERT INTO "port" VALUES(11,2,'ethernet 1/1/3','ethernet 1/1/3','access');
INSERT INTO "port" VALUES(12,2,'ethernet 1/1/4','ethernet 1/1/4','access');
INSERT INTO "port" VALUES(13,2,'ethernet 1/1/5','ethernet 1/1/5','access');
INSERT INTO "port" VALUES(14,2,'ethernet 1/1/6','ethernet 1/1/6','access');
INSERT INTO "port" VALUES(15,2,'ethernet 1/1/7','ethernet 1/1/7','access');
INSERT INTO "port" VALUES(16,2,'ethernet 1/1/8','ethernet 1/1/8','trunk');
CREATE TABLE port_applied (
    port_id INTEGER PRIMARY KEY REFERENCES port(id) ON DELETE CASCADE,
    confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1)),
    untagged INTEGER, saved INTEGER NOT NULL DEFAULT 0 CHECK (saved IN (0, 1)),
    CHECK (confirmed = 1 OR untagged IS NULL)
) STRICT;
INSERT INTO "port_applied" VALUES(1,1,100,0);
INSERT INTO "port_applied" VALUES(2,0,NULL,0);
INSERT INTO "port_applied" VALUES(3,1,NULL,0);
INSERT INTO "port_applied" VALUES(4,0,NULL,0);
INSERT INTO "port_applied" VALUES(6,1,NULL,0);
INSERT INTO "port_applied" VALUES(8,1,NULL,0);
INSERT INTO "port_applied" VALUES(9,1,101,0);
INSERT INTO "port_applied" VALUES(10,0,NULL,0);
INSERT INTO "port_applied" VALUES(11,1,NULL,0);
INSERT INTO "port_applied" VALUES(16,1,NULL,0);
CREATE TABLE port_applied_tagged (
    port_id INTEGER NOT NULL REFERENCES port_applied(port_id) ON DELETE CASCADE,
    vlan INTEGER NOT NULL,
    PRIMARY KEY (port_id, vlan)
) STRICT, WITHOUT ROWID;
INSERT INTO "port_applied_tagged" VALUES(8,100);
INSERT INTO "port_applied_tagged" VALUES(8,101);
INSERT INTO "port_applied_tagged" VALUES(8,102);
INSERT INTO "port_applied_tagged" VALUES(8,103);
INSERT INTO "port_applied_tagged" VALUES(8,104);
INSERT INTO "port_applied_tagged" VALUES(8,105);
INSERT INTO "port_applied_tagged" VALUES(8,106);
INSERT INTO "port_applied_tagged" VALUES(8,107);
INSERT INTO "port_applied_tagged" VALUES(8,108);
INSERT INTO "port_applied_tagged" VALUES(8,109);
INSERT INTO "port_applied_tagged" VALUES(9,100);
INSERT INTO "port_applied_tagged" VALUES(16,100);
INSERT INTO "port_applied_tagged" VALUES(16,101);
INSERT INTO "port_applied_tagged" VALUES(16,102);
INSERT INTO "port_applied_tagged" VALUES(16,103);
INSERT INTO "port_applied_tagged" VALUES(16,104);
INSERT INTO "port_applied_tagged" VALUES(16,105);
INSERT INTO "port_applied_tagged" VALUES(16,106);
INSERT INTO "port_applied_tagged" VALUES(16,107);
INSERT INTO "port_applied_tagged" VALUES(16,108);
INSERT INTO "port_applied_tagged" VALUES(16,109);
CREATE TABLE port_carries (
    port_id INTEGER NOT NULL REFERENCES port(id) ON DELETE CASCADE,
    vlan INTEGER NOT NULL,
    PRIMARY KEY (port_id, vlan)
) STRICT, WITHOUT ROWID;
INSERT INTO "port_carries" VALUES(1,100);
INSERT INTO "port_carries" VALUES(2,100);
INSERT INTO "port_carries" VALUES(9,100);
INSERT INTO "port_carries" VALUES(9,101);
INSERT INTO "port_carries" VALUES(10,104);
CREATE TABLE port_evidence (
    port_id INTEGER PRIMARY KEY REFERENCES port(id) ON DELETE CASCADE,
    time REAL NOT NULL,
    said TEXT NOT NULL,
    job_id INTEGER,
    applied_by TEXT,
    project_id INTEGER,
    staged_by TEXT,
    staged_at REAL,
    staged_project_id INTEGER
) STRICT;
CREATE TABLE port_may_change (
    port_id INTEGER PRIMARY KEY REFERENCES port(id) ON DELETE CASCADE,
    boot TEXT NOT NULL,
    seconds REAL NOT NULL
) STRICT;
CREATE TABLE power_staged (
    node_id INTEGER PRIMARY KEY REFERENCES node(id) ON DELETE CASCADE,
    power TEXT NOT NULL CHECK (power IN ('on', 'off')),
    boot TEXT CHECK (boot IN ('disk', 'pxe'))
) STRICT;
CREATE TABLE project (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
, quota_nodes INTEGER CHECK (quota_nodes >= 0), quota_networks INTEGER CHECK (quota_networks >= 0), quota_headnodes INTEGER CHECK (quota_headnodes >= 0)) STRICT;
INSERT INTO "project" VALUES(1,'red',NULL,NULL,NULL);
INSERT INTO "project" VALUES(2,'blue',NULL,NULL,NULL);
INSERT INTO "project" VALUES(3,'green',NULL,NULL,NULL);
CREATE TABLE repair (
    job_id INTEGER PRIMARY KEY REFERENCES job(id) ON DELETE CASCADE,
    switch TEXT
) STRICT;
INSERT INTO "repair" VALUES(4,'sw2');
CREATE TABLE sealing_key (key BLOB NOT NULL) STRICT;
INSERT INTO "sealing_key" VALUES(X'9D0EBF7FB75F9E906E6E4758848BE0B7649844D79E7B79FFFA9CD9360722EFE6');
CREATE TABLE share (
    network_id INTEGER NOT NULL REFERENCES network(id) ON DELETE CASCADE,
    project_id INTEGER NOT NULL REFERENCES project(id) ON DELETE CASCADE, ending INTEGER NOT NULL DEFAULT 0 CHECK (ending IN (0, 1)),
    PRIMARY KEY (network_id, project_id)
) STRICT, WITHOUT ROWID;
INSERT INTO "share" VALUES(1,2,0);
CREATE TABLE share_offer (
    network_id INTEGER NOT NULL REFERENCES network(id) ON DELETE CASCADE,
    project TEXT NOT NULL,
    PRIMARY KEY (network_id, project)
) STRICT, WITHOUT ROWID;
CREATE TABLE step (
    job_id INTEGER NOT NULL REFERENCES job(id) ON DELETE CASCADE,
    step INTEGER NOT NULL,
    phase INTEGER NOT NULL,
    device TEXT NOT NULL,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    summary TEXT NOT NULL,
    change TEXT NOT NULL,
    lines TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN
        ('pending', 'sending', 'sent', 'done', 'failed', 'skipped', 'cancelled', 'interrupted')),
    message TEXT,
    started REAL,
    finished REAL, tenant_message TEXT,
    PRIMARY KEY (job_id, step)
) STRICT, WITHOUT ROWID;
INSERT INTO "step" VALUES(1,1,3,'sw1','port.set','Gi1/0/1','port.set Gi1/0/1','{"type":"port","port":"Gi1/0/1","config":{"untagged":100,"tagged":[]}}','["line of Gi1/0/1"]','done',NULL,1790000002.0,1790000003.0,NULL);
INSERT INTO "step" VALUES(2,1,1,'sw1','port.set','Gi1/0/2','port.set Gi1/0/2','{"type":"port","port":"Gi1/0/2","config":{"untagged":null,"tagged":[]}}','["line of Gi1/0/2"]','failed','sw1 did not answer in time.',1790000012.0,1790000013.0,NULL);
INSERT INTO "step" VALUES(2,2,2,'sw2','vlan.create','104','vlan.create 104','{"type":"vlan","vlan":104,"present":true}','["line of 104"]','sending',NULL,1790000014.0,NULL,NULL);
INSERT INTO "step" VALUES(2,3,3,'sw2','port.set','ethernet 1/1/2','port.set ethernet 1/1/2','{"type":"port","port":"ethernet 1/1/2","config":{"untagged":null,"tagged":[104]}}','["line of ethernet 1/1/2"]','sent',NULL,1790000014.0,1790000015.0,NULL);
INSERT INTO "step" VALUES(2,4,4,'master','bridge.create','br-vlan104','bridge.create br-vlan104','{"type":"bridge","vlan":104,"present":true}','["line of br-vlan104"]','sending',NULL,1790000014.0,NULL,NULL);
INSERT INTO "step" VALUES(2,5,5,'libvirt','headnode.define','red/half','headnode.define red/half','{"type":"headnode.define","headnode":"red/half","uuid":"22222222-2222-4222-8222-222222222222","image":"base-headnode","nics":[{"nic":"nic0","mac":"52:54:00:aa:00:03","vlan":100}]}','["line of red/half"]','sent',NULL,1790000014.0,1790000015.0,NULL);
INSERT INTO "step" VALUES(2,6,5,'libvirt','headnode.nics','red/head','headnode.nics red/head','{"type":"headnode.nics","headnode":"red/head","uuid":"11111111-1111-4111-8111-111111111111","nics":[{"nic":"nic0","mac":"52:54:00:aa:00:01","vlan":100}]}','["line of red/head"]','sending',NULL,1790000014.0,NULL,NULL);
INSERT INTO "step" VALUES(2,7,5,'libvirt','headnode.power','red/head','headnode.power red/head','{"type":"headnode.power","headnode":"red/head","uuid":"11111111-1111-4111-8111-111111111111","running":true}','["line of red/head"]','sent',NULL,1790000014.0,1790000015.0,NULL);
INSERT INTO "step" VALUES(2,8,6,'libvirt','headnode.delete','red/going','headnode.delete red/going','{"type":"headnode.delete","headnode":"red/going","uuid":"44444444-4444-4444-8444-444444444444"}','["line of red/going"]','sending',NULL,1790000014.0,NULL,NULL);
INSERT INTO "step" VALUES(2,9,7,'sw1','vlan.remove','102','vlan.remove 102','{"type":"vlan","vlan":102,"present":false}','["line of 102"]','sent',NULL,1790000014.0,1790000015.0,NULL);
INSERT INTO "step" VALUES(2,10,8,'sw1','save','sw1','save sw1','{"type":"save"}','["line of sw1"]','sending',NULL,1790000014.0,NULL,NULL);
INSERT INTO "step" VALUES(2,11,8,'sw2','save','sw2','save sw2','{"type":"save"}','["line of sw2"]','pending',NULL,NULL,NULL,NULL);
CREATE TABLE switch (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE CHECK (name NOT IN ('master', 'libvirt')),
    dialect TEXT NOT NULL,
    host TEXT NOT NULL,
    port INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
    transport TEXT NOT NULL,
    credential TEXT,
    options TEXT NOT NULL DEFAULT '{}'
, booted REAL, checked REAL, identity TEXT, stranger TEXT, uptime REAL, uptime_read REAL, uptime_boot TEXT, reachable INTEGER, last_contact REAL, retired REAL) STRICT;
INSERT INTO "switch" VALUES(1,'sw1','cisco_ios','192.0.2.1',23,'telnet','lab','{}',1789913600.0,1790000050.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "switch" VALUES(2,'sw2','dell_os10','192.0.2.2',22,'ssh',NULL,'{"ssh_legacy": true}',NULL,1790000050.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE switch_vlan (
    switch_id INTEGER NOT NULL REFERENCES switch(id) ON DELETE RESTRICT,
    vlan INTEGER NOT NULL REFERENCES vlan_claim(vlan) ON DELETE RESTRICT,
    confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1)),
    PRIMARY KEY (switch_id, vlan)
) STRICT, WITHOUT ROWID;
INSERT INTO "switch_vlan" VALUES(1,100,1);
INSERT INTO "switch_vlan" VALUES(1,102,0);
INSERT INTO "switch_vlan" VALUES(1,109,0);
INSERT INTO "switch_vlan" VALUES(2,100,1);
INSERT INTO "switch_vlan" VALUES(2,101,1);
INSERT INTO "switch_vlan" VALUES(2,104,0);
CREATE TABLE token (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    label TEXT NOT NULL,
    user TEXT NOT NULL,
    project_id INTEGER REFERENCES project(id) ON DELETE CASCADE,
    readonly INTEGER NOT NULL CHECK (readonly IN (0, 1)),
    created REAL NOT NULL,
    expires REAL,
    last_used REAL,
    parent_id INTEGER REFERENCES token(id) ON DELETE CASCADE,
    UNIQUE (user, label)
) STRICT;
CREATE TABLE transcript (
    id INTEGER PRIMARY KEY,
    job_id INTEGER NOT NULL REFERENCES job(id) ON DELETE CASCADE,
    device TEXT NOT NULL,
    time REAL NOT NULL,
    text BLOB NOT NULL
) STRICT;
CREATE TABLE unsaved (
    switch_id INTEGER NOT NULL REFERENCES switch(id) ON DELETE CASCADE,
    project_id INTEGER NOT NULL,
    PRIMARY KEY (switch_id, project_id)
) STRICT, WITHOUT ROWID;
INSERT INTO "unsaved" VALUES(1,0);
INSERT INTO "unsaved" VALUES(1,1);
INSERT INTO "unsaved" VALUES(2,1);
CREATE TABLE user (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    admin INTEGER NOT NULL DEFAULT 0 CHECK (admin IN (0, 1))
) STRICT;
INSERT INTO "user" VALUES(1,'ada',1);
INSERT INTO "user" VALUES(2,'rita',0);
INSERT INTO "user" VALUES(3,'bob',0);
CREATE TABLE vlan_claim (
    vlan INTEGER PRIMARY KEY CHECK (vlan BETWEEN 2 AND 4094),
    network_id INTEGER UNIQUE REFERENCES network(id) ON DELETE SET NULL,
    project_id INTEGER REFERENCES project(id) ON DELETE SET NULL,
    label TEXT NOT NULL
) STRICT;
INSERT INTO "vlan_claim" VALUES(100,1,1,'red/net');
INSERT INTO "vlan_claim" VALUES(101,2,2,'blue/own');
INSERT INTO "vlan_claim" VALUES(102,NULL,1,'red/old');
INSERT INTO "vlan_claim" VALUES(104,4,1,'red/new');
INSERT INTO "vlan_claim" VALUES(109,NULL,NULL,'left over');
CREATE TABLE vlan_in_startup (
    switch_id INTEGER NOT NULL REFERENCES switch(id) ON DELETE CASCADE,
    vlan INTEGER NOT NULL,
    PRIMARY KEY (switch_id, vlan)
) STRICT, WITHOUT ROWID;
INSERT INTO "vlan_in_startup" VALUES(1,100);
INSERT INTO "vlan_in_startup" VALUES(2,100);
INSERT INTO "vlan_in_startup" VALUES(1,101);
INSERT INTO "vlan_in_startup" VALUES(2,101);
INSERT INTO "vlan_in_startup" VALUES(1,102);
INSERT INTO "vlan_in_startup" VALUES(2,102);
INSERT INTO "vlan_in_startup" VALUES(1,104);
INSERT INTO "vlan_in_startup" VALUES(2,104);
INSERT INTO "vlan_in_startup" VALUES(1,109);
INSERT INTO "vlan_in_startup" VALUES(2,109);
CREATE TABLE vlan_may_change (
    switch_id INTEGER NOT NULL REFERENCES switch(id) ON DELETE CASCADE,
    vlan INTEGER NOT NULL,
    boot TEXT NOT NULL,
    seconds REAL NOT NULL,
    PRIMARY KEY (switch_id, vlan)
) STRICT, WITHOUT ROWID;
CREATE TABLE withdrawal (
    job_id INTEGER PRIMARY KEY REFERENCES job(id) ON DELETE CASCADE,
    vlan INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX member_user ON member(user_id);
CREATE UNIQUE INDEX one_switch_at_an_address ON switch(lower(host), port);
CREATE INDEX node_tag_tag ON node_tag(tag);
CREATE INDEX allocation_project ON allocation(project_id);
CREATE INDEX vlan_claim_project ON vlan_claim(project_id);
CREATE INDEX share_project ON share(project_id);
CREATE UNIQUE INDEX one_untagged_network ON connection(nic_id) WHERE tagged = 0;
CREATE INDEX connection_network ON connection(network_id);
CREATE INDEX headnode_nic_network ON headnode_nic(network_id);
CREATE INDEX port_carries_vlan ON port_carries(vlan);
CREATE INDEX switch_vlan_vlan ON switch_vlan(vlan);
CREATE INDEX headnode_carries_vlan ON headnode_carries(vlan);
CREATE INDEX job_state ON job(state);
CREATE INDEX job_project ON job(project_id);
CREATE INDEX audit_project ON audit(project);
CREATE INDEX audit_project_id ON audit(project_id);
CREATE TRIGGER an_allocation_stays_as_it_is BEFORE UPDATE OF node_id, project_id ON allocation
WHEN NEW.project_id <> OLD.project_id OR NEW.node_id <> OLD.node_id
BEGIN SELECT RAISE(ABORT, 'a node changes hands by release and allocate only'); END;
CREATE TRIGGER held_nodes_get_no_nics BEFORE INSERT ON nic
WHEN EXISTS (SELECT 1 FROM allocation WHERE node_id = NEW.node_id)
BEGIN SELECT RAISE(ABORT, 'the nics of a node that is held are fixed'); END;
CREATE TRIGGER held_nodes_keep_their_ports BEFORE UPDATE OF node_id, port_id ON nic
WHEN (NEW.port_id IS NOT OLD.port_id OR NEW.node_id <> OLD.node_id)
  AND EXISTS (SELECT 1 FROM allocation WHERE node_id IN (OLD.node_id, NEW.node_id))
BEGIN SELECT RAISE(ABORT, 'the nics of a node that is held are fixed'); END;
CREATE TRIGGER networks_stay_with_their_project BEFORE UPDATE OF project_id ON network
WHEN NEW.project_id <> OLD.project_id
BEGIN SELECT RAISE(ABORT, 'a network stays with its project'); END;
CREATE TRIGGER used_shares_last BEFORE DELETE ON share
WHEN EXISTS (
    SELECT 1 FROM connection JOIN nic ON nic.id = connection.nic_id
    JOIN allocation ON allocation.node_id = nic.node_id
    WHERE connection.network_id = OLD.network_id AND allocation.project_id = OLD.project_id)
  OR EXISTS (
    SELECT 1 FROM headnode_nic JOIN headnode ON headnode.id = headnode_nic.headnode_id
    WHERE headnode_nic.network_id = OLD.network_id AND headnode.project_id = OLD.project_id)
BEGIN SELECT RAISE(ABORT, 'the other project still uses this network'); END;
CREATE TRIGGER allocate_only_nodes_that_stayed_parked BEFORE INSERT ON allocation
WHEN EXISTS (
    SELECT 1 FROM nic JOIN port ON port.id = nic.port_id JOIN switch ON switch.id = port.switch_id
    JOIN drift ON drift.device = switch.name AND drift.target = port.name
    WHERE nic.node_id = NEW.node_id)
BEGIN SELECT RAISE(ABORT, 'a port of this node did not stay parked'); END;
CREATE VIEW unparked_nic AS
SELECT id AS nic_id, node_id FROM nic
WHERE port_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM parked_port WHERE parked_port.port_id = nic.port_id);
CREATE TRIGGER allocate_only_parked_nodes BEFORE INSERT ON allocation
WHEN EXISTS (SELECT 1 FROM unparked_nic WHERE node_id = NEW.node_id)
BEGIN SELECT RAISE(ABORT, 'a port of this node is not confirmed parked'); END;
CREATE INDEX vlan_in_startup_vlan ON vlan_in_startup(vlan);
CREATE INDEX token_project ON token(project_id);
CREATE INDEX token_parent ON token(parent_id);
CREATE TRIGGER tokens_go_with_their_user AFTER DELETE ON user
BEGIN DELETE FROM token WHERE user = OLD.name; END;
CREATE INDEX vlan_may_change_vlan ON vlan_may_change(vlan);
CREATE UNIQUE INDEX audit_project_seq ON audit(project_id, project_seq);
CREATE INDEX audit_user ON audit(user);
CREATE INDEX audit_time ON audit(time);
CREATE INDEX audit_object_audit_id ON audit_object(audit_id);
CREATE TRIGGER audit_records_do_not_change BEFORE UPDATE OF id, time, user, via, method, project,
    params, objects, outcome, message, job, project_seq, hash ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail does not change'); END;
CREATE TRIGGER audit_records_are_pruned_from_the_start BEFORE DELETE ON audit
WHEN OLD.id > (SELECT audit_id FROM audit_anchor)
BEGIN SELECT RAISE(ABORT, 'the audit trail is pruned from its start only'); END;
CREATE INDEX share_offer_project ON share_offer(project);
CREATE INDEX lease_until ON lease(until);
CREATE INDEX job_place ON job(place);
CREATE VIEW usable_network AS
SELECT network.id AS network_id, network.project_id FROM network WHERE deleting = 0
UNION ALL
SELECT share.network_id, share.project_id FROM share
JOIN network ON network.id = share.network_id WHERE share.ending = 0 AND network.deleting = 0;
CREATE TRIGGER connect_only_usable_networks_INSERT BEFORE INSERT ON connection
WHEN NOT EXISTS (
    SELECT 1 FROM nic JOIN allocation ON allocation.node_id = nic.node_id
    JOIN usable_network ON usable_network.project_id = allocation.project_id
    WHERE nic.id = NEW.nic_id AND allocation.releasing = 0
      AND usable_network.network_id = NEW.network_id)
BEGIN SELECT RAISE(ABORT, 'the holder of this node may not use this network'); END;
CREATE TRIGGER connect_headnodes_to_usable_networks_INSERT BEFORE INSERT ON headnode_nic
WHEN NEW.network_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM headnode JOIN usable_network ON usable_network.project_id = headnode.project_id
    WHERE headnode.id = NEW.headnode_id AND usable_network.network_id = NEW.network_id)
BEGIN SELECT RAISE(ABORT, 'this headnode''s project may not use this network'); END;
CREATE TRIGGER connect_only_usable_networks_UPDATE BEFORE UPDATE ON connection
WHEN NOT EXISTS (
    SELECT 1 FROM nic JOIN allocation ON allocation.node_id = nic.node_id
    JOIN usable_network ON usable_network.project_id = allocation.project_id
    WHERE nic.id = NEW.nic_id AND allocation.releasing = 0
      AND usable_network.network_id = NEW.network_id)
BEGIN SELECT RAISE(ABORT, 'the holder of this node may not use this network'); END;
CREATE TRIGGER connect_headnodes_to_usable_networks_UPDATE BEFORE UPDATE ON headnode_nic
WHEN NEW.network_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM headnode JOIN usable_network ON usable_network.project_id = headnode.project_id
    WHERE headnode.id = NEW.headnode_id AND usable_network.network_id = NEW.network_id)
BEGIN SELECT RAISE(ABORT, 'this headnode''s project may not use this network'); END;
CREATE INDEX transcript_job ON transcript(job_id);
CREATE INDEX confirm_waiting ON confirm(state) WHERE state = 'waiting';
CREATE INDEX job_target_node ON job_target(node_id) WHERE node_id IS NOT NULL;
CREATE INDEX job_target_network ON job_target(network_id) WHERE network_id IS NOT NULL;
CREATE VIEW parked_port AS
SELECT port_id FROM port_applied
WHERE confirmed = 1 AND saved = 1 AND untagged IS NULL AND NOT EXISTS (
    SELECT 1 FROM port_applied_tagged WHERE port_applied_tagged.port_id = port_applied.port_id)
AND NOT EXISTS (
    SELECT 1 FROM port_may_change WHERE port_may_change.port_id = port_applied.port_id)
AND (NOT EXISTS (SELECT 1 FROM switch WHERE stranger IS NOT NULL OR retired IS NOT NULL)
OR NOT EXISTS (
    SELECT 1 FROM switch WHERE (stranger IS NOT NULL OR retired IS NOT NULL)
    AND id = (SELECT switch_id FROM port WHERE port.id = port_applied.port_id)));
CREATE VIEW awaited_nic AS
SELECT nic_id, node_id FROM unparked_nic
WHERE NOT EXISTS (SELECT 1 FROM switch WHERE retired IS NOT NULL) OR nic_id NOT IN (
    SELECT nic.id FROM nic JOIN port ON port.id = nic.port_id
    JOIN switch ON switch.id = port.switch_id WHERE switch.retired IS NOT NULL);
CREATE TRIGGER free_only_parked_nodes BEFORE DELETE ON allocation
WHEN EXISTS (SELECT 1 FROM awaited_nic WHERE node_id = OLD.node_id)
  OR EXISTS (
    SELECT 1 FROM connection JOIN nic ON nic.id = connection.nic_id
    WHERE nic.node_id = OLD.node_id)
BEGIN SELECT RAISE(ABORT, 'a nic of this node is not confirmed parked or still connected'); END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('job',5);
INSERT INTO "sqlite_sequence" VALUES('audit',2);
COMMIT;
