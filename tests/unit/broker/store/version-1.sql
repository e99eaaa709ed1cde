-- SPDX-License-Identifier: ISC
-- A database as sandboxd made it when its schema had no number but 1.
BEGIN TRANSACTION;
CREATE TABLE certificates (  serial INTEGER PRIMARY KEY NOT NULL,  sandbox_id TEXT NOT NULL    REFERENCES sandboxes(id) ON DELETE CASCADE,  caller TEXT NOT NULL,  key_id TEXT NOT NULL,  valid_after INTEGER NOT NULL,  valid_before INTEGER NOT NULL,  issued_at INTEGER NOT NULL);
INSERT INTO "certificates" VALUES(77,'run-1','alice','alice/run-1/000000000000004d',1000040,1003700,1000100);
CREATE TABLE floors (  id TEXT PRIMARY KEY NOT NULL,  last_valid_after INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO "floors" VALUES('run-0',1000050);
CREATE TABLE labels (  sandbox_id TEXT NOT NULL    REFERENCES sandboxes(id) ON DELETE CASCADE,  key TEXT NOT NULL,  value TEXT NOT NULL,  PRIMARY KEY (sandbox_id, key)) WITHOUT ROWID;
INSERT INTO "labels" VALUES('run-1','team','blue');
CREATE TABLE sandboxes (  id TEXT PRIMARY KEY NOT NULL,  provider TEXT NOT NULL,  owner TEXT NOT NULL,  state TEXT NOT NULL,  isolation INTEGER NOT NULL,  created_at INTEGER NOT NULL,  expires_at INTEGER NOT NULL,  issued_after INTEGER NOT NULL,  last_valid_after INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
INSERT INTO "sandboxes" VALUES('run-1','local','alice','stopped',1,1000000,0,0,1000100);
INSERT INTO "sandboxes" VALUES('run-2','local','bob','running',1,1000001,2000000,999999,0);
CREATE INDEX sandboxes_owner ON sandboxes(owner, id);
CREATE INDEX sandboxes_end ON sandboxes(expires_at)  WHERE expires_at > 0;
CREATE INDEX labels_value ON labels(key, value, sandbox_id);
CREATE INDEX certificates_sandbox ON certificates(sandbox_id);
CREATE INDEX certificates_end ON certificates(valid_before);
COMMIT;
PRAGMA user_version = 1;
