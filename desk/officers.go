package desk

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"nirapod/safety"
)

const maxName = 100 // characters of an officer's name

// read lets an officers' program in. It may narrow its offices to one, and one
// that serves officers of many offices has to.
func (d *Desk) read(answer func(http.ResponseWriter, *http.Request, access) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		asker, ok := authorize(d.officers, r)
		if !ok {
			w.Header().Set("WWW-Authenticate", "Bearer")
			problem(w, http.StatusUnauthorized, "an officer's bearer token is required")
			return
		}
		switch office := r.URL.Query().Get("office"); {
		case office == "" && asker.one:
			problem(w, http.StatusBadRequest, "office: name the one that you read for")
			return
		case office != "" && len(asker.scope) > 0 && !slices.Contains(asker.scope, office):
			problem(w, http.StatusForbidden, "office: not one of yours")
			return
		case office != "":
			asker.scope = scope{office}
		}
		if err := answer(w, r, asker); err != nil {
			d.fail(w, r.URL.Path, asker.name, err)
		}
	}
}

// cases lists what officers have to look at, what presses most first.
func (d *Desk) cases(w http.ResponseWriter, r *http.Request, asker access) error {
	after, err := position(r, "cursor")
	if err != nil {
		return err
	}
	items, next, err := d.ledger.cases(r.Context(), asker.scope, after, time.Now())
	if err != nil {
		return err
	}
	reply(w, map[string]any{"items": items, "next": next})
	return nil
}

// oneCase shows a case with its filings whole.
func (d *Desk) oneCase(w http.ResponseWriter, r *http.Request, asker access) error {
	exercise, err := which(r)
	if err != nil {
		return err
	}
	c, _, err := find(r.Context(), d.ledger.reader, asker.scope, r.PathValue("incident"), exercise)
	if err != nil {
		return err
	}
	papers, err := d.ledger.papers(r.Context(), c.Case)
	if err != nil {
		return err
	}
	reply(w, map[string]any{"case": c.Case, "filings": papers})
	return nil
}

// look takes that an officer has looked at a case. It answers after that is on
// the disk, with the case and who looked first.
func (d *Desk) look(w http.ResponseWriter, r *http.Request, asker access) error {
	var in struct {
		Officer string `json:"officer"`
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, 4<<10)).Decode(&in); err != nil {
		return fmt.Errorf("want {\"officer\": name} as JSON: %w: %w", err, safety.ErrInvalid)
	}
	name := strings.TrimSpace(in.Officer)
	if name == "" || utf8.RuneCountInString(name) > maxName || strings.ContainsFunc(name, unicode.IsControl) {
		return fmt.Errorf("officer: a name of 1 to %d characters: %w", maxName, safety.ErrInvalid)
	}
	exercise, err := which(r)
	if err != nil {
		return err
	}
	c, err := d.ledger.look(r.Context(), asker, r.PathValue("incident"), exercise, name, time.Now())
	if err != nil {
		return err
	}
	d.log.Info("seen", "incident", c.IncidentID, "exercise", c.Exercise, "officer", name, "first", c.SeenBy, "program", asker.name)
	reply(w, c)
	return nil
}

// queue lists what has arrived, newest first, for the officer's offices.
func (d *Desk) queue(w http.ResponseWriter, r *http.Request, asker access) error {
	before, err := position(r, "cursor")
	if err != nil {
		return err
	}
	items, next, err := d.ledger.queue(r.Context(), asker.scope, before)
	if err != nil {
		return err
	}
	reply(w, map[string]any{"items": items, "next": next})
	return nil
}

// filing shows the newest version of one filing whole.
func (d *Desk) filing(w http.ResponseWriter, r *http.Request, asker access) error {
	doc, err := d.ledger.filing(r.Context(), asker.scope, r.PathValue("id"))
	if err != nil {
		return err
	}
	reply(w, doc)
	return nil
}

// seen tells a sender which of its filings officers have looked at.
func (d *Desk) seen(w http.ResponseWriter, r *http.Request) {
	sender, ok := authorize(d.senders, r)
	if !ok {
		w.Header().Set("WWW-Authenticate", "Bearer")
		problem(w, http.StatusUnauthorized, "a sender's bearer token is required")
		return
	}
	after, err := position(r, "after")
	if err != nil {
		d.fail(w, r.URL.Path, sender.name, err)
		return
	}
	items, upto, err := d.ledger.seen(r.Context(), sender.name, after)
	if err != nil {
		d.fail(w, r.URL.Path, sender.name, err)
		return
	}
	reply(w, map[string]any{"items": items, "after": upto})
}

// position reads where a list goes on, 0 at its beginning.
func position(r *http.Request, name string) (int64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return 0, nil
	}
	at, err := strconv.ParseInt(text, 10, 64)
	if err != nil || at < 0 {
		return 0, fmt.Errorf("%s: take it from the last answer: %w", name, safety.ErrInvalid)
	}
	return at, nil
}

// which reads whether the real case or the exercise is meant; nil: not said.
func which(r *http.Request) (*bool, error) {
	text := r.URL.Query().Get("exercise")
	if text == "" {
		return nil, nil
	}
	exercise, err := strconv.ParseBool(text)
	if err != nil {
		return nil, fmt.Errorf("exercise: want true or false: %w", safety.ErrInvalid)
	}
	return &exercise, nil
}
