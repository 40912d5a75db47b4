-- Permits to work. An act is what a person did about one, and is never changed:
-- doc is the permit as it was opened, or '' where the act is about one that
-- stands above. A row of permits is what its acts add up to; open is 1 while it
-- stands or a sensor of it is untested. Times are Unix milliseconds, UTC.
CREATE TABLE permits (
  id      TEXT PRIMARY KEY,
  factory TEXT NOT NULL,
  open    INTEGER NOT NULL,
  until   INTEGER NOT NULL, -- when it ends, or ended
  change  INTEGER NOT NULL, -- from change_counter
  doc     TEXT NOT NULL     -- safety.PermitRecord
) STRICT;
CREATE INDEX permits_factory ON permits (factory, id);
CREATE INDEX permits_open ON permits (factory, open, id);
CREATE UNIQUE INDEX permits_change ON permits (change);

CREATE TABLE permit_acts (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  factory TEXT NOT NULL,
  permit  TEXT NOT NULL,
  kind    TEXT NOT NULL, -- opened | ended | tested
  sensor  TEXT NOT NULL, -- of a test
  by      TEXT NOT NULL,
  at      INTEGER NOT NULL,
  doc     TEXT NOT NULL
) STRICT;
CREATE INDEX permit_acts_permit ON permit_acts (permit, id);
CREATE TRIGGER permit_acts_stay BEFORE UPDATE ON permit_acts BEGIN SELECT RAISE(ABORT, 'an act about a permit is never changed'); END;
CREATE TRIGGER permit_acts_kept BEFORE DELETE ON permit_acts BEGIN SELECT RAISE(ABORT, 'an act about a permit is never removed'); END;
