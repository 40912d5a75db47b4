package bench

import (
	"fmt"
	"math"
	"time"

	"nirapod/safety"
	"nirapod/wire"
)

const (
	factory  = "bench"
	perPack  = 10 // readings
	stepTilt = 7  // ms by which each gateway reads later than the one before
)

// load is all that the gateways of a run measure, as a function of sensor and
// step: whoever sends, looks for losses or replays computes the same readings.
type load struct {
	gateways, sensors int // sensors of each gateway
	period            time.Duration
	start             time.Time // of step 0
	steps             int       // how often each sensor is read, once that is known
}

func (l load) readings() int       { return l.gateways * l.sensors * l.steps }
func (l load) packs(steps int) int { return l.sensors * steps / perPack } // of each gateway

var quantities = []struct {
	of         safety.Quantity
	base, jump float64
}{
	{safety.Temperature, 28, 24}, {safety.Humidity, 58, 26}, {safety.CO, 8, 60}, {safety.CO2, 700, 1300}, {safety.Noise, 70, 25},
}

func gatewayID(g int) string { return fmt.Sprintf("gw-%03d", g) }

func sensorID(g, s int) string { return fmt.Sprintf("gw-%03d-s%03d", g, s) }

func (l load) quantity(s int) safety.Quantity { return quantities[s%len(quantities)].of }

// at is when sensor s of gateway g is read for the nth time.
func (l load) at(g, s, n int) time.Time {
	within := time.Duration(s) * l.period / time.Duration(l.sensors)
	return l.start.Add(time.Duration(n)*l.period + within + time.Duration(g%10*stepTilt)*time.Millisecond).Truncate(time.Millisecond)
}

// value is quiet but for a jump of 20 s every 10 minutes, at another moment for
// each sensor; one sensor in fifty jumps for 200 s every 20 minutes instead.
func (l load) value(g, s, n int) float64 {
	q, id := quantities[s%len(quantities)], uint64(g*l.sensors+s)
	every, lasts := 600*time.Second, 20*time.Second
	if id%50 == 7 {
		every, lasts = 1200*time.Second, 200*time.Second
	}
	cycle, high := uint64(every/l.period), uint64(lasts/l.period)
	v := q.base + float64(scramble(id<<32|uint64(n))%100)/100
	if (uint64(n)+scramble(id)%cycle)%cycle < high {
		v += q.jump
	}
	return math.Round(v*100) / 100
}

// scramble is splitmix64.
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (l load) reading(g, s, n int) safety.Reading {
	return safety.Reading{Sensor: sensorID(g, s), Value: l.value(g, s, n), Quality: safety.Good, At: l.at(g, s, n)}
}

// due is when the last reading of a gateway's pack k is taken.
func (l load) due(g, k int) time.Time {
	r := (k+1)*perPack - 1
	return l.at(g, r%l.sensors, r/l.sensors)
}

// pack is pack k of gateway g, sent now. The names are the gateway's own.
func (l load) pack(g, k int, run string, names []string, now time.Time) wire.Pack {
	p := wire.Pack{
		Factory: factory, Gateway: gatewayID(g), Run: run, Stream: wire.Readings, First: uint64(k*perPack) + 1,
		Boot: "bench-" + run, Mono: now.Sub(l.start).Milliseconds(), Clock: wire.Synced, Sent: now,
		Records: make([]wire.Record, perPack),
	}
	for i := range p.Records {
		s, n := (k*perPack+i)%l.sensors, (k*perPack+i)/l.sensors
		p.Records[i] = wire.Record{
			At: l.at(g, s, n), Unit: l.quantity(s).Unit(),
			Reading: safety.Reading{Sensor: names[s], Value: l.value(g, s, n), Quality: safety.Good},
		}
	}
	return p
}

// end is when the last reading is made.
func (l load) end() time.Time {
	var last time.Time
	for g := range l.gateways {
		if at := l.at(g, l.sensors-1, l.steps-1); at.After(last) {
			last = at
		}
	}
	return last
}
