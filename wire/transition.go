package wire

import (
	"maps"
	"math"
	"slices"
	"strings"

	"nirapod/safety"
	"nirapod/wire/senml"
)

// alarmName begins the name of an alarm record; the point follows.
const alarmName = "alarm/"

const maxValues = 64 // in one transition

// transitionText lists the labels of an alarm record that hold a text, in the
// order in which they are written.
func transitionText(t *safety.Transition) [11]struct {
	label string
	field *string
} {
	return [11]struct {
		label string
		field *string
	}{
		{"rule", &t.Rule}, {"pack", &t.Pack}, {"version", &t.RuleVersion},
		{"hazard", (*string)(&t.Hazard)}, {"class", (*string)(&t.Class)}, {"severity", (*string)(&t.Severity)},
		{"zone", &t.Zone}, {"sensor", &t.Sensor}, {"grade", (*string)(&t.Grade)}, {"clause", &t.Clause},
		{"point", &t.Point},
	}
}

func validateTransition(t *safety.Transition) error {
	for _, x := range transitionText(t) {
		if err := checkText(x.label, *x.field); err != nil {
			return err
		}
	}
	switch {
	case len(t.Point) != 16 || !only(t.Point, hexChars):
		return invalid("point %q: want 16 lower-case hex digits", t.Point)
	case t.Rule == "" || t.Pack == "" || t.RuleVersion == "":
		return invalid("rule, pack and version must be given")
	case t.From > safety.Firing || t.To > safety.Firing:
		return invalid("unknown state")
	case !slices.Contains([]safety.Hazard{safety.HazardFire, safety.HazardGas, safety.HazardCrowd, safety.HazardExit, safety.HazardSystem,
		safety.HazardHours, safety.HazardBoiler, safety.HazardStructure, safety.HazardHeat, safety.HazardNoise}, t.Hazard):
		return invalid("unknown hazard %.40q", t.Hazard)
	case !slices.Contains([]safety.Class{safety.ClassAlarm, safety.ClassFault, safety.ClassIsolation, safety.ClassInfo}, t.Class):
		return invalid("unknown class %.40q", t.Class)
	case t.Severity.Rank() == 0:
		return invalid("unknown severity %.40q", t.Severity)
	case t.Zone != "" && !ValidID(t.Zone):
		return checkID("zone", t.Zone)
	case t.Sensor != "" && !ValidID(t.Sensor):
		return checkID("sensor", t.Sensor)
	case t.Grade != "" && t.Grade.Rank() == 0:
		return invalid("unknown grade %.40q", t.Grade)
	case t.Flags&^(safety.Simulated|safety.Drill) != 0:
		return invalid("unknown flags %#x", uint8(t.Flags))
	case len(t.Values) > maxValues:
		return invalid("%d values: send at most %d", len(t.Values), maxValues)
	}
	for name := range t.Values {
		if err := checkText("name of a value", name); err != nil {
			return err
		}
	}
	return nil
}

// putTransition leaves out values that are no number: an alarm must not fail
// to go out for them.
func putTransition(r *senml.Record, t *safety.Transition) {
	r.N, r.VS = alarmName+t.Point, t.To.String()
	r.Has |= senml.HasN | senml.HasVS
	r.Extra = append(r.Extra, senml.Label{Name: "from", Value: t.From.String()})
	for _, x := range transitionText(t) {
		if *x.field != "" && x.label != "point" {
			r.Extra = append(r.Extra, senml.Label{Name: x.label, Value: *x.field})
		}
	}
	putFlags(r, t.Flags)
	values := make(map[string]any, len(t.Values))
	for name, v := range t.Values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			values[name] = v
		}
	}
	if len(values) > 0 {
		r.Extra = append(r.Extra, senml.Label{Name: "values", Value: values})
	}
}

func getTransition(r *senml.Resolved, name string) (*safety.Transition, error) {
	point, ok := strings.CutPrefix(name, alarmName)
	if !ok || r.Has&senml.HasVS == 0 {
		return nil, invalid("stream a wants n = alarm/<point> and vs = the new state")
	}
	t := &safety.Transition{}
	from, err := textLabel(&r.Record, "from")
	if err != nil {
		return nil, err
	}
	var okFrom, okTo bool
	t.From, okFrom = safety.ParseState(from)
	t.To, okTo = safety.ParseState(r.VS)
	if !okFrom || !okTo {
		return nil, invalid("from %.40q, vs %.40q: want unknown, inactive, pending or firing", from, r.VS)
	}
	for _, x := range transitionText(t) {
		if *x.field, err = textLabel(&r.Record, x.label); err != nil {
			return nil, err
		}
	}
	if t.Point != "" {
		return nil, invalid("label \"point\": the point stands in n")
	}
	t.Point = point
	if t.Flags, err = getFlags(&r.Record); err != nil {
		return nil, err
	}
	t.Values, err = getValues(&r.Record)
	return t, err
}

func getValues(r *senml.Record) (map[string]float64, error) {
	v, ok := r.Lookup("values")
	if !ok {
		return nil, nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, invalid("label \"values\": want an object of numbers")
	}
	values := make(map[string]float64, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		f, ok := m[name].(float64)
		if !ok {
			return nil, invalid("label \"values\": %.40q is not a number", name)
		}
		values[name] = f
	}
	return values, nil
}
