package wire

import (
	"encoding/json"
	"fmt"
	"time"

	"nirapod/safety"
)

// MaxBirth bounds a Birth: bytes, sensors, anchors.
const (
	MaxBirth        = 256 << 10
	MaxBirthSensors = 2000
	MaxBirthAnchors = 64
)

// Birth is what a gateway says about itself on each connection, before
// anything else.
type Birth struct {
	Gateway string
	Run     string // 16 hex digits
	Boot    string // the kernel's boot id
	Version string // of the agent, for people
	Mono    int64  // ms of the boot's monotonic clock at sending
	Clock   ClockState
	At      time.Time // wall clock at sending, UTC, whole ms; zero if unsynced
	Anchors []Anchor
	Sensors []BirthSensor
	Flags   safety.Flags // simulated: the buses are; drill
	Rules   string       // fingerprint of the local rules, "" = none
}

// Anchor ties a boot's monotonic clock to wall time.
type Anchor struct {
	ID      string    `json:"id"`
	Boot    string    `json:"boot"`
	Mono    int64     `json:"mono"`     // ms
	Wall    time.Time `json:"wall"`     // at Mono, UTC, whole ms
	ErrorMS int64     `json:"error_ms"` // how far Wall may be off, ms
}

// BirthSensor is one sensor that the gateway samples.
type BirthSensor struct {
	ID       string          `json:"id"`
	Quantity safety.Quantity `json:"quantity"`
	PeriodMS int64           `json:"period_ms"` // 1 ms to 24 h
}

const maxPeriodMS = 24 * 60 * 60 * 1000

type birthJSON struct {
	Gateway   string        `json:"gateway"`
	Run       string        `json:"run"`
	Boot      string        `json:"boot"`
	Version   string        `json:"version"`
	Mono      int64         `json:"mono"`
	Clock     ClockState    `json:"clock"`
	At        time.Time     `json:"at,omitzero"`
	Anchors   []Anchor      `json:"anchors"`
	Sensors   []BirthSensor `json:"sensors"`
	Simulated bool          `json:"simulated"`
	Drill     bool          `json:"drill"`
	Rules     string        `json:"rules,omitempty"`
}

// MarshalJSON writes Flags as two booleans, and no null.
func (b Birth) MarshalJSON() ([]byte, error) {
	return json.Marshal(birthJSON{b.Gateway, b.Run, b.Boot, b.Version, b.Mono, b.Clock, b.At,
		append([]Anchor{}, b.Anchors...), append([]BirthSensor{}, b.Sensors...),
		b.Flags&safety.Simulated != 0, b.Flags&safety.Drill != 0, b.Rules})
}

// UnmarshalJSON is the inverse of MarshalJSON.
func (b *Birth) UnmarshalJSON(data []byte) error {
	var j birthJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	*b = Birth{j.Gateway, j.Run, j.Boot, j.Version, j.Mono, j.Clock, j.At, j.Anchors, j.Sensors, 0, j.Rules}
	b.Flags = flags(j.Simulated, j.Drill)
	if len(b.Anchors) == 0 {
		b.Anchors = nil
	}
	if len(b.Sensors) == 0 {
		b.Sensors = nil
	}
	return nil
}

func flags(simulated, drill bool) (f safety.Flags) {
	if simulated {
		f |= safety.Simulated
	}
	if drill {
		f |= safety.Drill
	}
	return f
}

// EncodeBirth returns b as JSON, or an error wrapping safety.ErrInvalid.
func EncodeBirth(b Birth) ([]byte, error) { return encodeJSON(b, MaxBirth) }

// DecodeBirth reads a birth that came on topic. It returns an error wrapping
// safety.ErrInvalid if it is not valid or not from the topic's gateway.
func DecodeBirth(topic Topic, payload []byte) (Birth, error) {
	b, err := decodeJSON[Birth](payload, MaxBirth)
	if err == nil && (topic.Kind != KindBirth || b.Gateway != topic.Gateway) {
		err = invalid("birth of gateway %q on topic %s", b.Gateway, topic)
	}
	if err != nil {
		return Birth{}, err
	}
	return b, nil
}

// Validate returns an error wrapping safety.ErrInvalid unless b can be sent.
func (b Birth) Validate() error {
	if err := checkID("gateway", b.Gateway); err != nil {
		return err
	}
	if err := checkRun(b.Run); err != nil {
		return err
	}
	if err := checkToken("boot", b.Boot); err != nil {
		return err
	}
	if err := checkText("version", b.Version); err != nil {
		return err
	}
	if err := checkText("rules", b.Rules); err != nil {
		return err
	}
	if err := checkMono(b.Mono); err != nil {
		return err
	}
	if err := b.validateClock(); err != nil {
		return err
	}
	if len(b.Sensors) > MaxBirthSensors || len(b.Anchors) > MaxBirthAnchors {
		return invalid("%d sensors, %d anchors: send at most %d and %d",
			len(b.Sensors), len(b.Anchors), MaxBirthSensors, MaxBirthAnchors)
	}
	for i, a := range b.Anchors {
		if err := a.Validate(); err != nil {
			return fmt.Errorf("anchor %d: %w", i+1, err)
		}
	}
	return b.validateSensors()
}

func (b Birth) validateClock() error {
	switch {
	case b.Clock == Synced:
		return checkTime("at", b.At)
	case b.Clock == Unsynced && !b.At.IsZero():
		return invalid("clock is unsynced and at is given; leave it out")
	}
	return b.Clock.validate()
}

func (b Birth) validateSensors() error {
	seen := make(map[string]bool, len(b.Sensors))
	for i, s := range b.Sensors {
		if err := checkID("sensor", s.ID); err != nil {
			return fmt.Errorf("sensor %d: %w", i+1, err)
		}
		if seen[s.ID] {
			return invalid("sensor %d: %s stands twice", i+1, s.ID)
		}
		seen[s.ID] = true
		if err := s.Quantity.Validate(); err != nil {
			return fmt.Errorf("sensor %s: %w", s.ID, err)
		}
		if s.PeriodMS < 1 || s.PeriodMS > maxPeriodMS {
			return invalid("sensor %s: period_ms %d: want 1 to %d", s.ID, s.PeriodMS, maxPeriodMS)
		}
	}
	return nil
}

// Validate returns an error wrapping safety.ErrInvalid unless a can be sent.
func (a Anchor) Validate() error {
	if err := checkToken("id", a.ID); err != nil {
		return err
	}
	if err := checkToken("boot", a.Boot); err != nil {
		return err
	}
	if err := checkMono(a.Mono); err != nil {
		return err
	}
	if err := checkTime("wall", a.Wall); err != nil {
		return err
	}
	if a.ErrorMS < 0 || a.ErrorMS > maxPeriodMS {
		return invalid("error_ms %d: want 0 to %d", a.ErrorMS, maxPeriodMS)
	}
	return nil
}
