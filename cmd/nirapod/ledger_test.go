package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nirapod/alerts/ledger"
	"nirapod/safety"
	"nirapod/state"
)

func ledgerRun(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out, errOut bytes.Buffer
	err := run(t.Context(), append([]string{"ledger"}, args...), strings.NewReader(""), &out, &errOut)
	return out.String(), err
}

func TestLedgerVerifyNamesTheWrongRow(t *testing.T) {
	dir := t.TempDir()
	ctx := context.Background()
	db, err := state.Open(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	book, err := ledger.Open(db, dir)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	_, err = db.ImportSite(ctx, safety.Site{Factory: safety.Factory{ID: "padma"}}, at)
	err = errors.Join(err, db.CommitBatch(ctx, state.Batch{Transitions: []safety.Transition{
		{Factory: "padma", Source: "gw", Run: "aa", Seq: 1, Point: "p", Rule: "heat", To: safety.Firing, At: at},
	}}))
	_, note, signErr := book.Sign(ctx, "padma")
	if err := errors.Join(err, signErr, db.Close()); err != nil {
		t.Fatal(err)
	}
	head := filepath.Join(t.TempDir(), "head.txt")
	if err := os.WriteFile(head, note, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := ledgerRun(t, "verify", "-key", book.Public(), "-head", head, dir)
	if err != nil || !strings.Contains(out, "padma: 3 leaves, 3 rows and 2 signed heads agree") {
		t.Errorf("%s, %v", out, err)
	}
	raw, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = raw.Exec(`UPDATE transitions SET to_state = 'inactive'`)
	if err := errors.Join(err, raw.Close()); err != nil {
		t.Fatal(err)
	}
	_, err = ledgerRun(t, "verify", dir)
	if err == nil || errors.Is(err, safety.ErrInvalid) || !strings.Contains(err.Error(), "transition 1 of padma") {
		t.Errorf("want exit 1 and the row's name: %v", err)
	}
	for _, wrong := range [][]string{{}, {"verify"}, {"verify", filepath.Join(dir, "none.zip")}, {"verify", "-head", "none", dir}} {
		if _, err := ledgerRun(t, wrong...); !errors.Is(err, safety.ErrInvalid) {
			t.Errorf("%q: want exit 2: %v", wrong, err)
		}
	}
}
