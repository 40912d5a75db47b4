package state_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"nirapod/internal/tree"
	"nirapod/safety"
	"nirapod/state"
)

// anyKey is a key for states without signed heads.
func anyKey(t testing.TB) string {
	t.Helper()
	key, err := tree.LoadKey(t.TempDir())
	must(t, err)
	return key.Public
}

// signHead signs the tree of a factory as it is.
func signHead(t testing.TB, d *state.DB, key tree.Key, factory string) []byte {
	t.Helper()
	head, err := d.Head(t.Context(), factory)
	must(t, err)
	note, err := key.Sign(head)
	must(t, err)
	must(t, d.KeepHead(t.Context(), head, note))
	return note
}

// happen lets something of every kind happen in a factory.
func happen(t testing.TB, d *state.DB, factory string, seq uint64) {
	t.Helper()
	ctx := t.Context()
	_, err := d.ImportSite(ctx, safety.Site{Factory: safety.Factory{ID: factory, Women: int(seq), Contacts: []safety.Contact{{Name: "Rahima", Phone: "01700"}}}}, at(1))
	must(t, err)
	x, y := transition(seq), transition(seq+1)
	x.Factory, y.Factory = factory, factory
	must(t, d.CommitBatch(ctx, state.Batch{Transitions: []safety.Transition{x, y, x}}))
	id := fmt.Sprint(factory, "-", seq)
	alert := state.Alert{Alert: safety.Alert{ID: id, Point: id, FactoryID: factory, State: safety.Unacknowledged, OccurredAt: at(2), IncidentID: id}}
	incident := state.Incident{Incident: safety.Incident{ID: id, FactoryID: factory, Kind: "fire", State: "open", OccurredAt: at(2)}}
	signal := safety.Signal{ID: id, IncidentID: id, FactoryID: factory, Status: safety.NoticePrepared}
	notice := safety.Notice{ID: id, IncidentID: id, FactoryID: factory, Kind: "immediate", Status: safety.NoticeDraft}
	notice.Body.Contacts = []safety.Contact{{Name: "Rahima", Phone: "01700"}}
	must(t, d.Book(ctx, func(b *state.Book) error {
		return errors.Join(b.SaveAlert(ctx, alert), b.SaveIncident(ctx, incident), b.SaveSignal(ctx, signal), b.SaveNotice(ctx, notice),
			b.Enqueue(ctx, state.Item{Key: id, Dest: "desk", Factory: factory, Kind: "signal", Ref: id, Body: []byte(`{"a":"<b>"}`)}),
			b.AddReset(ctx, state.Reset{Factory: factory, Point: id, By: "karim", At: at(3)}))
	}))
	seen := at(4)
	alert.State, alert.AcknowledgedBy, alert.AcknowledgedAt = safety.Acknowledged, "karim", &seen
	notice.Status = safety.NoticePrepared
	waiting, err := d.Heads(ctx, "desk")
	must(t, err)
	must(t, d.Book(ctx, func(b *state.Book) error {
		for _, it := range waiting {
			if _, err := b.Finish(ctx, it.Seq, state.Done, "DEMO-1"); err != nil {
				return err
			}
		}
		return errors.Join(b.SaveAlert(ctx, alert), b.SaveNotice(ctx, notice))
	}))
}

// story makes a closed state of two factories in which something happened.
func story(t testing.TB) (dir string, key tree.Key, heads [][]byte) {
	t.Helper()
	dir = t.TempDir()
	key, err := tree.LoadKey(dir)
	must(t, err)
	d, err := state.Open(t.Context(), dir)
	must(t, err)
	for seq := uint64(1); seq < 6; seq += 2 {
		happen(t, d, "padma", seq)
		happen(t, d, "meghna", seq)
	}
	for _, factory := range []string{"padma", "meghna"} {
		heads = append(heads, signHead(t, d, key, factory))
	}
	found, err := d.Audit(t.Context(), key.Public, heads)
	must(t, err)
	if len(found) != 2 || found[0].Leaves != found[1].Leaves || found[0].Leaves < 30 || found[0].Head.Root == found[1].Head.Root {
		t.Fatalf("audit %+v", found)
	}
	must(t, d.Close())
	return dir, key, heads
}

