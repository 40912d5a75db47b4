package ledger_test

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"nirapod/alerts/ledger"
	"nirapod/internal/tree"
	"nirapod/safety"
	"nirapod/state"
	"nirapod/store"
	"nirapod/store/tsdbstore"
)

var noon = time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)

var (
	committee = state.User{Name: "rahima", Role: state.Committee, Factory: "padma"}
	officer   = state.User{Name: "karim", Role: state.Officer, Office: "gazipur"}
	elsewhere = state.User{Name: "jamal", Role: state.Officer, Office: "dhaka"}
)

// world is a state and a series store in which one factory burnt.
type world struct {
	t      *testing.T
	db     *state.DB
	series store.Store
	ledger *ledger.Ledger
}

func burnt(t *testing.T) world {
	t.Helper()
	ctx, dir := t.Context(), t.TempDir()
	db, err := state.Open(ctx, dir)
	check(t, err)
	series, err := tsdbstore.Open(t.TempDir(), tsdbstore.Options{}, slog.New(slog.DiscardHandler))
	check(t, err)
	t.Cleanup(func() { check(t, errors.Join(series.Close(), db.Close())) })
	l, err := ledger.Open(db, dir)
	check(t, err)
	for _, factory := range []string{"padma", "meghna"} {
		_, err = db.ImportSite(ctx, safety.Site{
			Factory: safety.Factory{
				ID: factory, Office: safety.Fact{Value: map[string]string{"padma": "gazipur", "meghna": "dhaka"}[factory]},
				Contacts: []safety.Contact{{Name: "Mr Owner", Phone: "01711"}},
			},
			Sensors: []safety.Sensor{{ID: "heat", Zone: "store"}, {ID: "far", Zone: "roof"}},
		}, noon)
		check(t, err)
		check(t, db.NoteNew(ctx, factory, tree.KindRules, "v1", []byte(`{"rules":"temperature > 60"}`)))
		at := noon.Add(time.Minute)
		check(t, db.CommitBatch(ctx, state.Batch{Transitions: []safety.Transition{
			{Factory: factory, Source: "gw", Run: "aa", Seq: 1, Point: "p-" + factory, Rule: "heat", From: safety.Inactive, To: safety.Firing, At: at, Values: map[string]float64{"value": 71}},
			{Factory: factory, Source: "gw", Run: "aa", Seq: 2, Point: "other", Rule: "noise", From: safety.Inactive, To: safety.Firing, At: at},
		}}))
		notice := safety.Notice{ID: "n-" + factory, IncidentID: "i-" + factory, FactoryID: factory, Kind: "immediate", Status: safety.NoticeDraft}
		notice.Body.Contacts = []safety.Contact{{Name: "Mr Owner", Phone: "01711"}}
		check(t, db.Book(ctx, func(b *state.Book) error {
			return errors.Join(
				b.SaveIncident(ctx, state.Incident{Incident: safety.Incident{ID: "i-" + factory, FactoryID: factory, Kind: "fire", State: "open", Zones: []string{"store"}, OccurredAt: at, OpenedAt: at}}),
				b.SaveAlert(ctx, state.Alert{Alert: safety.Alert{
					ID: "a-" + factory, Point: "p-" + factory, FactoryID: factory, IncidentID: "i-" + factory, State: safety.Acknowledged, OccurredAt: at, AcknowledgedBy: "rahima",
				}}),
				b.SaveNotice(ctx, notice),
				b.Enqueue(ctx, state.Item{Key: "notice/n-" + factory, Dest: "desk", Factory: factory, Kind: "notice", Ref: "n-" + factory, Body: []byte(`{"name":"Mr Owner"}`)}))
		}))
		notice.Status = safety.NoticePrepared
		check(t, db.Book(ctx, func(b *state.Book) error { return b.SaveNotice(ctx, notice) }))
		samples := []store.Sample{}
		for i, sensor := range []string{"heat", "far"} {
			samples = append(samples, store.Sample{Factory: factory, Gateway: "gw", Quantity: safety.Temperature, Reading: safety.Reading{
				Sensor: sensor, At: at, Value: 71 + float64(i), Quality: safety.Good, Flags: safety.Simulated,
			}})
		}
		check(t, series.Append(ctx, samples))
	}
	return world{t, db, series, l}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// take takes evidence as a user.
func (w world) take(user state.User, full bool, purpose string) ([]byte, error) {
	w.t.Helper()
	var out bytes.Buffer
	err := w.ledger.Evidence(w.t.Context(), &out, w.series, ledger.Request{
		User: user, Incident: "i-padma", Full: full, Purpose: purpose, At: time.Now().Add(time.Minute),
	})
	return out.Bytes(), err
}

// unpack reads an archive into files.
func unpack(t *testing.T, data []byte) fstest.MapFS {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	check(t, err)
	files := fstest.MapFS{}
	for _, f := range z.File {
		r, err := f.Open()
		check(t, err)
		text, err := io.ReadAll(r)
		check(t, errors.Join(err, r.Close()))
		files[f.Name] = &fstest.MapFile{Data: text}
	}
	return files
}

func TestEvidenceIsWhatHappenedAndNoName(t *testing.T) {
	w := burnt(t)
	data, err := w.take(committee, false, "")
	check(t, err)
	files := unpack(t, data)
	r, err := ledger.Verify(files, w.ledger.Public())
	check(t, err)
	text := string(files["ledger.jsonl"].Data)
	for _, want := range []string{`\"kind\":\"transition\"`, `temperature > 60`, `\"ref\":\"n-padma\"`, `\"kind\":\"message\"`, `\"kind\":\"site\"`, `\"kind\":\"incident\"`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	if n := strings.Count(text, `\"ref\":\"n-padma\"`); n < 2 {
		t.Errorf("%d versions of the notice", n)
	}
	for _, leak := range []string{"Mr Owner", "01711", "rahima", "meghna", "noise"} {
		for name, f := range files {
			if strings.Contains(string(f.Data), leak) {
				t.Errorf("%s says %q", name, leak)
			}
		}
	}
	rows, err := csv.NewReader(bytes.NewReader(files["readings.csv"].Data)).ReadAll()
	check(t, err)
	if len(rows) != 2 || strings.Join(rows[1], ",") != "2026-11-22T06:01:00.000Z,gw,heat,temperature,71,good,,true,false" {
		t.Errorf("readings %q", rows)
	}
	if r.Leaves < 8 || r.Full != 0 || r.OwnKey || r.Readings != 1 || r.Head.Factory != "padma" {
		t.Errorf("report %+v", r)
	}
}

func TestTheFullCopyIsForTheOfficeInChargeAndOnRecord(t *testing.T) {
	w := burnt(t)
	if _, err := w.take(committee, true, "curiosity"); !errors.Is(err, safety.ErrForbidden) {
		t.Errorf("a committee took it: %v", err)
	}
	if _, err := w.take(elsewhere, true, "curiosity"); !errors.Is(err, safety.ErrNotFound) {
		t.Errorf("another office took it: %v", err)
	}
	if _, err := w.take(officer, true, " "); !errors.Is(err, safety.ErrInvalid) {
		t.Errorf("without a purpose: %v", err)
	}
	data, err := w.take(officer, true, "inquest of 2 December")
	check(t, err)
	files := unpack(t, data)
	r, err := ledger.Verify(files, "")
	check(t, err)
	if r.Full == 0 || !r.OwnKey || !strings.Contains(string(files["ledger.jsonl"].Data), "Mr Owner") {
		t.Errorf("report %+v", r)
	}
	if again := unpack(t, must(w.take(officer, true, "again"))); !strings.Contains(string(again["ledger.jsonl"].Data), "inquest of 2 December") {
		t.Error("who took the whole evidence, and why, is not on record")
	}
	if open := unpack(t, must(w.take(committee, false, ""))); strings.Contains(string(open["ledger.jsonl"].Data), "inquest") ||
		!strings.Contains(string(open["ledger.jsonl"].Data), `\"kind\":\"evidence\"`) {
		t.Error("the committee sees what for, or not that it was taken")
	}
}

func must(data []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return data
}

// One bit changed in any file, at many places, is found; so are files taken out
// and put in.
func TestOneBitIsFound(t *testing.T) {
	w := burnt(t)
	files := unpack(t, must(w.take(officer, true, "inquest")))
	for name, f := range files {
		whole := f.Data
		step := max(len(whole)/60, 1)
		for i := 0; i < len(whole); i += step {
			f.Data = bytes.Clone(whole)
			f.Data[i] ^= 1 << (i % 8)
			if _, err := ledger.Verify(files, w.ledger.Public()); !errors.Is(err, state.ErrTampered) {
				t.Fatalf("%s, byte %d: %v", name, i, err)
			}
		}
		delete(files, name)
		if _, err := ledger.Verify(files, w.ledger.Public()); !errors.Is(err, state.ErrTampered) {
			t.Errorf("without %s: %v", name, err)
		}
		f.Data = whole
		files[name] = f
	}
	files["more.txt"] = &fstest.MapFile{Data: []byte("x")}
	if _, err := ledger.Verify(files, w.ledger.Public()); !errors.Is(err, state.ErrTampered) {
		t.Errorf("with one more file: %v", err)
	}
	delete(files, "more.txt")
	other, err := tree.LoadKey(t.TempDir())
	check(t, err)
	if _, err := ledger.Verify(files, other.Public); !errors.Is(err, state.ErrTampered) {
		t.Errorf("by another's key: %v", err)
	}
	_, err = ledger.Verify(files, w.ledger.Public())
	check(t, err)
}

// Whoever holds the key can sign another list of sums, and still cannot change
// a leaf: it is not in the tree that was signed before.
func TestALeafCannotBeResigned(t *testing.T) {
	w := burnt(t)
	files := unpack(t, must(w.take(committee, false, "")))
	text := files["ledger.jsonl"].Data
	files["ledger.jsonl"].Data = bytes.Replace(text, []byte(`\"value\":71`), []byte(`\"value\":17`), 1)
	if bytes.Equal(files["ledger.jsonl"].Data, text) {
		t.Fatalf("the value is not in %s", text)
	}
	var names []string
	for name := range files {
		if name != "manifest.txt" {
			names = append(names, name)
		}
	}
	check(t, w.ledger.Resign(files, names))
	_, err := ledger.Verify(files, w.ledger.Public())
	if !errors.Is(err, state.ErrTampered) || !strings.Contains(err.Error(), "ledger.jsonl line") {
		t.Errorf("got %v", err)
	}
}

func TestEvidenceAfterErasing(t *testing.T) {
	w := burnt(t)
	check(t, w.db.Erase(t.Context(), "padma", "notice", "n-padma", "owner", "retention"))
	files := unpack(t, must(w.take(officer, true, "inquest")))
	_, err := ledger.Verify(files, w.ledger.Public())
	check(t, err)
	if !strings.Contains(string(files["ledger.jsonl"].Data), `\"kind\":\"erased\"`) {
		t.Error("that it was erased is not in the evidence")
	}
}

func TestKeyIsTheOwnersOnly(t *testing.T) {
	dir := t.TempDir()
	key, err := tree.LoadKey(dir)
	check(t, err)
	again, err := tree.LoadKey(dir)
	check(t, err)
	info, err := os.Stat(filepath.Join(dir, "ledger.key"))
	check(t, err)
	if key.Public != again.Public || info.Mode().Perm() != 0o600 {
		t.Errorf("%s became %s, mode %o", key.Public, again.Public, info.Mode().Perm())
	}
	check(t, os.WriteFile(filepath.Join(dir, "ledger.key"), []byte("rubbish"), 0o600))
	if _, err := tree.LoadKey(dir); !errors.Is(err, safety.ErrInvalid) {
		t.Errorf("a broken key was taken or replaced: %v", err)
	}
}
