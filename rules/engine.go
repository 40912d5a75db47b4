package rules

import (
	"time"

	"nirapod/safety"
)

// Plant is what the rules are bound to: the part of the site that they read.
type Plant struct {
	Factory string
	Zones   []safety.Zone
	Sensors []safety.Sensor
}

// Engine evaluates rules over one plant. It is not safe for concurrent use:
// one goroutine owns it.
type Engine struct{}

// New binds packs to a plant. source is the gateway's id or
// safety.ServerSource; runs says which rules are taken. All mistakes are
// returned at once, as errors wrapping safety.ErrInvalid.
func New(packs []Pack, plant Plant, runs RunsOn, source string) (*Engine, error) {
	return &Engine{}, nil
}

// Observe evaluates the rules that read r's sensor and returns what changed,
// in order. r.At is when it was measured. A reading not newer than the
// sensor's newest evaluated one is history and is ignored; so is an unknown sensor.
func (e *Engine) Observe(r safety.Reading) []safety.Transition { return nil }

// Tick lets time pass up to now: holds expire and silent sensors go stale. A
// now that is earlier than the last one is ignored. On a server now must trail
// the wall clock by what packs take to arrive.
func (e *Engine) Tick(now time.Time) []safety.Transition { return nil }

// Snapshot returns the states that changed since the last call, by key.
func (e *Engine) Snapshot() map[string][]byte { return nil }

// SnapshotAll returns all states, by key.
func (e *Engine) SnapshotAll() map[string][]byte { return nil }

// Dropped is a saved state that Restore did not take.
type Dropped struct {
	Key    string
	Rule   string
	Scope  string       // sensor or zone id
	State  safety.State // what it was
	Reason string
}

// Restore takes states that Snapshot returned, before the first Observe and
// Tick. State is kept only where the meaning of the rule is unchanged.
func (e *Engine) Restore(saved map[string][]byte) []Dropped { return nil }

// Warm fills windows and last values after Restore, in time order per sensor,
// from Window before now on, without evaluating. A reading that the saved
// state has not seen is ignored: it has not been evaluated and is to come
// through Observe.
func (e *Engine) Warm(r safety.Reading) {}

// Window returns how far back Warm needs readings.
func (e *Engine) Window() time.Duration { return 0 }

// Reset is a person's reset of a latched point. It does nothing while the
// condition is not known to be gone.
func (e *Engine) Reset(point string, at time.Time) []safety.Transition { return nil }

// ClearFault is a person's word that a sensor's channel is sound again after
// an open wire or an out-of-range value (see docs/rules.md, quarantine).
func (e *Engine) ClearFault(sensor string, at time.Time) []safety.Transition { return nil }

// Version identifies the meaning of all bound rules.
func (e *Engine) Version() string { return "" }

// Unbound says, for people, which rules could not be bound where, and why.
func (e *Engine) Unbound() []string { return nil }
