package rules_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"nirapod/rules"
	"nirapod/safety"
)

func heat(id, zone, class string, period time.Duration) safety.Sensor {
	return safety.Sensor{ID: id, Zone: zone, Quantity: safety.Temperature, Grade: safety.Industrial, Class: class, Period: period}
}

func shippedEngine(t testing.TB, sensors ...safety.Sensor) *rules.Engine {
	t.Helper()
	packs, err := rules.Load(rules.Shipped)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	plant := rules.Plant{Factory: "f", Sensors: sensors}
	for _, s := range sensors {
		if !seen[s.Zone] {
			plant.Zones = append(plant.Zones, safety.Zone{ID: s.Zone})
		}
		seen[s.Zone] = true
	}
	e, err := rules.New(packs, plant, rules.Server, safety.ServerSource)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// EN 54-5 lets a class A1 detector answer a rise from 25 °C between these
// times (recalled, docs of the domain §3.2). The sensor here has no inertia.
func TestHeatAnswersWithinTheTimesOfA1(t *testing.T) {
	for _, c := range []struct {
		rise          float64 // K/min
		early, latest time.Duration
	}{
		{1, 29 * time.Minute, 40*time.Minute + 20*time.Second},
		{3, 7*time.Minute + 13*time.Second, 13*time.Minute + 40*time.Second},
		{5, 4*time.Minute + 9*time.Second, 8*time.Minute + 20*time.Second},
		{10, time.Minute, 4*time.Minute + 20*time.Second},
		{20, 30 * time.Second, 2*time.Minute + 20*time.Second},
		{30, 20 * time.Second, time.Minute + 40*time.Second},
	} {
		e := shippedEngine(t, heat("s", "z", "A1R", time.Second))
		const before = 120 // s at rest
		var alarm time.Duration
		for i := 0; alarm == 0 && i < 4000; i++ {
			v := 25 + max(0, float64(i-before))*c.rise/60
			for _, tr := range append(observe(e, "s", float64(i), v), e.Tick(at(float64(i)+0.9))...) {
				if tr.To == safety.Firing && tr.Class == safety.ClassAlarm {
					alarm = tr.At.Sub(at(before))
				}
			}
		}
		if alarm < c.early || alarm > c.latest {
			t.Errorf("%g K/min: alarm after %v, want %v to %v", c.rise, alarm, c.early, c.latest)
		}
	}
}

// recorded reads the columns of a recording whose names are wanted.
func recorded(t *testing.T, file string, wanted func(column string) bool) (times []float64, columns map[string][]string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	columns = map[string][]string{}
	for _, row := range rows[1:] {
		second, err := strconv.ParseFloat(row[0], 64)
		if err != nil {
			t.Fatal(err)
		}
		times = append(times, second)
		for i, name := range rows[0] {
			if wanted(name) {
				columns[name] = append(columns[name], row[i])
			}
		}
	}
	return times, columns
}

// Four recorded home fires: the thermocouples under the ceiling as class A1R
// heads, each place a zone. Heat must be found; nothing is tuned to it.
func TestRecordedFiresAreFoundByHeat(t *testing.T) {
	files, _ := filepath.Glob("../../shared/data/nist-exp/NIST_Smoke_Alarms/NIST_Smoke_Alarms_SDC*.csv")
	if len(files) == 0 {
		t.Skip("no recordings at ../shared/data/nist-exp/NIST_Smoke_Alarms")
	}
	for _, file := range files {
		times, columns := recorded(t, file, func(c string) bool { return strings.HasPrefix(c, "TC") && strings.HasSuffix(c, "_1") })
		var sensors []safety.Sensor
		for name := range columns {
			sensors = append(sensors, heat(strings.ToLower(name), strings.ToLower(name), "A1R", time.Duration((times[1]-times[0])*float64(time.Second))))
		}
		e := shippedEngine(t, sensors...)
		first := map[string]string{}
		for i, second := range times {
			for name, cells := range columns {
				v, err := strconv.ParseFloat(cells[i], 64)
				if err != nil {
					continue // an empty cell is no sample
				}
				for _, tr := range observe(e, strings.ToLower(name), second, v) {
					if tr.To == safety.Firing && tr.Class == safety.ClassAlarm && first[tr.Rule] == "" {
						first[tr.Rule] = fmt.Sprintf("%v at %s", tr.At.Sub(start), tr.Sensor)
					}
				}
			}
		}
		t.Logf("%s (%.0f s): static %s; rise %s", filepath.Base(file), times[len(times)-1], first["heat-static"], first["heat-rise"])
		if first["heat-static"] == "" && first["heat-rise"] == "" {
			t.Errorf("%s: no heat alarm", filepath.Base(file))
		}
	}
}

// 9.91E+37 is an open thermocouple: a fault, never a fire and never silence.
func TestAnOpenThermocoupleIsAFaultAndNoFire(t *testing.T) {
	const file = "../../shared/data/nist-exp/USN_Hangars/USN_Hawaii_ExpData_Test_06.csv"
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		t.Skip("no recordings at ../shared/data/nist-exp/USN_Hangars")
	}
	times, columns := recorded(t, file, func(string) bool { return true })
	found := 0
	for name, cells := range columns {
		broken := false
		e := shippedEngine(t, heat("s", "z", "", 10*time.Second), heat("s2", "z", "", 10*time.Second))
		fault, alarm := false, false
		for i, second := range times {
			v, err := strconv.ParseFloat(cells[i], 64)
			if err != nil || name == "Time" {
				continue
			}
			broken = broken || v > 1e30
			for _, tr := range observe(e, "s", second, v) {
				fault = fault || tr.To == safety.Firing && tr.Rule == "sensor-fault"
				alarm = alarm || tr.To == safety.Firing && tr.Class == safety.ClassAlarm
			}
		}
		if !broken {
			continue
		}
		found++
		if !fault || alarm {
			t.Errorf("column %s: fault %v, alarm %v", name, fault, alarm)
		}
	}
	if found == 0 {
		t.Error("the recording holds no open thermocouple any more")
	}
}

