package rules

import (
	"embed"
	"io/fs"
	"time"

	"nirapod/safety"
)

//go:embed packs/*.yml
var embedded embed.FS

// Shipped holds the packs that come with Nirapod: *.yml, and their tests,
// *_test.yml, which Load skips.
var Shipped fs.FS = shipped()

func shipped() fs.FS {
	sub, err := fs.Sub(embedded, "packs")
	if err != nil {
		panic(err) // the path is a constant and valid
	}
	return sub
}

// RunsOn says where a rule is evaluated. Both bits may be set.
type RunsOn uint8

// The places.
const (
	Gateway RunsOn = 1 << iota
	Server
)

// Scope says what one instance of a rule watches.
type Scope string

// The scopes.
const (
	ScopeSensor Scope = "sensor"
	ScopeZone   Scope = "zone"
	ScopeExit   Scope = "exit"
)

// Pack is one file of rules about one hazard.
type Pack struct {
	Name  string // file name without extension: fire, gas, ...
	File  string
	Rules []Rule
}

// Rule is one rule as written, checked.
type Rule struct {
	Name          string
	Hazard        safety.Hazard
	Class         safety.Class
	Severity      safety.Severity
	Scope         Scope
	Quantities    []safety.Quantity // for sensor scope; empty = any
	Filter        Filter
	When          string        // condition, in expr
	For           time.Duration // the condition must hold so long before the rule fires
	KeepFiringFor time.Duration // and be gone so long before it is inactive again
	Reset         string        // "" = the condition's contrary
	Latch         bool          // only a person ends it: Engine.Reset
	Steps         []Step        // more severe while it fires
	Flapping      Flapping      // zero = none
	Delay         string        // a condition that may put firing off, "" = none
	DelayAtMost   time.Duration // at most 60 s
	Requires      string        // must not be false of the place where the rule is bound
	Permit        []safety.Work // kinds of work whose permit may isolate sensors from this rule
	Runs          RunsOn
	Clause        string // standard and clause, for people
	Limits        []Limit

	file        string
	fingerprint string
}

// Fingerprint identifies the meaning of the rule: it changes with conditions,
// times and limits, not with names of limits, sources, comments or layout.
func (r Rule) Fingerprint() string { return r.fingerprint }

// Filter narrows the sensors or zones to which a rule is bound.
type Filter struct {
	Suffix     string       // EN 54-5 suffix of the sensor's class: R or S
	MinGrade   safety.Grade // sensors of this grade or better
	LifeSafety *bool        // sensors that are (not) marked life_safety
	SteamProne *bool        // zones that are (not) steam-prone
	HighBay    *bool        // zones that are (not) high-bay
}

// Confidence says how far the figure of a limit is to be trusted.
type Confidence string

// The confidences.
const (
	Verified  Confidence = "verified"  // read in the primary text
	Secondary Confidence = "secondary" // read in a secondary source
	Recalled  Confidence = "recalled"  // from general knowledge: to be verified before it is relied on
	Inferred  Confidence = "inferred"  // our arithmetic from sourced facts
	Chosen    Confidence = "chosen"    // our own decision
)

// Limit is one figure with its unit and where it comes from.
type Limit struct {
	Name       string
	Unit       string
	Value      float64
	ByClass    map[string]float64 // instead of Value: by the sensor's EN 54-5 class, without suffix
	ByWork     map[string]float64 // or by the zone's metabolic class
	Source     string
	Clause     string
	Confidence Confidence
}
