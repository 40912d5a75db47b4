-- One row per version of a signal or notice, in order of arrival. doc is the
-- whole filing as it was understood, and hash is of doc.
CREATE TABLE filings (
  seq           INTEGER PRIMARY KEY AUTOINCREMENT,
  id            TEXT NOT NULL,
  version       INTEGER NOT NULL,
  kind          TEXT NOT NULL, -- signal | notice
  sender        TEXT NOT NULL,
  factory       TEXT NOT NULL,
  office        TEXT NOT NULL,
  incident      TEXT NOT NULL,
  incident_kind TEXT NOT NULL,
  exercise      INTEGER NOT NULL,
  number        TEXT NOT NULL,
  received_at   INTEGER NOT NULL, -- Unix milliseconds, UTC
  hash          BLOB NOT NULL,
  doc           TEXT NOT NULL,
  UNIQUE (id, version)
) STRICT;
CREATE INDEX filings_office ON filings (office, seq);

-- The last receipt number given out, per prefix and year.
CREATE TABLE numbers (
  prefix TEXT NOT NULL,
  year   INTEGER NOT NULL,
  last   INTEGER NOT NULL,
  PRIMARY KEY (prefix, year)
) STRICT;