// fatal is what tests and property tests have in common.
type fatal interface {
	Helper()
	Fatalf(format string, args ...any)
}

// edited audits a copy of the state in dir after somebody ran SQL on it.
func edited(t fatal, dir, work, public string, heads [][]byte, edits ...string) error {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "state.db"))
	if err == nil {
		err = errors.Join(os.RemoveAll(work), os.MkdirAll(work, 0o700), os.WriteFile(filepath.Join(work, "state.db"), data, 0o600))
	}
	if err != nil {
		t.Fatalf("%v", err)
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(work, "state.db"))
	if err != nil {
		t.Fatalf("%v", err)
	}
	for _, text := range append([]string{`DROP TRIGGER ledger_stays`, `DROP TRIGGER ledger_remains`}, edits...) {
		if _, err := db.Exec(text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatalf("%v", err)
	}
	d, err := state.Open(context.Background(), work)
	if err != nil {
		t.Fatalf("%v", err)
	}
	_, auditErr := d.Audit(context.Background(), public, heads)
	if err := d.Close(); err != nil {
		t.Fatalf("%v", err)
	}
	return auditErr
}

// inner are the columns that no leaf is about: how far the machine is in its
// own work. All others are held.
var inner = map[string][]string{
	"alerts": {"grouped", "change", "work"}, "incidents": {"change"}, "notices": {"change"},
	"outbox": {"attempts", "not_before"},
}

// A column changed, a row removed or two rows' places swapped, in any table and
// at any row, the newest too: the audit names it.
func TestEveryEditIsFound(t *testing.T) {
	dir, key, heads := story(t)
	work := t.TempDir()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "state.db")+"?mode=ro")
	must(t, err)
	defer db.Close()
	tables := []string{
		"transitions", "alerts", "incidents", "signals", "notices", "outbox", "resets", "site_versions", "sites",
		"ledger_leaves", "ledger_texts", "ledger_heads",
	}
	rapid.Check(t, func(rt *rapid.T) {
		table := rapid.SampledFrom(tables).Draw(rt, "table")
		edit := drawEdit(rt, db, table)
		err := edited(rt, dir, work, key.Public, heads, edit...)
		if !errors.Is(err, state.ErrTampered) {
			rt.Fatalf("%q: the audit says %v", edit, err)
		}
	})
}

