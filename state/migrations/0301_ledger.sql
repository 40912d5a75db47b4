-- The ledger: per factory an append-only Merkle tree. hashes are the stored
-- hashes that leaf n completes: its own, then each of level 1, 2, ... 32 bytes
-- each.
CREATE TABLE ledger_leaves (
  factory TEXT NOT NULL,
  n       INTEGER NOT NULL,
  kind    TEXT NOT NULL,
  ref     TEXT NOT NULL,
  leaf    TEXT NOT NULL, -- JSON
  hashes  BLOB NOT NULL,
  PRIMARY KEY (factory, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_by_ref ON ledger_leaves (factory, kind, ref);
CREATE TRIGGER ledger_stays BEFORE UPDATE ON ledger_leaves BEGIN SELECT raise(ABORT, 'leaves are only added'); END;
CREATE TRIGGER ledger_remains BEFORE DELETE ON ledger_leaves BEGIN SELECT raise(ABORT, 'leaves are only added'); END;

-- What leaves are about, where no row keeps it as it was. salt and full are
-- NULL where the open text is all, or once they were erased.
CREATE TABLE ledger_texts (
  factory TEXT NOT NULL,
  n       INTEGER NOT NULL,
  open    TEXT NOT NULL,
  salt    BLOB,
  full    TEXT,
  PRIMARY KEY (factory, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger_heads (
  factory TEXT NOT NULL,
  size    INTEGER NOT NULL,
  note    TEXT NOT NULL,
  PRIMARY KEY (factory, size)
) STRICT, WITHOUT ROWID;

INSERT INTO meta (key, value) VALUES ('ledger', 'to be begun');
