package eval_test

import (
	"flag"
	"fmt"
	"math"
	"os"
	"testing"

	"nirapod/internal/measured"
	"nirapod/rules"
	"nirapod/rules/eval"
)

var update = flag.Bool("update", false, "write the tables into docs/evaluation.md")

const (
	shared   = "../../../shared/data"
	document = "../../docs/evaluation.md"
	mark     = "<!-- tables -->\n" // between two of these they stand
)

func sets(t *testing.T) []eval.Set {
	t.Helper()
	if testing.Short() {
		t.Skip("60 recordings take a while")
	}
	if _, err := os.Stat(shared); err != nil {
		t.Skip("the recordings in ../shared/data are not here")
	}
	packs, err := rules.Load(rules.Shipped)
	if err != nil {
		t.Fatal(err)
	}
	out, err := eval.Run(packs, os.DirFS(shared))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestRealFires holds the shipped packs to the bars, and docs/evaluation.md
// to what came out.
func TestRealFires(t *testing.T) {
	all := sets(t)
	tables := eval.Tables(all)
	if testing.Verbose() {
		fmt.Println(tables)
	}
	wanted := map[string]int{"NIST home fires": 4, "US Navy hangars, 15 m": 8, "UL FSRI compartment fires": 38, "FAA cargo holds": 6, "NIST helium in a garage, as hydrogen": 9}
	for _, s := range all {
		if n := wanted[s.Title]; n > 0 && n != len(s.Results) {
			t.Errorf("%s: %d recordings, want %d", s.Title, len(s.Results), n)
		}
		for _, r := range s.Results {
			if held, why := r.Held(); !held {
				t.Errorf("%s: %s: %s", s.Title, r.Name, why)
			}
			if s.Title != "UL FSRI compartment fires" && !r.InTime() {
				t.Errorf("%s: %s: alarm at %g s, wanted by %g s", s.Title, r.Name, r.Alarm, r.Due)
			}
			if r.Name == "Test_06" {
				brokenThermocouple(t, r)
			}
		}
		if s.Title == "UL FSRI compartment fires" {
			got, due := s.Median(func(r eval.Result) float64 { return r.Alarm }), s.Median(func(r eval.Result) float64 { return r.Due })
			if !(got <= due) {
				t.Errorf("%s: median %g s, the modelled detector %g s", s.Title, got, due)
			}
		}
	}
	measured.Hold(t, document, mark, tables, *update)
}

// The thermocouple S1 is open from the first row on: a fault at once that
// stays, and no alarm of its own, whatever it reads later.
func brokenThermocouple(t *testing.T, r eval.Result) {
	t.Helper()
	for _, f := range r.Faults {
		if f.Sensor == "s1" && f.Rule == "sensor-fault" && f.At == 0 && !f.Ended {
			if r.Alarmed["s1"] {
				t.Error("Test_06: the broken thermocouple makes a fire")
			}
			return
		}
	}
	t.Errorf("Test_06: no lasting fault of s1 from its first bad value: %v", r.Faults)
}

func TestAMedianNeedsAValue(t *testing.T) {
	s := eval.Set{Results: []eval.Result{{Alarm: 4}, {Alarm: math.NaN()}, {Alarm: 2}, {Alarm: 9}}}
	if got := s.Median(func(r eval.Result) float64 { return r.Alarm }); got != 4 {
		t.Errorf("got %g", got)
	}
	if got := (eval.Set{}).Median(func(r eval.Result) float64 { return r.Alarm }); !math.IsNaN(got) {
		t.Errorf("of nothing: %g", got)
	}
}

// What is wanted and does not come is no bar held.
func TestHeld(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		r    eval.Result
		want bool
	}{
		{eval.Result{Expected: "alarm", Alarm: 3, PreAlarm: nan}, true},
		{eval.Result{Expected: "alarm", Alarm: nan, PreAlarm: 3}, false},
		{eval.Result{Expected: "alarm", Alarm: 3, PreAlarm: nan, Early: 1}, false},
		{eval.Result{Expected: "prealarm", Alarm: nan, PreAlarm: 3}, true},
		{eval.Result{Expected: "prealarm", Alarm: nan, PreAlarm: nan}, false},
		{eval.Result{Expected: "nothing", Alarm: nan, PreAlarm: nan}, true},
		{eval.Result{Expected: "nothing", Alarm: nan, PreAlarm: nan, Early: 1}, false},
	} {
		if got, why := c.r.Held(); got != c.want {
			t.Errorf("%+v: %v %s", c.r, got, why)
		}
	}
	if (eval.Result{Alarm: nan, Due: 3}).InTime() || !(eval.Result{Alarm: nan, Due: nan}).InTime() || !(eval.Result{Alarm: 3, Due: 3}).InTime() {
		t.Error("what never came is not in time")
	}
}