func drawEdit(t *rapid.T, db *sql.DB, table string) []string {
	var keyed = map[string]string{"ledger_leaves": "factory || '/' || n", "ledger_texts": "factory || '/' || n", "ledger_heads": "factory || '/' || size",
		"transitions": "id", "outbox": "seq", "site_versions": "version", "sites": "factory"}[table]
	if keyed == "" {
		keyed = "id"
	}
	rows := strs(t, db, `SELECT `+keyed+` FROM `+table+` ORDER BY 1`)
	row := rapid.SampledFrom(rows).Draw(t, "row")
	where := fmt.Sprintf(` WHERE %s = '%s'`, keyed, row)
	if keyed == "id" || keyed == "seq" || keyed == "version" {
		where = fmt.Sprintf(` WHERE CAST(%s AS TEXT) = '%s'`, keyed, row)
	}
	what := rapid.SampledFrom([]string{"change", "change", "remove", "swap"}).Draw(t, "what")
	if table == "ledger_heads" {
		what = "change" // who removes a kept head hides nothing from those who hold it too
	}
	if what == "remove" {
		return []string{`PRAGMA foreign_keys = 0`, `DELETE FROM ` + table + where}
	}
	var held []string
	for _, c := range strs(t, db, `SELECT name FROM pragma_table_info('`+table+`') ORDER BY 1`) {
		if !strings.Contains(" "+strings.Join(inner[table], " ")+" ", " "+c+" ") {
			held = append(held, c)
		}
	}
	column := rapid.SampledFrom(held).Draw(t, "column")
	if what == "swap" && len(rows) > 1 {
		other := rapid.SampledFrom(rows).Filter(func(r string) bool { return r != row }).Draw(t, "other")
		pick := map[string]string{"ledger_leaves": "leaf", "ledger_texts": "open", "sites": "office", "site_versions": "doc",
			"transitions": "point", "outbox": "ref", "resets": "point"}[table]
		if pick == "" {
			pick = "doc"
		}
		differs := strs(t, db, fmt.Sprintf(`SELECT DISTINCT ifnull(%s, '') FROM %s WHERE %s IN ('%s', '%s') OR CAST(%s AS TEXT) IN ('%s', '%s')`,
			pick, table, keyed, row, other, keyed, row, other))
		if len(differs) == 2 {
			get := func(r string) string {
				return fmt.Sprintf(`(SELECT %s FROM kept WHERE CAST(k AS TEXT) = '%s')`, pick, r)
			}
			set := func(r, from string) string {
				return fmt.Sprintf(`UPDATE %s SET %s = %s WHERE CAST(%s AS TEXT) = '%s'`, table, pick, get(from), keyed, r)
			}
			return []string{fmt.Sprintf(`CREATE TABLE kept AS SELECT %s AS k, %s FROM %s`, keyed, pick, table), set(row, other), set(other, row), `DROP TABLE kept`}
		}
	}
	return []string{fmt.Sprintf(`UPDATE %s SET %s = CASE typeof(%s) WHEN 'integer' THEN %s + 1000003 WHEN 'blob' THEN zeroblob(length(%s))
		WHEN 'null' THEN %s ELSE %s || 'x' END%s`, table, column, column, column, column, other(column), column, where)}
}

// other is a value for a column that is NULL.
func other(column string) string {
	if column == "salt" {
		return `x'00'`
	}
	if column == "full" {
		return `'x'`
	}
	return `7`
}

func strs(t *rapid.T, db *sql.DB, text string) (all []string) {
	rows, err := db.Query(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		all = append(all, s)
	}
	return all
}

// Whoever removes the newest leaves with their rows and every head over them
// leaves a whole, smaller history: only a head that somebody else holds tells.
func TestACutTailIsFoundByTheOtherPartysHead(t *testing.T) {
	dir, key, heads := story(t)
	cut := []string{
		`DELETE FROM ledger_heads`,
		`CREATE TABLE last AS SELECT factory, ref AS id FROM ledger_leaves WHERE n = (SELECT max(n) FROM ledger_leaves) AND factory = 'padma'`,
		`DELETE FROM notices WHERE id IN (SELECT id FROM last)`,
		`DELETE FROM ledger_texts WHERE factory = 'padma' AND n IN (SELECT n FROM ledger_leaves WHERE kind = 'notice' AND ref IN (SELECT id FROM last))`,
		`DELETE FROM ledger_leaves WHERE factory = 'padma' AND kind = 'notice' AND ref IN (SELECT id FROM last)`,
		`DROP TABLE last`,
	}
	err := edited(t, dir, t.TempDir(), key.Public, heads, cut...)
	if !errors.Is(err, state.ErrTampered) {
		t.Errorf("with the other party's head: %v", err)
	}
	whole := []string{
		`DELETE FROM ledger_heads`, `DELETE FROM ledger_texts WHERE factory = 'padma'`, `DELETE FROM ledger_leaves WHERE factory = 'padma'`,
		`DELETE FROM transitions WHERE factory = 'padma'`, `DELETE FROM alerts WHERE factory = 'padma'`, `DELETE FROM incidents WHERE factory = 'padma'`,
		`DELETE FROM signals WHERE factory = 'padma'`, `DELETE FROM notices WHERE factory = 'padma'`, `DELETE FROM outbox WHERE factory = 'padma'`,
		`DELETE FROM resets WHERE factory = 'padma'`, `DELETE FROM sites WHERE factory = 'padma'`, `DELETE FROM site_versions WHERE factory = 'padma'`,
	}
	if err := edited(t, dir, t.TempDir(), key.Public, nil, whole...); err != nil {
		t.Errorf("alone the cut history is whole, and the audit says %v", err)
	}
	if err := edited(t, dir, t.TempDir(), key.Public, heads, whole...); !errors.Is(err, state.ErrTampered) {
		t.Errorf("with the other party's head: %v", err)
	}
}

