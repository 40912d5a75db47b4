package agent

import (
	"testing"
	"time"

	sim "nirapod/firmware-sim"
	"nirapod/gateway-agent/device/ads1115"
	"nirapod/gateway-agent/device/contact"
	"nirapod/gateway-agent/device/eol"
	"nirapod/gateway-agent/device/loop420"
	"nirapod/safety"
)

func (b *bench) analog() *analog {
	return &analog{
		dev: ads1115.New(b, 0x48), supply: 3, nominal: 3.3, period: time.Second,
		loops: []*loop{
			{sensor: "store", input: 0, Loop: eol.NewLoop(eol.Profiles["eol-4k7-1k"])},
			{sensor: "sewing", input: 1, Loop: eol.NewLoop(eol.Profiles["eol-4k7-1k"])},
		},
		transmitters: []*transmitter{{sensor: "co", input: 2,
			Loop: loop420.Loop{Model: loop420.Models["ne43"], Shunt: 150, Span: [2]float64{0, 500}}}},
		mono: b.mono, emit: b.emit, edge: b.edge(),
	}
}

func TestAlarmOfALoopIsToldWithinAFifthOfASecond(t *testing.T) {
	onBench(t, func(b *bench) {
		a := b.analog()
		b.run(a.run, 5*time.Second)
		if err := b.world.Set(b.now(), sim.Setting{Zone: "store", Quantity: "smoke_od", Value: 50}); err != nil {
			t.Fatal(err)
		}
		at := b.mono()
		for _, s := range of("store", b.run(a.run, 3*time.Second)) {
			if s.Value == 1 && s.Quality == safety.Good {
				if s.mono-at > 200 {
					t.Errorf("told after %d ms", s.mono-at)
				}
				return
			}
		}
		t.Error("never told")
	})
}

func TestACutLoopIsDoubtedAtOnceAndAFaultAfterTwoSeconds(t *testing.T) {
	onBench(t, func(b *bench) {
		a := b.analog()
		b.run(a.run, 5*time.Second)
		b.fault("store-smoke", sim.LoopOpen)
		at := b.mono()
		got := of("store", b.run(a.run, 4*time.Second))
		if first := got[0]; first.Quality != safety.Uncertain || first.Reason != safety.WireOpen || first.mono-at > 150 {
			t.Errorf("first: %+v %d ms after", first, first.mono-at)
		}
		for _, s := range got {
			if s.Quality == safety.Bad {
				if after := s.mono - at; s.Reason != safety.WireOpen || after < 1900 || after > 2300 {
					t.Errorf("fault %s after %d ms", s.Reason, after)
				}
				return
			}
		}
		t.Error("never a fault")
	})
}

func TestLoopsAndTransmitterGiveAReadingASecond(t *testing.T) {
	onBench(t, func(b *bench) {
		got := b.run(b.analog().run, 10*time.Minute)
		for _, sensor := range []string{"store", "sewing", "co"} {
			mine := of(sensor, got)
			if n := len(mine); n < 595 || n > 602 {
				t.Errorf("%s: %d readings in ten minutes", sensor, n)
			}
			for i, s := range mine {
				if s.Quality != safety.Good {
					t.Fatalf("%s: reading %d: %+v", sensor, i, s)
				}
			}
		}
	})
}

func TestSupplyOfTheLoopsIsWatched(t *testing.T) {
	onBench(t, func(b *bench) {
		a := b.analog()
		a.nominal = 4
		got := of("store", b.run(a.run, 3*time.Second))
		if last := got[len(got)-1]; last.Reason != safety.Implausible {
			t.Errorf("3.3 V where 4 V are wanted: %+v", last)
		}
	})
}

func TestContactsThroughBounce(t *testing.T) {
	onBench(t, func(b *bench) {
		c := &contacts{bank: b, mono: b.mono, emit: b.emit, edge: b.edge(), wires: []*switchLine{
			{sensor: "call", pin: "SIM_CALL_1", period: time.Second, in: contact.New(holdCallPoint, true)},
			{sensor: "door", pin: "SIM_ROOF_DOOR", period: time.Second, in: contact.New(holdContact, false)},
		}}
		b.run(c.run, 2*time.Second)
		for _, pin := range []string{"SIM_CALL_1", "SIM_ROOF_DOOR"} {
			if err := b.world.Set(b.now(), sim.Setting{Pin: pin, Level: true, For: 500 * time.Millisecond}); err != nil {
				t.Fatal(err)
			}
		}
		got := b.run(c.run, 3*time.Second)
		door := of("door", got)
		if len(door) < 4 || door[0].Value != 1 || door[1].Value != 0 {
			t.Errorf("door: %+v", door)
		}
		call := of("call", got)
		if last := call[len(call)-1]; last.Value != 1 || call[0].mono-2000 > 150 {
			t.Errorf("call point: %+v", call)
		}
		if released := c.release(); len(released) != 1 || released[0].Sensor != "call" || released[0].Value != 0 {
			t.Errorf("released %+v", released)
		}
	})
}
