-- Every import of a site is kept: an alert of last year is explained by the
-- site of last year. The version counts over all sites.
CREATE TABLE site_versions (
	version     INTEGER PRIMARY KEY AUTOINCREMENT,
	factory     TEXT NOT NULL,
	imported_at INTEGER NOT NULL,
	doc         TEXT NOT NULL -- JSON of safety.Site
) STRICT;

-- The current version of each site, with what access is decided by.
CREATE TABLE sites (
	factory TEXT PRIMARY KEY,
	version INTEGER NOT NULL REFERENCES site_versions (version),
	office  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sites_by_office ON sites (office);
