-- Times are unix milliseconds, UTC; 0 = none. Sequence numbers and other
-- unsigned 64-bit numbers are stored as the signed number with the same bits.

CREATE TABLE meta (
	key   TEXT PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO meta (key, value) VALUES ('epoch', lower(hex(randomblob(8))));

CREATE TABLE progress (
	factory TEXT NOT NULL,
	gateway TEXT NOT NULL,
	run     TEXT NOT NULL,
	stream  TEXT NOT NULL,
	upto    INTEGER NOT NULL,
	ranges  TEXT NOT NULL, -- JSON [[from, to], ...]
	PRIMARY KEY (factory, gateway, run, stream)
) STRICT, WITHOUT ROWID;

CREATE TABLE transitions (
	id           INTEGER PRIMARY KEY AUTOINCREMENT,
	factory      TEXT NOT NULL,
	source       TEXT NOT NULL,
	run          TEXT NOT NULL, -- '' from the server's own engine
	seq          INTEGER NOT NULL,
	point        TEXT NOT NULL,
	pack         TEXT NOT NULL,
	rule         TEXT NOT NULL,
	rule_version TEXT NOT NULL,
	hazard       TEXT NOT NULL,
	class        TEXT NOT NULL,
	severity     TEXT NOT NULL,
	zone         TEXT NOT NULL,
	sensor       TEXT NOT NULL,
	grade        TEXT NOT NULL,
	clause       TEXT NOT NULL,
	from_state   TEXT NOT NULL,
	to_state     TEXT NOT NULL,
	at           INTEGER NOT NULL,
	vals         TEXT NOT NULL, -- JSON {name: number}
	flags        INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX transitions_once ON transitions (factory, source, run, seq) WHERE run != '';
CREATE INDEX transitions_by_point ON transitions (factory, point, at);

CREATE TABLE engine_states (
	factory TEXT NOT NULL,
	key     TEXT NOT NULL,
	state   BLOB NOT NULL,
	PRIMARY KEY (factory, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE refusals (
	id       INTEGER PRIMARY KEY AUTOINCREMENT,
	factory  TEXT NOT NULL,
	gateway  TEXT NOT NULL,
	run      TEXT NOT NULL,
	stream   TEXT NOT NULL,
	from_seq INTEGER NOT NULL,
	to_seq   INTEGER NOT NULL,
	reason   TEXT NOT NULL,
	at       INTEGER NOT NULL
) STRICT;

CREATE INDEX refusals_by_gateway ON refusals (factory, gateway, id);

CREATE TABLE refusal_counts (
	factory TEXT NOT NULL,
	gateway TEXT NOT NULL,
	reason  TEXT NOT NULL,
	n       INTEGER NOT NULL,
	PRIMARY KEY (factory, gateway, reason)
) STRICT, WITHOUT ROWID;

CREATE TABLE anchors (
	factory     TEXT NOT NULL,
	gateway     TEXT NOT NULL,
	boot        TEXT NOT NULL,
	id          TEXT NOT NULL,
	mono        INTEGER NOT NULL, -- ms
	wall        INTEGER NOT NULL,
	provisional INTEGER NOT NULL,
	PRIMARY KEY (factory, gateway, boot)
) STRICT, WITHOUT ROWID;

CREATE TABLE anchor_corrections (
	factory TEXT NOT NULL,
	gateway TEXT NOT NULL,
	boot    TEXT NOT NULL,
	id      TEXT NOT NULL,
	mono    INTEGER NOT NULL,
	wall    INTEGER NOT NULL,
	PRIMARY KEY (factory, gateway, boot, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE gateways (
	factory         TEXT NOT NULL,
	id              TEXT NOT NULL,
	run             TEXT NOT NULL,
	online          INTEGER NOT NULL,
	clock           TEXT NOT NULL,
	version         TEXT NOT NULL,
	at              INTEGER NOT NULL,
	simulated       INTEGER NOT NULL,
	unknown_sensors TEXT NOT NULL, -- JSON [id, ...]
	PRIMARY KEY (factory, id)
) STRICT, WITHOUT ROWID;
