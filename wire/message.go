package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"nirapod/safety"
)

// MaxMessage bounds every payload but packs, births and Live, in bytes.
const MaxMessage = 16 << 10

// message is a payload other than a pack. Members that a reader does not know
// are ignored, as SenML ignores labels.
type message interface{ Validate() error }

func encodeJSON(m message, limit int) ([]byte, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	return marshal(m, limit)
}

func marshal(m any, limit int) ([]byte, error) {
	b, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, safety.ErrInvalid)
	}
	if len(b) > limit {
		return nil, invalid("%d bytes; send at most %d", len(b), limit)
	}
	return b, nil
}

func decodeJSON[M message](payload []byte, limit int) (M, error) {
	m, err := unmarshal[M](payload, limit)
	if err == nil {
		err = m.Validate()
	}
	if err != nil {
		var zero M
		return zero, err
	}
	return m, nil
}

func unmarshal[M any](payload []byte, limit int) (M, error) {
	var m, zero M
	if len(payload) > limit {
		return zero, invalid("%d bytes; send at most %d", len(payload), limit)
	}
	dec := json.NewDecoder(bytes.NewReader(payload))
	if err := dec.Decode(&m); err != nil {
		return zero, fmt.Errorf("want one JSON object: %w: %w", err, safety.ErrInvalid)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return zero, invalid("nothing may follow the JSON object")
	}
	return m, nil
}

// checkTime holds times in messages to what packs can carry too.
func checkTime(what string, t time.Time) error {
	if !wireTime(t) {
		return invalid("%s: want an absolute time in whole milliseconds", what)
	}
	if _, offset := t.Zone(); offset != 0 {
		return invalid("%s: want UTC, written with Z", what)
	}
	return nil
}

func checkMono(mono int64) error {
	if mono < 0 || mono > maxSeq {
		return invalid("mono %d: want milliseconds from 0 to %d", mono, int64(maxSeq))
	}
	return nil
}
