package safety

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// State is the state of a rule's condition. The zero value is Unknown, so that
// a forgotten field never looks quiet.
type State uint8

// The states of a condition.
const (
	Unknown State = iota
	Inactive
	Pending
	Firing
)

var stateNames = [...]string{"unknown", "inactive", "pending", "firing"}

func (s State) String() string { return stateNames[s] }

// ParseState is the inverse of State.String. An unknown word is Unknown, false.
func ParseState(word string) (State, bool) {
	for i, name := range stateNames {
		if name == word {
			return State(i), true
		}
	}
	return Unknown, false
}

// Class puts an alert in one of the four lists that never displace each other.
type Class string

// The classes.
const (
	ClassAlarm     Class = "alarm"
	ClassFault     Class = "fault"
	ClassIsolation Class = "isolation"
	ClassInfo      Class = "info"
)

// Severity orders what a transition asks of people.
type Severity string

// The severities, mildest first.
const (
	Info     Severity = "info"
	Warning  Severity = "warning"
	PreAlarm Severity = "prealarm"
	Alarm    Severity = "alarm"
	Evacuate Severity = "evacuate"
)

// Rank orders severities from 1 (info) to 5 (evacuate); 0 is not a severity.
func (s Severity) Rank() int {
	for i, known := range [...]Severity{Info, Warning, PreAlarm, Alarm, Evacuate} {
		if s == known {
			return i + 1
		}
	}
	return 0
}

// Hazard groups rules by what they mean for people. It chooses the pictogram,
// the words and the kind of notice.
type Hazard string

// The hazards.
const (
	HazardFire   Hazard = "fire"
	HazardGas    Hazard = "gas"
	HazardCrowd  Hazard = "crowd"
	HazardHeat   Hazard = "heat"  // of work, not of fire
	HazardNoise  Hazard = "noise" //
	HazardExit   Hazard = "exit"
	HazardSystem Hazard = "system"

	HazardHours     Hazard = "hours"
	HazardBoiler    Hazard = "boiler"
	HazardStructure Hazard = "structure"
)

// Transition is one change of state of one rule at one point of a site. It
// carries all that is needed to say why: the rule, its version and clause, the
// sensor, its grade and the values seen.
type Transition struct {
	ID          int64              // cursor in state.transitions; 0 before it is stored
	Factory     string             // factory id
	Source      string             // gateway id, or ServerSource
	Run         string             // run of the source gateway, "" from the server
	Seq         uint64             // seq in stream a of that run, 0 from the server
	Point       string             // PointID(Factory, Rule, scope key)
	Pack        string             // file name of the pack without extension: fire, gas, ...
	Rule        string             // rule name, unique within all packs
	RuleVersion string             // fingerprint of the rule's meaning
	Hazard      Hazard             //
	Class       Class              //
	Severity    Severity           //
	Zone        string             // zone id
	Sensor      string             // sensor id for sensor-scoped rules, else ""
	Grade       Grade              // best grade among the sensors that made it true
	Clause      string             // standard and clause of the limit, for people
	From, To    State              //
	At          time.Time          // when it happened, UTC, whole milliseconds
	Values      map[string]float64 // what the condition read, by name
	Flags       Flags              // flags common to all its evidence: exercise only if every piece is
}

// Unwatched among the values of a transition to Unknown says that its source
// watches the point no longer: the rule, or its place, is gone.
const Unwatched = "unwatched"

// ServerSource is the Source of transitions from the server's own engine.
const ServerSource = "server"

// PointID names one rule at one place: the same from gateway and server, so
// that an alarm raised by both is one alert. scope is the sensor id for
// sensor-scoped rules, else the zone id.
func PointID(factory, rule, scope string) string {
	sum := sha256.Sum256([]byte(factory + "\x00" + rule + "\x00" + scope))
	return hex.EncodeToString(sum[:8])
}
