-- What people act on. In alerts, incidents, signals and notices the columns
-- are what is searched by; doc is the whole, as JSON of safety.Alert,
-- safety.Incident, safety.Signal and safety.Notice; work is what only package
-- alerts reads. Times are Unix milliseconds, UTC. change is taken from
-- change_counter at every write: a reader that has seen all changes up to n
-- asks for those above n.
CREATE TABLE alerts (
  id          TEXT PRIMARY KEY,
  factory     TEXT NOT NULL,
  point       TEXT NOT NULL,
  class       TEXT NOT NULL,
  state       TEXT NOT NULL,
  incident    TEXT NOT NULL,
  occurred_at INTEGER NOT NULL,
  grouped     INTEGER NOT NULL, -- 0: its incident has not seen its newest evidence
  change      INTEGER NOT NULL,
  doc         TEXT NOT NULL,
  work        TEXT NOT NULL
) STRICT;
-- The promise itself: at most one open alert per point.
CREATE UNIQUE INDEX alerts_open ON alerts (point) WHERE state <> 'cleared';
CREATE INDEX alerts_factory ON alerts (factory, id);
CREATE INDEX alerts_factory_state ON alerts (factory, state, id);
CREATE INDEX alerts_point ON alerts (point, id);
CREATE INDEX alerts_incident ON alerts (incident);
CREATE INDEX alerts_ungrouped ON alerts (id) WHERE grouped = 0;
CREATE UNIQUE INDEX alerts_change ON alerts (change);

-- The newest word of every source about a point; it outlives its alerts.
CREATE TABLE points (
  point   TEXT PRIMARY KEY,
  factory TEXT NOT NULL,
  sources TEXT NOT NULL
) STRICT;

CREATE TABLE incidents (
  id          TEXT PRIMARY KEY,
  factory     TEXT NOT NULL,
  kind        TEXT NOT NULL,
  state       TEXT NOT NULL,
  occurred_at INTEGER NOT NULL,
  next_at     INTEGER, -- when the machine has to decide again; NULL: only when something happens
  change      INTEGER NOT NULL,
  doc         TEXT NOT NULL
) STRICT;
CREATE INDEX incidents_factory ON incidents (factory, id);
CREATE INDEX incidents_open ON incidents (factory, state, occurred_at);
CREATE INDEX incidents_next ON incidents (next_at) WHERE next_at IS NOT NULL;
CREATE UNIQUE INDEX incidents_change ON incidents (change);

-- One signal, and one notice of a kind, per incident; a real one beside an
-- exercise one when a drill turned out to be real.
CREATE TABLE signals (
  id       TEXT PRIMARY KEY,
  factory  TEXT NOT NULL,
  incident TEXT NOT NULL,
  exercise INTEGER NOT NULL,
  status   TEXT NOT NULL,
  doc      TEXT NOT NULL,
  UNIQUE (incident, exercise)
) STRICT;

CREATE TABLE notices (
  id          TEXT PRIMARY KEY,
  factory     TEXT NOT NULL,
  incident    TEXT NOT NULL,
  kind        TEXT NOT NULL,
  exercise    INTEGER NOT NULL,
  status      TEXT NOT NULL,
  occurred_at INTEGER NOT NULL,
  due_at      INTEGER,
  change      INTEGER NOT NULL,
  doc         TEXT NOT NULL,
  UNIQUE (incident, kind, exercise)
) STRICT;
CREATE INDEX notices_factory ON notices (factory, id);
CREATE UNIQUE INDEX notices_change ON notices (change);

-- What has to leave this machine, in order per destination and factory. A row
-- stays until it is answered, refused or expired, and after that as a record.
CREATE TABLE outbox (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  key        TEXT NOT NULL UNIQUE, -- idempotency key
  dest       TEXT NOT NULL,        -- desk | gateway
  factory    TEXT NOT NULL,
  kind       TEXT NOT NULL,        -- signal | notice | command
  ref        TEXT NOT NULL,        -- id of the signal or notice; id of the gateway
  body       TEXT NOT NULL,
  status     TEXT NOT NULL,        -- waiting | done | refused | expired
  attempts   INTEGER NOT NULL,
  not_before INTEGER NOT NULL,
  expires_at INTEGER,
  created_at INTEGER NOT NULL,
  answer     TEXT NOT NULL
) STRICT;
CREATE INDEX outbox_waiting ON outbox (dest, factory, seq) WHERE status = 'waiting';

-- Resets of latched points that a person asked for, for the server's own engine.
CREATE TABLE resets (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  factory TEXT NOT NULL,
  point   TEXT NOT NULL,
  by      TEXT NOT NULL,
  at      INTEGER NOT NULL
) STRICT;

CREATE TABLE role_cursors (
  name  TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT;

CREATE TABLE change_counter (
  one   INTEGER PRIMARY KEY CHECK (one = 1),
  value INTEGER NOT NULL
) STRICT;
INSERT INTO change_counter (one, value) VALUES (1, 0);
