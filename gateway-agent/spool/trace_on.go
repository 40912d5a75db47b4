//go:build journal

package spool

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"

	"nirapod/safety"
	"nirapod/wire"
)

// JournalEnv names the environment variable that names the accepted journal.
const JournalEnv = "NIRAPOD_JOURNAL"

// JournalLine is one line (JSON) of the accepted journal, which only builds
// with the tag "journal" write, apart from the spool, so that a test can
// compare what was accepted with what the server holds. A record is accepted
// if it has an "ok", not accepted if it has a "no", and in doubt (the process
// was killed in between) if it has only a "try".
type JournalLine struct {
	Op         string             `json:"op"` // try | ok | no | gone
	Run        string             `json:"run"`
	Stream     wire.Stream        `json:"stream"`
	Seq        uint64             `json:"seq"`
	To         uint64             `json:"to,omitempty"`     // of gone: last number
	Reason     string             `json:"reason,omitempty"` // of gone, or of a reading that is not good
	Boot       string             `json:"boot,omitempty"`
	Mono       int64              `json:"mono,omitempty"`
	Wall       int64              `json:"wall,omitempty"` // Unix ms; absent when unsynced
	Sensor     string             `json:"sensor,omitempty"`
	Bits       string             `json:"bits,omitempty"` // of the value, hex; absent when bad
	Transition *safety.Transition `json:"transition,omitempty"`
}

type trace struct {
	run, boot string
	file      *os.File // nil: not asked for
}

func openTrace(run, boot string) (trace, error) {
	name := os.Getenv(JournalEnv)
	if name == "" {
		return trace{}, nil
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	return trace{run: run, boot: boot, file: f}, err
}

func (t trace) try(stream wire.Stream, first uint64, recs []Record) {
	t.records("try", stream, first, recs)
}
func (t trace) ok(stream wire.Stream, first uint64, recs []Record) {
	t.records("ok", stream, first, recs)
}
func (t trace) no(stream wire.Stream, first uint64, recs []Record) {
	t.records("no", stream, first, recs)
}

func (t trace) records(op string, stream wire.Stream, first uint64, recs []Record) {
	lines := make([]JournalLine, len(recs))
	for i, r := range recs {
		l := JournalLine{Op: op, Run: t.run, Boot: t.boot, Stream: stream, Seq: first + uint64(i), Mono: r.Mono,
			Sensor: r.Reading.Sensor, Reason: string(r.Reading.Reason), Transition: r.Transition}
		if !r.Wall.IsZero() {
			l.Wall = r.Wall.UnixMilli()
		}
		if r.Transition == nil && r.Reading.Quality != safety.Bad {
			l.Bits = fmt.Sprintf("%016x", math.Float64bits(r.Reading.Value))
		}
		lines[i] = l
	}
	t.write(lines)
}

func (t trace) gone(run string, stream wire.Stream, spans []Gone) {
	lines := make([]JournalLine, len(spans))
	for i, g := range spans {
		lines[i] = JournalLine{Op: "gone", Run: run, Stream: stream, Seq: g.Span.From, To: g.Span.To, Reason: g.Reason}
	}
	t.write(lines)
}

// write panics when it fails: a test with a broken journal proves nothing.
func (t trace) write(lines []JournalLine) {
	if t.file == nil || len(lines) == 0 {
		return
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for _, l := range lines {
		if err := enc.Encode(l); err != nil {
			panic(err)
		}
	}
	if _, err := t.file.Write(b.Bytes()); err != nil {
		panic(err)
	}
}

func (t trace) close() error {
	if t.file == nil {
		return nil
	}
	return t.file.Close()
}
