package desk

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"nirapod/safety"
)

func (d *Desk) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/signals", d.file("signal"))
	mux.HandleFunc("POST /v1/notices", d.file("notice"))
	mux.HandleFunc("GET /v1/queue", d.queue)
	mux.HandleFunc("GET /v1/filings/{id}", d.filing)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { reply(w, map[string]bool{"ok": true}) })
	return mux
}

// file takes one signal or notice. It answers after the filing is on the disk.
func (d *Desk) file(kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		sender, ok := authorize(d.senders, r)
		if !ok {
			w.Header().Set("WWW-Authenticate", "Bearer")
			problem(w, http.StatusUnauthorized, "a sender's bearer token is required")
			return
		}
		if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
			problem(w, http.StatusUnsupportedMediaType, "want application/json")
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if tooLarge, is := errors.AsType[*http.MaxBytesError](err); is {
			problem(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("at most %d bytes", tooLarge.Limit))
			return
		} else if err != nil {
			problem(w, http.StatusRequestTimeout, "the request did not arrive whole")
			return
		}
		receipt, err := d.take(r, kind, sender, body)
		if err != nil {
			d.fail(w, kind, sender.name, err)
			return
		}
		reply(w, receipt)
	}
}

func (d *Desk) take(r *http.Request, kind string, sender access, body []byte) (safety.Receipt, error) {
	e, err := readEntry(kind, body)
	if err != nil {
		return safety.Receipt{}, err
	}
	if len(sender.scope) > 0 && !slices.Contains(sender.scope, e.factory) {
		return safety.Receipt{}, fmt.Errorf("%s does not file for factory %s: %w", sender.name, e.factory, safety.ErrForbidden)
	}
	e.sender = sender.name
	receipt, err := d.ledger.keep(r.Context(), e, time.Now())
	if err != nil {
		return receipt, err
	}
	d.log.Info("received", "kind", kind, "id", e.filing.ID, "version", e.filing.Version, "sender", sender.name,
		"factory", e.factory, "incident_kind", e.incidentKind, "receipt", receipt.Number)
	return receipt, nil
}

// fail maps a kind of error to a status.
func (d *Desk) fail(w http.ResponseWriter, kind, sender string, err error) {
	switch {
	case errors.Is(err, safety.ErrInvalid):
		problem(w, http.StatusBadRequest, err.Error())
	case errors.Is(err, safety.ErrForbidden):
		problem(w, http.StatusForbidden, err.Error())
	case errors.Is(err, safety.ErrConflict):
		problem(w, http.StatusConflict, err.Error())
	case errors.Is(err, safety.ErrNotFound):
		problem(w, http.StatusNotFound, "no such filing")
	default:
		d.log.Error("filing not kept", "kind", kind, "sender", sender, "err", err)
		problem(w, http.StatusServiceUnavailable, "not kept; send it again")
	}
}

// authorize finds whose token the request carries. It looks at all of them, so
// that time does not tell which one was nearly right.
func authorize(all []access, r *http.Request) (found access, ok bool) {
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	sum := sha256.Sum256([]byte(token))
	for _, a := range all {
		if subtle.ConstantTimeCompare(sum[:], a.token[:]) == 1 && bearer {
			found, ok = a, true
		}
	}
	return found, ok
}

// queue lists what has arrived, newest first, for the officer's offices.
func (d *Desk) queue(w http.ResponseWriter, r *http.Request) {
	officer, ok := authorize(d.officers, r)
	if !ok {
		problem(w, http.StatusUnauthorized, "an officer's bearer token is required")
		return
	}
	var before int64
	if text := r.FormValue("cursor"); text != "" {
		var err error
		if before, err = strconv.ParseInt(text, 10, 64); err != nil || before < 1 {
			problem(w, http.StatusBadRequest, "cursor: take it from the last answer")
			return
		}
	}
	items, next, err := d.ledger.queue(r.Context(), officer.scope, before)
	if err != nil {
		d.fail(w, "queue", officer.name, err)
		return
	}
	reply(w, map[string]any{"items": items, "next": next})
}

// filing shows the newest version of one filing whole.
func (d *Desk) filing(w http.ResponseWriter, r *http.Request) {
	officer, ok := authorize(d.officers, r)
	if !ok {
		problem(w, http.StatusUnauthorized, "an officer's bearer token is required")
		return
	}
	doc, err := d.ledger.filing(r.Context(), officer.scope, r.PathValue("id"))
	if err != nil {
		d.fail(w, "filing", officer.name, err)
		return
	}
	reply(w, doc)
}

func reply(w http.ResponseWriter, v any) {
	send(w, http.StatusOK, "application/json", v)
}

func problem(w http.ResponseWriter, status int, detail string) {
	send(w, status, "application/problem+json", map[string]any{
		"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail,
	})
}

func send(w http.ResponseWriter, status int, media string, v any) {
	w.Header().Set("Content-Type", media)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the peer may have gone; there is nobody left to tell
}
