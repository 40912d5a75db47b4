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
	mux.HandleFunc("POST /v1/signals", d.file(kindSignal))
	mux.HandleFunc("POST /v1/notices", d.file(kindNotice))
	mux.HandleFunc("POST /v1/heads", d.takeHead)
	mux.HandleFunc("GET /v1/heads/{factory}", d.tellHead)
	mux.HandleFunc("GET /v1/heads", d.read(d.heads))
	mux.HandleFunc("GET /v1/seen", d.seen)
	mux.HandleFunc("GET /v1/queue", d.read(d.queue))
	mux.HandleFunc("GET /v1/filings/{id}", d.read(d.filing))
	mux.HandleFunc("GET /v1/cases", d.read(d.cases))
	mux.HandleFunc("GET /v1/cases/{incident}", d.read(d.oneCase))
	mux.HandleFunc("POST /v1/cases/{incident}/seen", d.read(d.look))
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
		_ = http.NewResponseController(w).Flush() // the peer may have gone
		crashPoint("desk-after-answer")
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
	crashPoint("desk-before-keep")
	receipt, err := d.ledger.keep(r.Context(), e, time.Now())
	if err != nil {
		return receipt, err
	}
	crashPoint("desk-after-commit")
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
		problem(w, http.StatusNotFound, "not found")
	default:
		d.log.Error("request failed", "kind", kind, "by", sender, "err", err)
		problem(w, http.StatusServiceUnavailable, "not done; send it again")
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

func reply(w http.ResponseWriter, v any) {
	send(w, http.StatusOK, "application/json", v)
}

func problem(w http.ResponseWriter, status int, detail string) {
	send(w, status, "application/problem+json", map[string]any{
		"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail,
	})
}

// send writes an answer whole, with its length, so that it is whole at the other
// side even if this process ends right after it.
func send(w http.ResponseWriter, status int, media string, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		status, media, text = http.StatusInternalServerError, "text/plain", []byte("the answer cannot be written")
	}
	w.Header().Set("Content-Type", media)
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(text) // the peer may have gone; there is nobody left to tell
}
