package sim

import (
	"math"
	"reflect"
	"testing"
	"time"
)

// Worked by hand from Alpert's equations and the definition of a t² fire.
func TestFormulas(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"plume over 1 MW, 4 m", ceilingJet(1000, 0.5, 4), 16.9 * 100 / 10.0794},
		{"jet 3 m off 1 MW, 4 m", ceilingJet(1000, 3, 4), 5.38 * 48.075 / 4},
		{"medium fire after 300 s", Fire{Growth: 0.0117, Peak: 1e5, Burn: time.Hour}.at(300 * time.Second).heat, 1053},
		{"capped", Fire{Growth: 0.0117, Peak: 500, Burn: time.Hour}.at(300 * time.Second).heat, 500},
		{"not yet", Fire{At: time.Minute, Growth: 1, Peak: 500, Burn: time.Hour}.at(59 * time.Second).heat, 0},
		{"half way through the smouldering", Fire{Smoulder: 100 * time.Second, Pyrolysis: 4}.at(50 * time.Second).smoulder, 2},
		{"saturation at 20 °C", saturation(20), 23.33},
		{"saturation at 35 °C", saturation(35), 56.2},
	} {
		if math.Abs(c.got-c.want) > 0.005*math.Abs(c.want) {
			t.Errorf("%s: %.3f, want %.3f", c.name, c.got, c.want)
		}
	}
}

// What a closed room collects is what was burnt: optical density times volume
// is extinction area, CO times volume is mass.
func TestSmokeIsConserved(t *testing.T) {
	sc := &Scenario{
		building: Building{Zones: []Zone{
			{ID: "a", Area: 100, Height: 4, Humidity: 50},
			{ID: "b", Area: 50, Height: 4, Humidity: 50},
		}, Links: []Link{{From: "a", To: "b", Flow: 0.5, Delay: 10 * time.Second}}},
		Fires: []Fire{{Zone: "a", Smoulder: 100 * time.Second, Pyrolysis: 2}},
	}
	p := newPlant(sc, 1, tick)
	for p.now() < 100*time.Second {
		p.step()
	}
	sc.Fires[0].Pyrolysis = 0 // p shares the slice: the fire is out
	for p.now() < 100*time.Second+5*time.Minute {
		p.step()
	}
	var area, gram float64
	for _, r := range p.order {
		area += r.layer.smoke * math.Ln10 * r.volume()
		gram += r.layer.co / ppmPerMilligram * r.volume() / 1e3
	}
	inTransit := 0.05 // what left one room in the last 10 s has not reached the other
	burnt := 2.0 * 100 / 2
	if want := burnt * sootSmoulder * extinctionSmoulder; math.Abs(area/want-1) > inTransit {
		t.Errorf("%.2f m² of smoke in both rooms, want %.2f", area, want)
	}
	if want := burnt * coSmoulder; math.Abs(gram/want-1) > inTransit {
		t.Errorf("%.2f g of CO in both rooms, want %.2f", gram, want)
	}
	if a, b := p.order[0].layer.smoke, p.order[1].layer.smoke; b < a/2 {
		t.Errorf("densities %.3f and %.3f: it did not spread", a, b)
	}
}

func TestSmokeArrivesAfterItsDelay(t *testing.T) {
	sc := &Scenario{
		building: Building{Zones: []Zone{
			{ID: "a", Area: 20, Height: 3, Humidity: 50}, {ID: "b", Area: 20, Height: 3, Humidity: 50},
		}, Links: []Link{{From: "a", To: "b", Flow: 1, Delay: 30 * time.Second}}},
		Fires: []Fire{{Zone: "a", Smoulder: time.Second, Pyrolysis: 5}},
	}
	p := newPlant(sc, 1, tick)
	for p.now() < 29*time.Second {
		p.step()
	}
	if early := p.rooms["b"].layer.smoke; early != 0 {
		t.Errorf("smoke of density %.4f before the delay was over", early)
	}
	for p.now() < 40*time.Second {
		p.step()
	}
	if p.rooms["b"].layer.smoke == 0 {
		t.Error("no smoke 10 s after the delay")
	}
}

// The world is a function of scenario, seed and time, not of who looks when.
func TestWorldIsDeterministic(t *testing.T) {
	run := func(seed uint64, step time.Duration) []Register {
		sc, err := Load("smoulder", "")
		if err != nil {
			t.Fatal(err)
		}
		w := New(sc, seed)
		for addr := uint16(0x44); addr <= 0x47; addr++ {
			if _, err := w.Transact(0, "i2c-1", addr, []byte{0x21, 0x30}, 0); err != nil {
				t.Fatal(err)
			}
		}
		for now := time.Duration(0); now < 2*time.Minute; now += step {
			w.Advance(now)
		}
		return w.Registers(2 * time.Minute)
	}
	want := run(7, time.Second)
	if got := run(7, 37*time.Millisecond); !reflect.DeepEqual(got, want) {
		t.Errorf("looking more often changed\n%+v into\n%+v", want, got)
	}
	if reflect.DeepEqual(run(8, time.Second), want) {
		t.Error("another seed made no difference")
	}
}

// What leaks into a closed room for a minute stays there.
func TestLeakIsConserved(t *testing.T) {
	p := newPlant(&Scenario{
		building: Building{Zones: []Zone{{ID: "a", Area: 60, Height: 4.5, Humidity: 50}}},
		Leaks:    []Leak{{Zone: "a", At: 10 * time.Second, CO: 200, For: time.Minute}},
	}, 1, tick)
	for p.now() < 2*time.Minute {
		p.step()
	}
	r := p.order[0]
	if milligram := r.layer.co / ppmPerMilligram * r.volume(); math.Abs(milligram-12000) > 1 || r.layer.heat != 0 || r.layer.smoke != 0 {
		t.Errorf("%.1f mg of CO, heat %v, smoke %v; want 12000 and none", milligram, r.layer.heat, r.layer.smoke)
	}
}
