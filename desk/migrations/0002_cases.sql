-- What arrived about one incident, exercise and real apart. Every row follows
-- from filings and looks; doc is a safety.Case without filings and seen.
CREATE TABLE cases (
  incident  TEXT NOT NULL,
  exercise  INTEGER NOT NULL,
  factory   TEXT NOT NULL,
  office    TEXT NOT NULL,
  urgency   INTEGER NOT NULL, -- 0 is the most urgent
  due_at    INTEGER,          -- Unix milliseconds, UTC
  arrived   INTEGER NOT NULL, -- seq of its first filing
  newest    INTEGER NOT NULL, -- seq of its newest filing
  newest_at INTEGER NOT NULL,
  seen_by   TEXT NOT NULL,    -- who looked first since then; '' while nobody has
  seen_at   INTEGER,
  doc       TEXT NOT NULL,
  PRIMARY KEY (incident, exercise)
) STRICT;
CREATE UNIQUE INDEX cases_arrived ON cases (arrived);
CREATE INDEX cases_office ON cases (office, newest_at);
CREATE INDEX filings_incident ON filings (incident, exercise, seq);

-- Who looked at a case, and how far it had come: the filings up to seq upto.
CREATE TABLE looks (
  seq      INTEGER PRIMARY KEY AUTOINCREMENT,
  incident TEXT NOT NULL,
  exercise INTEGER NOT NULL,
  upto     INTEGER NOT NULL,
  officer  TEXT NOT NULL, -- a person's name, as the program gave it
  program  TEXT NOT NULL, -- that asked
  at       INTEGER NOT NULL
) STRICT;
CREATE INDEX looks_case ON looks (incident, exercise, seq);
CREATE TRIGGER looks_stay BEFORE UPDATE ON looks BEGIN SELECT raise(ABORT, 'looks are only added'); END;
CREATE TRIGGER looks_remain BEFORE DELETE ON looks BEGIN SELECT raise(ABORT, 'looks are only added'); END;
