package ingest

import (
	"strconv"
	"time"
)

// Marks are ingest's own, under factory "" among the engine states.
const (
	markTime    = "ingest/time"    // newest ingest time, unix ms
	markResets  = "ingest/resets"  // cursor of resets that were given to the engines
	markPermits = "ingest/permits" // and of acts about permits
)

// timeEvery is how often ingest time is made durable, at most.
const timeEvery = time.Minute

type marks struct {
	corrected  map[bootKey]bool // boots whose true anchor is on record
	saved      time.Time
	resets     int64
	resetsNew  bool
	permits    int64
	permitsNew bool
}

func (m *marks) correct(k bootKey) {
	if m.corrected == nil {
		m.corrected = map[bootKey]bool{}
	}
	m.corrected[k] = true
}

func (m *marks) restore(states map[string][]byte) {
	if ms, err := strconv.ParseInt(string(states[markTime]), 10, 64); err == nil {
		m.saved = time.UnixMilli(ms).UTC()
	}
	m.resets, _ = strconv.ParseInt(string(states[markResets]), 10, 64)
	m.permits, _ = strconv.ParseInt(string(states[markPermits]), 10, 64)
}

// changed returns what is to be made durable; ingest time only if it is believed.
func (m *marks) changed(now time.Time, believed bool) map[string][]byte {
	out := map[string][]byte{}
	if believed && now.Sub(m.saved) >= timeEvery {
		m.saved = now
		out[markTime] = strconv.AppendInt(nil, now.UnixMilli(), 10)
	}
	if m.resetsNew {
		m.resetsNew = false
		out[markResets] = strconv.AppendInt(nil, m.resets, 10)
	}
	if m.permitsNew {
		m.permitsNew = false
		out[markPermits] = strconv.AppendInt(nil, m.permits, 10)
	}
	return out
}
