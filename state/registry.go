package state

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"nirapod/safety"
)

// ImportSite makes site the current one of its factory and returns the version
// of the registry that this made. A site that is equal to the current one
// makes no new version: its own is returned. The caller has validated site;
// here only its factory's id is asked for. Earlier versions are kept.
func (d *DB) ImportSite(ctx context.Context, site safety.Site, at time.Time) (version int64, err error) {
	if site.Factory.ID == "" {
		return 0, fmt.Errorf("import site: no factory id: %w", safety.ErrInvalid)
	}
	doc, err := json.Marshal(site)
	if err != nil {
		return 0, fmt.Errorf("import site %s: %w: %w", site.Factory.ID, err, safety.ErrInvalid)
	}
	err = d.Write(ctx, func(tx *sql.Tx) error {
		version, err = putSite(ctx, tx, site, doc, at)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("import site %s: %w", site.Factory.ID, err)
	}
	return version, nil
}

func putSite(ctx context.Context, tx *sql.Tx, site safety.Site, doc []byte, at time.Time) (version int64, err error) {
	type known struct {
		version int64
		doc     []byte
	}
	found, err := query(ctx, tx, func(row scanner) (c known, err error) { return c, row.Scan(&c.version, &c.doc) },
		`SELECT version, doc FROM sites JOIN site_versions USING (version) WHERE sites.factory = ?`, site.Factory.ID)
	if err != nil {
		return 0, err
	}
	if len(found) == 1 && bytes.Equal(found[0].doc, doc) {
		return found[0].version, nil
	}
	added, err := tx.ExecContext(ctx, `INSERT INTO site_versions (factory, imported_at, doc) VALUES (?, ?, ?)`,
		site.Factory.ID, millis(at), string(doc))
	if err != nil {
		return 0, err
	}
	if version, err = added.LastInsertId(); err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO sites (factory, version, office) VALUES (?1, ?2, ?3)
		ON CONFLICT DO UPDATE SET version = ?2, office = ?3`, site.Factory.ID, version, site.Factory.Office.Value)
	if err != nil {
		return 0, err
	}
	imported, err := ledgeredSites.row(ctx, tx, version)
	if err != nil {
		return 0, err
	}
	current, err := ledgeredCurrent.row(ctx, tx, site.Factory.ID)
	if err != nil {
		return 0, err
	}
	return version, enter(ctx, tx, []entry{imported, current})
}

// Site returns the current site of a factory. The error wraps
// safety.ErrNotFound when there is none.
func (d *DB) Site(ctx context.Context, factory string) (safety.Site, error) {
	site, err := one(ctx, d.reader, scanJSON[safety.Site], siteDocs+`WHERE sites.factory = ?`, factory)
	if err != nil {
		return safety.Site{}, fmt.Errorf("site %s: %w", factory, err)
	}
	return site, nil
}

// Sites returns the current sites of all factories, by factory id.
func (d *DB) Sites(ctx context.Context) ([]safety.Site, error) {
	return query(ctx, d.reader, scanJSON[safety.Site], siteDocs+`ORDER BY sites.factory`)
}

const siteDocs = `SELECT doc FROM sites JOIN site_versions USING (version) `

// RegistryVersion grows with every change of any site; 0 = no site yet.
func (d *DB) RegistryVersion(ctx context.Context) (int64, error) {
	return one(ctx, d.reader, scanOne[int64], `SELECT ifnull(max(version), 0) FROM site_versions`)
}
