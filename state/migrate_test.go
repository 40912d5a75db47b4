package state

import (
	"errors"
	"path/filepath"
	"testing"
	"testing/fstest"

	"nirapod/safety"
)

func bare(t *testing.T) *DB {
	t.Helper()
	d := &DB{}
	path := filepath.Join(t.TempDir(), "state.db")
	var err error
	if d.writer, err = connect(path, "immediate", 1); err != nil {
		t.Fatal(err)
	}
	if d.reader, err = connect(path, "deferred", 1); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestApply(t *testing.T) {
	one := migration{number: 101, name: "a", text: "CREATE TABLE a (x); INSERT INTO a VALUES (1)", sum: "1"}
	two := migration{number: 201, name: "b", text: "INSERT INTO a VALUES (2)", sum: "2"}
	between := migration{number: 102, name: "c", text: "INSERT INTO a VALUES (3)", sum: "3"}
	broken := migration{number: 202, name: "d", text: "INSERT INTO a VALUES (4); INSERT INTO nowhere VALUES (1)", sum: "4"}
	changed := migration{number: 101, name: "a", text: one.text, sum: "other"}

	d := bare(t)
	for _, step := range []struct {
		name  string
		steps []migration
		fails bool
		sum   int
	}{
		{"takes them in order", []migration{one, two}, false, 3},
		{"takes none twice", []migration{one, two}, false, 3},
		{"takes one whose number lies between", []migration{one, between, two}, false, 6},
		{"takes all of a step or nothing", []migration{one, between, two, broken}, true, 6},
		{"refuses a database that knows more", []migration{one, two}, true, 6},
		{"refuses a step that was changed", []migration{changed, between, two}, true, 6},
	} {
		t.Run(step.name, func(t *testing.T) {
			err := d.apply(t.Context(), step.steps)
			if (err != nil) != step.fails {
				t.Errorf("error %v", err)
			}
			var sum int
			if err := d.writer.QueryRow(`SELECT sum(x) FROM a`).Scan(&sum); err != nil || sum != step.sum {
				t.Errorf("sum %d, %v, want %d", sum, err, step.sum)
			}
		})
	}
	if err := d.apply(t.Context(), []migration{one}); !errors.Is(err, safety.ErrInvalid) {
		t.Errorf("%v does not wrap safety.ErrInvalid", err)
	}
}

func TestMigrationNames(t *testing.T) {
	for name, fsys := range map[string]fstest.MapFS{
		"no number": {"migrations/alerts.sql": {}},
		"too short": {"migrations/12_a.sql": {}},
		"twice":     {"migrations/0101_a.sql": {}, "migrations/0101_b.sql": {}},
	} {
		if _, err := migrations(fsys); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if steps, err := migrations(migrationFiles); err != nil || len(steps) < 3 {
		t.Errorf("%d embedded migrations, %v", len(steps), err)
	}
}
