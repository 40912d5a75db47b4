package ledger

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed" // what a reader is told
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"nirapod/internal/tree"
	"nirapod/safety"
	"nirapod/state"
	"nirapod/store"
)

// Files of an evidence archive.
const (
	fileReadme   = "README.txt"
	fileLedger   = "ledger.jsonl"
	fileReadings = "readings.csv"
	fileHead     = "head.txt"
	fileKey      = "key.txt"
	fileManifest = "manifest.txt"
)

const (
	around      = 30 * time.Minute // before an incident occurred and after its last alert ended
	maxReadings = 500_000
	maxPurpose  = 500 // bytes
	timeFormat  = "2006-01-02T15:04:05.000Z"
)

//go:embed README.txt
var readme []byte

// ErrTooLong reports an incident of more readings than an archive holds.
var ErrTooLong = fmt.Errorf("more than %d readings", maxReadings)

// line is one piece of evidence as a line of JSON. Texts are strings: their
// very bytes are what was hashed.
type line struct {
	Text  string           `json:"text"`
	Salt  string           `json:"salt,omitempty"` // base64
	Full  string           `json:"full,omitempty"`
	Leaf  string           `json:"leaf"`
	Proof tlog.RecordProof `json:"proof"`
}

// Request is who asks for an incident's evidence.
type Request struct {
	User     state.User
	Incident string
	// Full adds the texts that name people. The user is an officer of the office
	// in charge and says what for; both go into the ledger first.
	Full    bool
	Purpose string
	At      time.Time
}

// Evidence writes an incident's evidence, as the user may see it, to w. The
// error wraps safety.ErrForbidden where the whole is not for this user,
// safety.ErrInvalid where no purpose is given.
func (l *Ledger) Evidence(ctx context.Context, w io.Writer, series store.Store, r Request) error {
	view, now := l.db.As(state.Viewer{User: r.User}), r.At
	incident, err := view.Incident(ctx, r.Incident)
	if err != nil {
		return err
	}
	if r.Full {
		if err := l.noteTaken(ctx, incident, r); err != nil {
			return err
		}
	}
	from, to, err := span(ctx, view, incident, now)
	if err != nil {
		return err
	}
	head, note, err := l.Sign(ctx, incident.FactoryID)
	if err != nil {
		return err
	}
	pieces, err := view.Evidence(ctx, incident.ID, from, to, head.Size, r.Full)
	if err != nil {
		return err
	}
	rows, err := ledgerLines(pieces)
	if err != nil {
		return err
	}
	readings, err := readingsCSV(ctx, view, series, incident, from, to)
	if err != nil {
		return err
	}
	files := []file{
		{fileReadme, readme}, {fileLedger, rows}, {fileReadings, readings},
		{fileHead, note}, {fileKey, []byte(l.key.Public + "\n")},
	}
	return l.archive(w, files, now)
}

// noteTaken enters into the ledger who took the whole evidence, and what for.
func (l *Ledger) noteTaken(ctx context.Context, incident safety.Incident, r Request) error {
	if r.User.Role != state.Officer {
		return fmt.Errorf("the full evidence is for officers of the DIFE office in charge: %w", safety.ErrForbidden)
	}
	if strings.TrimSpace(r.Purpose) == "" || len(r.Purpose) > maxPurpose {
		return fmt.Errorf("purpose: say what the full evidence is for, in at most %d bytes: %w", maxPurpose, safety.ErrInvalid)
	}
	text, err := json.Marshal(map[string]any{
		"incident": incident.ID, "full": true, "at": r.At.UTC(), "office": r.User.Office, "role": r.User.Role,
		"by": r.User.Name, "purpose": r.Purpose,
	})
	if err != nil {
		return err
	}
	return l.db.Note(ctx, incident.FactoryID, tree.KindEvidence, incident.ID, text)
}

type file struct {
	name string
	data []byte
}

// archive writes files with a signed list of their sums.
func (l *Ledger) archive(w io.Writer, files []file, now time.Time) error {
	var list bytes.Buffer
	for _, f := range files {
		fmt.Fprintf(&list, "%x  %s\n", sha256.Sum256(f.data), f.name)
	}
	manifest, err := l.key.SignText(list.String())
	if err != nil {
		return err
	}
	z := zip.NewWriter(w)
	for _, f := range append(files, file{fileManifest, manifest}) {
		out, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: now})
		if err != nil {
			return err
		}
		if _, err := out.Write(f.data); err != nil {
			return err
		}
	}
	return z.Close()
}

// span is the time of an incident with what was around it.
func span(ctx context.Context, view *state.View, incident safety.Incident, now time.Time) (from, to time.Time, err error) {
	from, to = incident.OccurredAt, incident.OpenedAt
	for cursor := ""; ; {
		page, err := view.Alerts(ctx, state.AlertFilter{Incident: incident.ID}, cursor, 200)
		if err != nil {
			return from, to, err
		}
		for _, a := range page.Items {
			if a.OccurredAt.Before(from) {
				from = a.OccurredAt
			}
			if a.ClearedAt == nil {
				to = now
			} else if a.ClearedAt.After(to) {
				to = *a.ClearedAt
			}
		}
		if page.Next == nil {
			break
		}
		cursor = *page.Next
	}
	if to = to.Add(around); to.After(now) {
		to = now
	}
	return from.Add(-around), to, nil
}

func ledgerLines(pieces []state.Piece) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	for _, p := range pieces {
		err := enc.Encode(line{
			Text: string(p.Open), Salt: base64.StdEncoding.EncodeToString(p.Salt), Full: string(p.Full), Leaf: string(p.Leaf), Proof: p.Proof,
		})
		if err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// readingsCSV are the readings of the sensors in the zones of an incident.
func readingsCSV(ctx context.Context, view *state.View, series store.Store, incident safety.Incident, from, to time.Time) ([]byte, error) {
	site, err := view.Site(ctx, incident.FactoryID)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	table := csv.NewWriter(&out)
	err = table.Write([]string{"at", "gateway", "sensor", "quantity", "value", "quality", "reason", "simulated", "drill"})
	sensors := within(site, incident.Zones)
	if err != nil || len(sensors) == 0 {
		table.Flush()
		return out.Bytes(), errors.Join(err, table.Error())
	}
	n := 0
	q := store.Query{Factory: incident.FactoryID, Sensors: sensors, From: from, To: to}
	err = series.Query(ctx, q, func(s store.Sample) error {
		if n++; n > maxReadings {
			return ErrTooLong
		}
		return table.Write(reading(s))
	})
	table.Flush()
	return out.Bytes(), errors.Join(err, table.Error())
}

func within(site safety.Site, zones []string) (sensors []string) {
	in := map[string]bool{}
	for _, z := range zones {
		in[z] = true
	}
	for _, s := range site.Sensors {
		if in[s.Zone] {
			sensors = append(sensors, s.ID)
		}
	}
	return sensors
}

var qualities = [...]string{safety.Bad: "bad", safety.Uncertain: "uncertain", safety.Good: "good"}

func reading(s store.Sample) []string {
	value := ""
	if s.Quality != safety.Bad && !math.IsNaN(s.Value) {
		value = strconv.FormatFloat(s.Value, 'g', -1, 64)
	}
	return []string{
		s.At.UTC().Format(timeFormat), s.Gateway, s.Sensor, string(s.Quantity), value, qualities[s.Quality], string(s.Reason),
		strconv.FormatBool(s.Flags&safety.Simulated != 0), strconv.FormatBool(s.Flags&safety.Drill != 0),
	}
}
