package ingest

import (
	"maps"
	"strings"
	"time"

	"nirapod/safety"
)

// Faults that ingest itself finds. They are transitions like those of the
// rules; what they last said is kept beside the engine states, so that a
// restart neither loses nor repeats one.
const (
	faultOffline = "gateway-offline" // scope: gateway. No word for offlineAfter.
	faultRefused = "gateway-refused" // scope: gateway. Records were refused within refusedFor.
	faultBroker  = "broker-lost"     // scope: "". No connection to the broker for offlineAfter; gateways are unknown beneath.
	faultClock   = "server-clock"    // scope: "". The server's clock is in doubt; a person has to look.
	faultUnbound = "rules-unbound"   // scope: "". The rules do not fit the site: the server watches nothing new.
)

const (
	faultPack    = "ingest"
	faultVersion = "1" // of the meaning of the faults above
	faultPrefix  = "ingest/"
)

var faultClauses = map[string]string{
	faultOffline: "no word from the gateway for 60 s",
	faultRefused: "the server refuses records of the gateway",
	faultBroker:  "no connection to the message broker for 60 s",
	faultClock:   "the server's clock jumped by more than an hour, or disagrees by as much with its gateways",
	faultUnbound: "the server's rules do not fit the registered site and do not watch it; its gateways' own rules do",
}

type faultKey struct{ factory, rule, scope string }

type faults struct {
	states map[faultKey]safety.State
	unsent map[string]map[string][]byte // changed since the last seal
}

func newFaults() *faults { return &faults{states: map[faultKey]safety.State{}} }

func (k faultKey) mark() string { return faultPrefix + k.rule + "/" + k.scope }

// restore takes the engine states of a factory and leaves those of the rules.
func (f *faults) restore(factory string, saved map[string][]byte) (ofRules map[string][]byte) {
	ofRules = maps.Clone(saved)
	for mark, word := range saved {
		name, ours := strings.CutPrefix(mark, faultPrefix)
		if !ours {
			continue
		}
		delete(ofRules, mark)
		rule, scope, _ := strings.Cut(name, "/")
		if state, known := safety.ParseState(string(word)); known {
			f.states[faultKey{factory, rule, scope}] = state
		}
	}
	return ofRules
}

func (f *faults) is(k faultKey) safety.State {
	if state, known := f.states[k]; known {
		return state
	}
	return safety.Inactive
}

// set returns the transition to a new state, nothing if it is no change.
func (f *faults) set(k faultKey, to safety.State, at time.Time, values map[string]float64) []safety.Transition {
	from := f.is(k)
	if from == to {
		return nil
	}
	f.states[k] = to
	if f.unsent == nil {
		f.unsent = map[string]map[string][]byte{}
	}
	if f.unsent[k.factory] == nil {
		f.unsent[k.factory] = map[string][]byte{}
	}
	f.unsent[k.factory][k.mark()] = []byte(to.String())
	return []safety.Transition{{
		Factory: k.factory, Source: safety.ServerSource, Point: safety.PointID(k.factory, k.rule, k.scope),
		Pack: faultPack, Rule: k.rule, RuleVersion: faultVersion, Hazard: safety.HazardSystem,
		Class: safety.ClassFault, Severity: safety.Warning, Clause: faultClauses[k.rule],
		From: from, To: to, At: at.UTC().Truncate(time.Millisecond), Values: values,
	}}
}

func (f *faults) changed() map[string]map[string][]byte {
	out := f.unsent
	f.unsent = nil
	return out
}