// Two outputs, never one: whatever indicative sensors say, and however many
// of them, no rule of severity evacuate fires.
func TestIndicativeSensorsAloneNeverEvacuate(t *testing.T) {
	plant := func(grade safety.Grade) []safety.Sensor {
		var out []safety.Sensor
		for i := range 5 {
			for _, q := range []safety.Quantity{safety.Smoke, safety.Flame, safety.Temperature, safety.CO} {
				s := sensorOf(fmt.Sprint(q, i), q)
				s.Grade, s.Class = grade, map[safety.Quantity]string{safety.Temperature: "A1R"}[q]
				out = append(out, s)
			}
		}
		return out
	}
	evacuates := func(grade safety.Grade) (evacuate, alarms int) {
		sensors := plant(grade)
		e := shippedEngine(t, sensors...)
		for i := range 120 {
			for _, s := range sensors {
				v := float64(20 + 3*i)
				if s.Quantity.Switch() {
					v = float64(i / 10 % 2)
				}
				for _, tr := range observe(e, s.ID, float64(i), v) {
					if tr.To == safety.Firing && tr.Class == safety.ClassAlarm {
						alarms++
						if tr.Severity == safety.Evacuate {
							evacuate++
						}
					}
				}
			}
		}
		return evacuate, alarms
	}
	if evacuate, alarms := evacuates(safety.Indicative); evacuate != 0 || alarms < 20 {
		t.Errorf("indicative: %d evacuations, %d alarms; want none, and every sensor's alarm", evacuate, alarms)
	}
	if evacuate, _ := evacuates(safety.Industrial); evacuate == 0 {
		t.Error("industrial: no evacuation; the test above says nothing")
	}
}
