package sim_test

import (
	"testing"
	"time"
)

// heatAlarm is EN 54-5 class A1R as a rule may see it: 54 °C, or 8.3 K in a
// minute, over the minute that ends now.
func heatAlarm(minute []float64) bool {
	last := minute[len(minute)-1]
	return last >= 54 || last-minute[0] >= 8.3
}

func TestSmoulder(t *testing.T) {
	for seed := range uint64(5) {
		r := load(t, "smoulder", "", seed)
		r.startHeat()
		var smoke, rise, static, stair time.Duration
		var heat []float64
		for second := range 240 {
			at := time.Duration(second) * time.Second
			r.now = max(r.now, at)
			celsius, _ := r.climate(0x44)
			heat = append(heat, celsius)
			heat = heat[max(0, len(heat)-61):]
			if smoke == 0 && inAlarm(r.loop(0x48, 0)) {
				smoke = at
			}
			if rise == 0 && heatAlarm(heat) {
				rise = at
			}
			if static == 0 && celsius >= 54 {
				static = at
			}
			if stair == 0 && inAlarm(r.loop(0x49, 0)) {
				stair = at
			}
			if celsius > 110 {
				t.Fatalf("seed %d: %.0f °C at %v: beyond what the demo is to show", seed, celsius, at)
			}
		}
		t.Logf("seed %d: smoke %v, heat %v, 54 °C %v, stair A %v", seed, smoke, rise, static, stair)
		if smoke < 40*time.Second || smoke > 50*time.Second {
			t.Errorf("seed %d: the store's smoke head alarmed at %v, want 40s to 50s", seed, smoke)
		}
		if rise < 70*time.Second || rise > 85*time.Second {
			t.Errorf("seed %d: the store's heat crossed at %v, want 70s to 85s", seed, rise)
		}
		if static < rise || static > 100*time.Second {
			t.Errorf("seed %d: 54 °C at %v", seed, static)
		}
		if stair < smoke+20*time.Second || stair > 2*time.Minute {
			t.Errorf("seed %d: stair A at %v, want after the store and within 2m", seed, stair)
		}
		for _, pin := range []string{"SIM_CALL_1", "SIM_CALL_2"} {
			if pressed, err := r.world.ReadPin(r.now, pin); pressed || err != nil {
				t.Errorf("%s: %v, %v", pin, pressed, err)
			}
		}
	}
}

func TestCalmStaysCalm(t *testing.T) {
	r := load(t, "calm", "", 3)
	r.startHeat()
	highest := map[uint16]float64{}
	opened := false
	for second := range 2 * 3600 {
		r.now = max(r.now, time.Duration(second)*time.Second)
		if second < 120 {
			open, err := r.world.ReadPin(r.now, "SIM_ROOF_DOOR")
			if err != nil {
				t.Fatal(err)
			}
			opened = opened || open
		}
		if second%600 != 0 {
			continue
		}
		for addr := uint16(0x44); addr <= 0x47; addr++ {
			celsius, humidity := r.climate(addr)
			highest[addr] = max(highest[addr], celsius)
			if humidity < 30 || humidity > 95 {
				t.Fatalf("0x%02x: %.1f %%RH at %v", addr, humidity, r.now)
			}
		}
		for _, head := range []struct {
			addr uint16
			ain  byte
		}{{0x48, 0}, {0x48, 1}, {0x49, 0}, {0x49, 1}} {
			if ratio := r.loop(head.addr, head.ain); !normal(ratio) {
				t.Fatalf("loop 0x%02x/%d at %.3f at %v", head.addr, head.ain, ratio, r.now)
			}
		}
		if ppm := (r.volts(0x48, 2)/150*1e3 - 4) / 16 * 500; ppm < 0 || ppm > 15 {
			t.Fatalf("boiler CO %.1f ppm at %v", ppm, r.now)
		}
	}
	for addr, celsius := range highest {
		if celsius < 29 || celsius > 45 {
			t.Errorf("0x%02x: warmest %.1f °C of two hours", addr, celsius)
		}
	}
	if !opened {
		t.Error("nobody used the roof door")
	}
}
