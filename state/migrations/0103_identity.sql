CREATE TABLE users (
	id            TEXT PRIMARY KEY,
	name          TEXT NOT NULL UNIQUE COLLATE NOCASE,
	role          TEXT NOT NULL,
	factory       TEXT NOT NULL, -- of committee and installer, else ''
	office        TEXT NOT NULL, -- of an officer, else ''
	password_hash TEXT NOT NULL,
	language      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
	token_sha256 BLOB PRIMARY KEY,
	user         TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	csrf         TEXT NOT NULL,
	expires      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_user ON sessions (user);
CREATE INDEX sessions_by_expiry ON sessions (expires);

CREATE TABLE gateway_credentials (
	username TEXT PRIMARY KEY,
	hash     TEXT NOT NULL,
	factory  TEXT NOT NULL,
	gateway  TEXT NOT NULL,
	UNIQUE (factory, gateway)
) STRICT, WITHOUT ROWID;
