package alerts

import (
	"testing"
	"time"

	"nirapod/safety"
	"nirapod/state"
)

func plant() safety.Site {
	return safety.Site{
		Factory: safety.Factory{
			ID: "padma", Name: safety.Name{BN: "পদ্মা", EN: "Padma"}, Office: safety.Fact{Value: "gazipur"},
			Shifts: []safety.Shift{{ID: "day", From: "08:00", To: "20:00"}}, WeeklyHoliday: "friday",
		},
		Floors: []safety.Floor{{ID: "f1", Name: safety.Name{BN: "নিচতলা", EN: "ground floor"}}},
		Zones: []safety.Zone{
			{ID: "store", Floor: "f1", Name: safety.Name{BN: "গুদাম", EN: "store"}, Adjacent: []string{"boiler"}},
			{ID: "boiler", Floor: "f1", Name: safety.Name{BN: "বয়লার", EN: "boiler"}},
			{ID: "sewing", Floor: "f1", Name: safety.Name{BN: "সেলাই", EN: "sewing"}},
		},
		Sensors: []safety.Sensor{
			{ID: "store-smoke", Gateway: "gw-1", Zone: "store", Quantity: safety.Smoke, Grade: safety.Industrial},
			{ID: "store-heat", Gateway: "gw-1", Zone: "store", Quantity: safety.Temperature, Grade: safety.Industrial},
			{ID: "boiler-co", Gateway: "gw-1", Zone: "boiler", Quantity: safety.CO, Grade: safety.Industrial},
			{ID: "sewing-smoke", Gateway: "gw-1", Zone: "sewing", Quantity: safety.Smoke, Grade: safety.Industrial},
			{ID: "twin-heat", Gateway: "gw-1", Zone: "store", Quantity: safety.Temperature, Serial: "S7"},
			{ID: "twin-rh", Gateway: "gw-1", Zone: "store", Quantity: safety.Humidity, Serial: "S7"},
			{ID: "call-point-1", Gateway: "gw-1", Zone: "store", Quantity: safety.CallPoint, Grade: safety.Certified},
		},
	}
}

// alarm is an unacknowledged fire alarm of a sensor, raised at t0: ten in the
// morning in Dhaka, on a Sunday.
func alarm(sensor string, change ...func(*state.Alert)) state.Alert {
	a := state.Alert{Alert: safety.Alert{
		ID: "A-" + sensor, SensorID: sensor, ZoneID: "store", Hazard: safety.HazardFire, Class: safety.ClassAlarm,
		Severity: safety.Alarm, Grade: safety.Industrial, State: safety.Unacknowledged, Condition: conditionFiring,
		OccurredAt: t0, RaisedAt: t0,
	}}
	if s, ok := sensorOf(plant(), sensor); ok {
		a.ZoneID, a.Grade = s.Zone, s.Grade
	}
	for _, fn := range change {
		fn(&a)
	}
	return a
}

func acked(after time.Duration) func(*state.Alert) {
	return func(a *state.Alert) {
		at := a.RaisedAt.Add(after)
		a.State, a.AcknowledgedAt = safety.Acknowledged, &at
	}
}

