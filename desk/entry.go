package desk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"nirapod/safety"
)

const (
	maxVersion = 1000
	kindSignal = "signal"
	kindNotice = "notice"
)

var (
	ulidForm   = regexp.MustCompile(`^[0-7][0-9A-HJKMNP-TV-Z]{25}$`)
	idForm     = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	officeForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)

	// What may be filed. An indicator, such as a crowd, is not for this door.
	notifiable = []string{"fire", "ignition", "explosion", "fumes", "water", "collapse", "injury", "death"}
)

// entry is a filing that has been read and checked.
type entry struct {
	filing       safety.Filing
	kind         string // signal | notice
	sender       string
	factory      string
	office       string
	incident     string
	incidentKind string
	demo         bool
	exercise     bool
}

// readEntry reads a filing: one JSON object. Members that this desk does not
// know are those of a newer sender, and no reason to refuse a fire. The error
// wraps safety.ErrInvalid.
func readEntry(kind string, body []byte) (entry, error) {
	e := entry{kind: kind}
	dec := json.NewDecoder(bytes.NewReader(body))
	if err := dec.Decode(&e.filing); err != nil {
		return e, fmt.Errorf("want one filing as JSON: %w: %w", err, safety.ErrInvalid)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return e, fmt.Errorf("nothing may follow the filing: %w", safety.ErrInvalid)
	}
	err := e.check()
	return e, err
}

// check takes what the desk files by from the signal or notice, and refuses
// what cannot be true of either.
func (e *entry) check() error {
	var inner, receipt string
	var status safety.NoticeStatus
	var occurred, created time.Time
	s, n := e.filing.Signal, e.filing.Notice
	switch {
	case e.kind == kindSignal && s != nil && n == nil:
		inner, status, receipt, occurred, created = s.ID, s.Status, s.ReceiptNumber, s.OccurredAt, s.CreatedAt
		e.factory, e.office, e.incident, e.incidentKind = s.FactoryID, s.Office, s.IncidentID, s.IncidentKind
		e.demo, e.exercise = s.Demo, s.Exercise || s.Demo
	case e.kind == kindNotice && n != nil && s == nil:
		inner, status, receipt, occurred, created = n.ID, n.Status, n.ReceiptNumber, n.OccurredAt, n.CreatedAt
		e.factory, e.office, e.incident, e.incidentKind = n.FactoryID, n.Body.Office, n.IncidentID, n.IncidentKind
		e.demo, e.exercise = n.Body.Demo, n.Exercise || n.Body.Demo
	default:
		return fmt.Errorf("want exactly one %s: %w", e.kind, safety.ErrInvalid)
	}
	problems := []string{}
	want := func(ok bool, problem string) {
		if !ok {
			problems = append(problems, problem)
		}
	}
	want(ulidForm.MatchString(e.filing.ID) && inner == e.filing.ID, "id: a ULID, the same outside and inside")
	want(ulidForm.MatchString(e.incident), "incident_id: a ULID")
	want(e.filing.Version >= 1 && e.filing.Version <= maxVersion, "version: from 1")
	want(idForm.MatchString(e.factory), "factory_id: a-z, 0-9 and -")
	want(slices.Contains(notifiable, e.incidentKind), "incident_kind: one that is notifiable")
	want(status == safety.NoticePrepared && receipt == "", "status: prepared, and no receipt yet")
	want(plausible(occurred) && plausible(created), "occurred_at, created_at: real times")
	if len(problems) > 0 {
		return fmt.Errorf("%s: %w", strings.Join(problems, "; "), safety.ErrInvalid)
	}
	return nil
}

// plausible refuses times that no clock shows. A sender's clock that is merely
// wrong is no reason to refuse a fire.
func plausible(t time.Time) bool { return t.Year() >= 2000 && t.Year() < 2200 }

// prefix begins the receipt number. Exercises are told apart by it, and no
// office may be called like one.
func (e entry) prefix() string {
	switch {
	case e.demo:
		return "DEMO"
	case e.exercise:
		return "EX"
	case !officeForm.MatchString(e.office) || e.office == "demo" || e.office == "ex" ||
		strings.HasPrefix(e.office, "demo-") || strings.HasPrefix(e.office, "ex-"):
		return "DIFE"
	}
	return strings.ToUpper(e.office)
}