// Erased texts cannot be had again, and the tree verifies as before.
func TestAnErasedTextIsGone(t *testing.T) {
	dir, key, heads := story(t)
	d := open(t, dir)
	must(t, d.Erase(t.Context(), "padma", "notice", "padma-1", "owner", "retention"))
	found, err := d.Audit(t.Context(), key.Public, heads)
	must(t, err)
	if found[1].Erased != 2 {
		t.Errorf("audit %+v", found)
	}
	if err := d.Erase(t.Context(), "padma", "notice", "padma-1", "owner", "again"); !errors.Is(err, safety.ErrNotFound) {
		t.Errorf("erased twice: %v", err)
	}
	quiet := `UPDATE ledger_texts SET full = NULL, salt = NULL WHERE factory = 'padma' AND full IS NOT NULL`
	if err := edited(t, dir, t.TempDir(), key.Public, heads, quiet); !errors.Is(err, state.ErrTampered) {
		t.Errorf("erased without a word: %v", err)
	}
}

// No name or telephone stands in a leaf or in what anyone may read.
func TestLeavesNameNobody(t *testing.T) {
	dir, _, _ := story(t)
	open(t, dir)
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "state.db")+"?mode=ro")
	must(t, err)
	defer db.Close()
	var named, whole int
	must(t, db.QueryRow(`SELECT count(*) FROM ledger_leaves JOIN ledger_texts USING (factory, n)
		WHERE leaf || open LIKE '%Rahima%' OR leaf || open LIKE '%karim%' OR leaf || open LIKE '%01700%'`).Scan(&named))
	must(t, db.QueryRow(`SELECT count(*) FROM ledger_texts WHERE full LIKE '%Rahima%' AND length(salt) = 16`).Scan(&whole))
	if named != 0 || whole == 0 {
		t.Errorf("%d leaves name somebody; %d whole texts with a salt", named, whole)
	}
}

// A state from before the ledger gets leaves for what it holds, once.
func TestAnOlderStateIsAdopted(t *testing.T) {
	dir, key, _ := story(t)
	work := t.TempDir()
	err := edited(t, dir, work, key.Public, nil, `DROP TABLE ledger_leaves`, `DROP TABLE ledger_texts`, `DROP TABLE ledger_heads`,
		`DELETE FROM migrations WHERE number = 301`)
	must(t, err)
	d, err := state.Open(t.Context(), work)
	must(t, err)
	happen(t, d, "padma", 101)
	found, err := d.Audit(t.Context(), key.Public, nil)
	must(t, err)
	if len(found) != 2 || found[1].Rows < 30 {
		t.Errorf("audit %+v", found)
	}
	must(t, d.Close())
	forged := `INSERT INTO resets (factory, point, by, at) VALUES ('padma', 'p', 'nobody', 1); INSERT INTO meta VALUES ('ledger', 'again')`
	if err := edited(t, work, t.TempDir(), key.Public, nil, forged); !errors.Is(err, state.ErrTampered) {
		t.Errorf("a forged row was adopted later: %v", err)
	}
}

// Every head grew from every earlier one.
func TestGrowthIsProved(t *testing.T) {
	d := open(t, t.TempDir())
	var heads []tree.Head
	for seq := uint64(1); seq < 20; seq++ {
		must(t, d.CommitBatch(t.Context(), state.Batch{Transitions: []safety.Transition{transition(seq)}}))
		head, err := d.Head(t.Context(), "padma")
		must(t, err)
		for _, old := range heads {
			proof, err := d.ProveGrowth(t.Context(), "padma", old.Size, head.Size)
			must(t, err)
			must(t, tlog.CheckTree(proof, head.Size, head.Root, old.Size, old.Root))
		}
		heads = append(heads, head)
	}
}
