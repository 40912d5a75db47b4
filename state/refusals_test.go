package state

import (
	"database/sql"
	"testing"
)

func TestRefusalsAreBounded(t *testing.T) {
	d, err := Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	hostile := make([]Refusal, keptRefusals+500)
	for i := range hostile {
		hostile[i] = Refusal{Factory: "padma", Gateway: "gw-1", Reason: "malformed"}
	}
	batches := []Batch{
		{Refusals: []Refusal{{Factory: "padma", Gateway: "gw-2", Reason: "future"}}},
		{Refusals: hostile}, {Refusals: hostile},
	}
	for _, b := range batches {
		if err := d.CommitBatch(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	count := func(text string) (n int) {
		if err := d.reader.QueryRow(text).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := count(`SELECT count(*) FROM refusals WHERE gateway = 'gw-1'`); n != keptRefusals {
		t.Errorf("%d refusals kept, want %d", n, keptRefusals)
	}
	if n := count(`SELECT count(*) FROM refusals WHERE gateway = 'gw-2'`); n != 1 {
		t.Errorf("another gateway keeps %d refusals, want 1", n)
	}
	if n := count(`SELECT n FROM refusal_counts WHERE gateway = 'gw-1'`); n != 2*len(hostile) {
		t.Errorf("%d refusals counted, want %d", n, 2*len(hostile))
	}
}

func TestReadersCannotWrite(t *testing.T) {
	d, err := Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var rows *sql.Rows
	if rows, err = d.reader.Query(`UPDATE meta SET value = 'x' RETURNING value`); err == nil {
		for rows.Next() {
			t.Error("a reader's connection writes")
		}
		err = rows.Err()
		rows.Close()
	}
	if err == nil {
		t.Error("no error from a write through a reader's connection")
	}
}
