-- The ladder: who is told of an alert, and when at the latest. A step is due at
-- a time and done once, in the transaction that writes its messages.
CREATE TABLE steps (
  alert   TEXT NOT NULL,
  name    TEXT NOT NULL, -- committee | committee_again | owner
  factory TEXT NOT NULL,
  due_at  INTEGER NOT NULL,
  done_at INTEGER,       -- NULL: not done
  outcome TEXT NOT NULL, -- '' | told | nobody | over
  PRIMARY KEY (alert, name)
) STRICT;
CREATE INDEX steps_due ON steps (due_at) WHERE done_at IS NULL;

-- What a step says to one person by one receiver. accepted says that the other
-- side took it, not that anybody read it.
CREATE TABLE messages (
  id           TEXT PRIMARY KEY,
  key          TEXT NOT NULL UNIQUE, -- idempotency key
  factory      TEXT NOT NULL,
  alert        TEXT NOT NULL, -- '' of one that a person sends to try the receiver
  step         TEXT NOT NULL,
  receiver     TEXT NOT NULL,
  role         TEXT NOT NULL, -- of the person
  address      TEXT NOT NULL,
  rank         INTEGER NOT NULL, -- graver ones go first
  body         TEXT NOT NULL,    -- JSON of safety.Name
  status       TEXT NOT NULL,    -- waiting | accepted | refused | expired
  attempts     INTEGER NOT NULL,
  not_before   INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  created_at   INTEGER NOT NULL,
  tried_at     INTEGER, -- first attempt
  ended_at     INTEGER,
  answer       TEXT NOT NULL
) STRICT;
CREATE INDEX messages_waiting ON messages (receiver, rank DESC, id) WHERE status = 'waiting';
CREATE INDEX messages_alert ON messages (alert);

-- What is known of each receiver from its last attempts.
CREATE TABLE receivers (
  name        TEXT PRIMARY KEY,
  accepted_at INTEGER, -- NULL: it has never taken a message
  failed_at   INTEGER, -- last failure after that; NULL: none
  failure     TEXT NOT NULL
) STRICT;