func TestJudge(t *testing.T) {
	exercise := func(a *state.Alert) { a.Exercise = true }
	cleared := func(a *state.Alert) { a.State = safety.Cleared }
	pre := func(a *state.Alert) { a.Severity = safety.PreAlarm }
	returned := func(a *state.Alert) { a.State, a.Condition = safety.Returned, conditionInactive }
	certified := func(a *state.Alert) { a.Grade = safety.Certified }
	night := func(a *state.Alert) { a.RaisedAt = t0.Add(14 * time.Hour) }
	zoneRule := func(zone string) func(*state.Alert) {
		return func(a *state.Alert) { a.SensorID, a.ZoneID = "", zone }
	}
	cases := []struct {
		name   string
		alerts []state.Alert
		after  time.Duration
		want   verdict
		next   time.Duration // after t0; 0: none
	}{
		{"one alarm waits for V1", []state.Alert{alarm("store-smoke")}, 0, verdict{}, defaultV1},
		{"nobody acknowledges within V1", []state.Alert{alarm("store-smoke")}, defaultV1, verdict{signal: becauseUnresolved, notice: true}, 0},
		{"acknowledged, V2 runs", []state.Alert{alarm("store-smoke", acked(10*time.Second))}, time.Minute, verdict{}, 190 * time.Second},
		{"unresolved after V2", []state.Alert{alarm("store-smoke", acked(10*time.Second))}, 190 * time.Second, verdict{signal: becauseUnresolved, notice: true}, 0},
		{"acknowledged too late gives no V2", []state.Alert{alarm("store-smoke", acked(31*time.Second))}, 31 * time.Second, verdict{signal: becauseUnresolved, notice: true}, 0},
		{"resolved before V2", []state.Alert{alarm("store-smoke", acked(10*time.Second), cleared)}, 190 * time.Second, verdict{}, 0},
		{"gone, but nobody looked", []state.Alert{alarm("store-smoke", returned)}, defaultV1, verdict{signal: becauseUnresolved, notice: true}, 0},
		{"at night there is no delay", []state.Alert{alarm("store-smoke", night)}, 14 * time.Hour, verdict{signal: becauseUnresolved, notice: true}, 0},
		{"a second sensor confirms at once", []state.Alert{alarm("store-smoke"), alarm("store-heat")}, 0, verdict{confirmed: true, signal: becauseConfirmed, notice: true}, 0},
		{"gas and smoke confirm each other", []state.Alert{alarm("store-smoke"), alarm("boiler-co", func(a *state.Alert) { a.Hazard = safety.HazardGas })}, 0,
			verdict{confirmed: true, signal: becauseConfirmed, notice: true}, 0},
		{"the same sensor twice confirms nothing", []state.Alert{alarm("store-smoke"), alarm("store-smoke")}, 0, verdict{}, defaultV1},
		{"two quantities of one device confirm nothing", []state.Alert{alarm("twin-heat"), alarm("twin-rh")}, 0, verdict{}, defaultV1},
		{"a zone's rule reads the zone's sensors", []state.Alert{alarm("store-smoke"), alarm("", zoneRule("store"))}, 0, verdict{}, defaultV1},
		{"another zone's rule is independent", []state.Alert{alarm("store-smoke"), alarm("", zoneRule("boiler"))}, 0, verdict{confirmed: true, signal: becauseConfirmed, notice: true}, 0},
		{"a certified sensor suffices", []state.Alert{alarm("store-smoke", certified)}, 0, verdict{confirmed: true, signal: becauseConfirmed, notice: true}, 0},
		{"a call point is a signal at once, no notice", []state.Alert{alarm("call-point-1")}, 0, verdict{signal: becauseCallPoint}, defaultV1},
		{"a call point that stood through V2 opens the notice", []state.Alert{alarm("call-point-1", acked(time.Second))}, 181 * time.Second, verdict{confirmed: true, signal: becauseConfirmed, notice: true}, 0},
		{"a call point and a sensor confirm", []state.Alert{alarm("call-point-1"), alarm("store-heat")}, 0, verdict{confirmed: true, signal: becauseConfirmed, notice: true}, 0},
		{"a pre-alarm is for the factory alone", []state.Alert{alarm("store-smoke", pre)}, time.Hour, verdict{}, 0},
		{"an exercise is judged like the real thing", []state.Alert{alarm("store-smoke", exercise), alarm("store-heat", exercise)}, 0, verdict{confirmed: true, signal: becauseConfirmed, notice: true}, 0},
		{"a drill beside a real alarm confirms nothing", []state.Alert{alarm("store-smoke"), alarm("store-heat", exercise)}, 0, verdict{}, defaultV1},
		{"a crowd is never judged", []state.Alert{alarm("store-smoke", func(a *state.Alert) { a.Hazard = safety.HazardCrowd })}, time.Hour, verdict{}, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := judge(plant(), c.alerts, t0.Add(c.after))
			next := got.next
			got.next = nil
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if next == nil && c.next != 0 || next != nil && !next.Equal(t0.Add(c.next)) {
				t.Errorf("next %v, want t0 + %v", next, c.next)
			}
		})
	}
}

