package sim

import (
	"math"
	"testing"
	"time"
)

func closed(area, height float64) Building {
	return Building{Zones: []Zone{{ID: "a", Area: area, Height: height, Temperature: 30, Humidity: 60}}}
}

func still(time.Duration) Outside { return Outside{Damp: 1} }

// What is given off into a closed room stays there, in its own unit.
func TestSourcesAreConserved(t *testing.T) {
	c := NewClimate(closed(40, 4), still, 0, time.Second, 1) // a layer of 40 m³
	c.Begin(Source{Zone: "a", At: 10 * time.Second, For: time.Minute, Smoke: 0.5, CO: 20, Hydrogen: 40, VOC: 8, Steam: 4})
	c.Advance(3 * time.Minute)
	a := c.At("a", 2)
	for _, x := range []struct {
		name      string
		got, want float64
	}{
		{"smoke", a.Smoke, 0.5 * 60 / math.Ln10 / 40},
		{"CO", a.CO, 20 * 60 / 40 * 24.45 / 28.01},
		{"hydrogen", a.Hydrogen, 60},
		{"VOC", a.VOC, 8 * 60 / 40 * 24.45 / 56.11},
		{"water", a.Humidity / 100 * saturation(a.Temperature), 0.6*saturation(30) + 6*1.43},
	} {
		if math.Abs(x.got/x.want-1) > 0.01 {
			t.Errorf("%s: %.4g, want %.4g", x.name, x.got, x.want)
		}
	}
}

// A plume of steam is warm and wet at once; it is warmest near its axis, and
// its mist does not last.
func TestSteamIsWarmAndWet(t *testing.T) {
	c := NewClimate(closed(400, 5.5), still, 0, time.Second, 1)
	dry := c.At("a", 2.5)
	c.Begin(Source{Zone: "a", For: 40 * time.Second, Steam: 150, Heat: 37, Mist: 2.7})
	c.Advance(20 * time.Second)
	near, far := c.At("a", 2.5), c.At("a", 10)
	if near.Temperature-dry.Temperature < 5 || near.Humidity < dry.Humidity+20 || near.Smoke == 0 {
		t.Errorf("in the plume %+v, before %+v", near, dry)
	}
	if far.Temperature >= near.Temperature || far.Humidity > near.Humidity {
		t.Errorf("10 m away %+v, near %+v", far, near)
	}
	c.Advance(5 * time.Minute)
	if after := c.At("a", 2.5); after.Smoke > near.Smoke/100 || after.Humidity < dry.Humidity || after.Temperature > dry.Temperature+1 {
		t.Errorf("afterwards %+v", after)
	}
}

// Somebody turns it off.
func TestSourcesStop(t *testing.T) {
	c := NewClimate(closed(40, 4), still, 0, time.Second, 1)
	c.Begin(Source{Zone: "a", CO: 20})
	c.Begin(Source{Zone: "a", VOC: 20})
	c.Advance(10 * time.Second)
	c.Stop("a", func(s Source) bool { return s.CO > 0 })
	before := c.At("a", 2)
	c.Advance(20 * time.Second)
	if after := c.At("a", 2); after.CO != before.CO || after.VOC <= before.VOC {
		t.Errorf("%+v, then %+v", before, after)
	}
}

// The sun on a roof of sheet metal warms what is under it, and no other room.
func TestSunWarmsUnderItsRoof(t *testing.T) {
	b := closed(1200, 9)
	b.Zones = append(b.Zones, b.Zones[0])
	b.Zones[1].ID, b.Zones[1].Roof = "shed", 20
	c := NewClimate(b, func(time.Duration) Outside { return Outside{Damp: 1, Sun: 0.9} }, 0, time.Second, 1)
	if warmer := c.At("shed", 2).Temperature - c.At("a", 2).Temperature; math.Abs(warmer-18) > 1 {
		t.Errorf("%.1f K", warmer)
	}
}
