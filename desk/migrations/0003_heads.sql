-- The newest head of each factory's ledger that has been shown to have grown
-- from all before it. key is pinned by the first.
CREATE TABLE heads (
  factory TEXT PRIMARY KEY,
  sender  TEXT NOT NULL,
  office  TEXT NOT NULL,
  key     TEXT NOT NULL,
  size    INTEGER NOT NULL,
  note    TEXT NOT NULL,
  at      INTEGER NOT NULL -- last heard, Unix milliseconds, UTC
) STRICT, WITHOUT ROWID;

-- Heads that were not taken because they tell another history.
CREATE TABLE head_faults (
  seq     INTEGER PRIMARY KEY AUTOINCREMENT,
  factory TEXT NOT NULL,
  office  TEXT NOT NULL,
  reason  TEXT NOT NULL,
  held    TEXT NOT NULL, -- signed note
  offered TEXT NOT NULL, -- as it came
  at      INTEGER NOT NULL,
  UNIQUE (factory, reason, held, offered)
) STRICT;
CREATE INDEX head_faults_factory ON head_faults (factory, seq);
CREATE TRIGGER head_faults_stay BEFORE UPDATE ON head_faults BEGIN SELECT raise(ABORT, 'faults are only added'); END;
CREATE TRIGGER head_faults_remain BEFORE DELETE ON head_faults BEGIN SELECT raise(ABORT, 'faults are only added'); END;