func TestDelays(t *testing.T) {
	site := plant()
	site.Factory.Delays = safety.Delays{DayV1: 20 * time.Second, DayV2: 9*time.Minute + 55*time.Second, NightV1: 5 * time.Second}
	site.Factory.Calendar = []safety.Holiday{{Date: "2026-12-16"}}
	site.Factory.Shifts = append(site.Factory.Shifts, safety.Shift{ID: "night", From: "22:00", To: "04:00"})
	cases := []struct {
		name string
		at   string // UTC; Dhaka is six hours later
		v1   time.Duration
	}{
		{"in the day shift", "2026-11-22T04:00:00Z", 20 * time.Second},
		{"in the night shift", "2026-11-22T20:00:00Z", 20 * time.Second},
		{"between the shifts", "2026-11-22T15:00:00Z", 5 * time.Second},
		{"on Friday", "2026-11-27T04:00:00Z", 5 * time.Second},
		{"Thursday's night shift on Friday morning", "2026-11-26T20:00:00Z", 20 * time.Second},
		{"on a holiday", "2026-12-16T04:00:00Z", 5 * time.Second},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, c.at)
			if err != nil {
				t.Fatal(err)
			}
			if v1, _ := Delays(site, at); v1 != c.v1 {
				t.Errorf("V1 %v, want %v", v1, c.v1)
			}
		})
	}
	a := alarm("store-smoke", acked(19*time.Second))
	if got := delaysEnd(site, a); !got.Equal(t0.Add(delayCap)) {
		t.Errorf("V1 and V2 end %v after the alarm, want the cap of %v", got.Sub(t0), delayCap)
	}
	if v1, v2 := Delays(safety.Site{}, t0); v1 != 0 || v2 != 0 {
		t.Errorf("a site without shifts has delays %v and %v", v1, v2)
	}
}

func TestRelated(t *testing.T) {
	a, err := New(Config{}, Deps{DB: &state.DB{}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ended := func(after time.Duration) func(*state.Alert) {
		return func(a *state.Alert) { at := t0.Add(after); a.Work.EndedAt = &at }
	}
	occurred := func(after time.Duration) func(*state.Alert) {
		return func(a *state.Alert) { a.OccurredAt = t0.Add(after) }
	}
	gas := func(a *state.Alert) { a.Hazard = safety.HazardGas }
	exit := func(a *state.Alert) { a.Hazard = safety.HazardExit }
	cases := []struct {
		name   string
		member state.Alert
		alert  state.Alert
		want   bool
	}{
		{"same zone, at once", alarm("store-smoke"), alarm("store-heat"), true},
		{"a zone that touches, said by one side", alarm("boiler-co", gas), alarm("store-heat"), true},
		{"a zone that does not touch", alarm("store-smoke"), alarm("sewing-smoke"), false},
		{"within ten minutes of its end", alarm("store-smoke", ended(time.Minute)), alarm("store-heat", occurred(11*time.Minute)), true},
		{"more than ten minutes after its end", alarm("store-smoke", ended(time.Minute)), alarm("store-heat", occurred(11*time.Minute+time.Second)), false},
		{"an hour later, but it still burns", alarm("store-smoke"), alarm("store-heat", occurred(time.Hour)), true},
		{"old news from before it", alarm("store-smoke"), alarm("store-heat", occurred(-time.Hour), ended(-50*time.Minute)), false},
		{"a locked exit is another matter", alarm("store-smoke"), alarm("store-heat", exit), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := a.related(plant(), c.member, c.alert); got != c.want {
				t.Errorf("got %t, want %t", got, c.want)
			}
		})
	}
}
