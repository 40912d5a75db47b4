package wire

import (
	"fmt"
	"time"

	"nirapod/safety"
)

// MaxLive bounds the readings of a Live; a publisher with more sends several.
const MaxLive = 1000

// Live is the newest reading of each sensor that had one since the last Live,
// at most once a second per factory. It is a view: losing one loses nothing.
type Live struct {
	At       time.Time // of publishing, UTC, whole ms
	Readings []LiveReading
}

// LiveReading is one reading, placed in time.
type LiveReading struct {
	Gateway string
	Reading safety.Reading
}

// liveJSON is a Live as it goes out: flat, so that it is written and read in
// one pass.
type liveJSON struct {
	At       time.Time     `json:"at"`
	Readings []readingJSON `json:"readings"`
}

type readingJSON struct {
	Gateway   string    `json:"gateway"`
	Sensor    string    `json:"sensor"`
	Value     *float64  `json:"value,omitempty"` // absent when bad
	Quality   string    `json:"quality"`         // good | uncertain | bad
	Reason    string    `json:"reason,omitempty"`
	Simulated bool      `json:"simulated,omitempty"`
	Drill     bool      `json:"drill,omitempty"`
	At        time.Time `json:"at"`
}

var qualityNames = [...]string{safety.Bad: "bad", safety.Uncertain: "uncertain", safety.Good: "good"}

// flat takes a valid Live.
func (l Live) flat() liveJSON {
	j := liveJSON{l.At, make([]readingJSON, len(l.Readings))}
	for i := range l.Readings {
		r := &l.Readings[i].Reading
		j.Readings[i] = readingJSON{l.Readings[i].Gateway, r.Sensor, nil, qualityNames[r.Quality], string(r.Reason),
			r.Flags&safety.Simulated != 0, r.Flags&safety.Drill != 0, r.At}
		if r.Quality != safety.Bad {
			j.Readings[i].Value = &r.Value
		}
	}
	return j
}

// live is the inverse of flat, not validated.
func (j liveJSON) live() (Live, error) {
	if len(j.Readings) > MaxLive {
		return Live{}, invalid("%d readings: send at most %d", len(j.Readings), MaxLive)
	}
	l := Live{j.At, make([]LiveReading, len(j.Readings))}
	for i := range j.Readings {
		r, err := j.Readings[i].reading()
		if err != nil {
			return Live{}, fmt.Errorf("reading %d: %w", i+1, err)
		}
		l.Readings[i] = LiveReading{j.Readings[i].Gateway, r}
	}
	return l, nil
}

func (j *readingJSON) reading() (safety.Reading, error) {
	r := safety.Reading{Sensor: j.Sensor, Reason: safety.Reason(j.Reason), Flags: flags(j.Simulated, j.Drill), At: j.At}
	found := false
	for q, name := range qualityNames {
		if name == j.Quality {
			r.Quality, found = safety.Quality(q), true
		}
	}
	if !found || (j.Value == nil) != (r.Quality == safety.Bad) {
		return r, invalid("sensor %.40q: want quality good, uncertain or bad, and a value unless bad", j.Sensor)
	}
	if j.Value != nil {
		r.Value = *j.Value
	}
	return r, nil
}

// Validate returns an error wrapping safety.ErrInvalid unless l can be sent.
func (l Live) Validate() error {
	if err := checkTime("at", l.At); err != nil {
		return err
	}
	if len(l.Readings) > MaxLive {
		return invalid("%d readings: send at most %d", len(l.Readings), MaxLive)
	}
	for i, r := range l.Readings {
		err := checkID("gateway", r.Gateway)
		if err == nil {
			err = validateReading(r.Reading)
		}
		if err == nil {
			err = checkTime("at", r.Reading.At)
		}
		if err != nil {
			return fmt.Errorf("reading %d: %w", i+1, err)
		}
	}
	return nil
}

// EncodeLive returns l as JSON, or an error wrapping safety.ErrInvalid.
func EncodeLive(l Live) ([]byte, error) {
	if err := l.Validate(); err != nil {
		return nil, err
	}
	return marshal(l.flat(), MaxPack)
}

// DecodeLive reads a Live; errors wrap safety.ErrInvalid.
func DecodeLive(payload []byte) (Live, error) {
	j, err := unmarshal[liveJSON](payload, MaxPack)
	if err != nil {
		return Live{}, err
	}
	l, err := j.live()
	if err == nil {
		err = l.Validate()
	}
	if err != nil {
		return Live{}, err
	}
	return l, nil
}

// What a Wake announces.
const (
	WakeTransitions = "transitions"
	WakeAlerts      = "alerts"
	WakeGateways    = "gateways"
)

// Wake tells the roles that poll the state to do so at once.
type Wake struct {
	Kind string `json:"kind"`
}

// Validate returns an error wrapping safety.ErrInvalid unless w can be sent.
func (w Wake) Validate() error {
	switch w.Kind {
	case WakeTransitions, WakeAlerts, WakeGateways:
		return nil
	}
	return invalid("kind %.40q: want %s, %s or %s", w.Kind, WakeTransitions, WakeAlerts, WakeGateways)
}

// EncodeWake returns w as JSON, or an error wrapping safety.ErrInvalid.
func EncodeWake(w Wake) ([]byte, error) { return encodeJSON(w, MaxMessage) }

// DecodeWake reads a Wake; errors wrap safety.ErrInvalid.
func DecodeWake(payload []byte) (Wake, error) { return decodeJSON[Wake](payload, MaxMessage) }
