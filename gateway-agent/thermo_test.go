package agent

import (
	"testing"
	"time"

	sim "nirapod/firmware-sim"
	"nirapod/gateway-agent/device/hdc302x"
	"nirapod/safety"
)

func (b *bench) thermo() *thermo {
	return &thermo{
		dev: hdc302x.New(b, 0x44), temperature: "t", humidity: "rh", period: time.Second,
		mono: b.mono, emit: b.emit, edge: b.edge(),
	}
}

func TestThermometerGivesOneGoodSampleASecondForAnHour(t *testing.T) {
	onBench(t, func(b *bench) {
		got := of("t", b.run(b.thermo().run, time.Hour))
		if n := len(got); n < 3590 || n > 3601 {
			t.Errorf("%d samples in an hour", n)
		}
		for i, s := range got {
			if s.Quality != safety.Good || s.Value < 20 || s.Value > 40 {
				t.Fatalf("sample %d: %+v", i, s)
			}
			if i > 0 && s.mono <= got[i-1].mono {
				t.Fatalf("sample %d at %d after %d", i, s.mono, got[i-1].mono)
			}
		}
	})
}

func TestFrozenThermometerIsStuckWithinTwoMinutesAndRecovers(t *testing.T) {
	onBench(t, func(b *bench) {
		th := b.thermo()
		b.run(th.run, 10*time.Second)
		b.fault("i2c-1/0x44", sim.Frozen)
		got := of("t", b.run(th.run, 2*time.Minute))
		if last := got[len(got)-1]; last.Reason != safety.Stuck || last.Value != 0 {
			t.Errorf("after two minutes frozen: %+v", last)
		}
		if err := b.world.Repair(b.now(), "i2c-1/0x44"); err != nil {
			t.Fatal(err)
		}
		got = of("t", b.run(th.run, 5*time.Second))
		if last := got[len(got)-1]; last.Quality != safety.Good {
			t.Errorf("repaired: %+v", last)
		}
	})
}

func TestThermometerBeyondItsRange(t *testing.T) {
	raw := func(celsius float64) uint16 { return uint16((celsius + 45) / 175 * 65535) }
	th := &thermo{temperature: "t"}
	for _, step := range []struct {
		name    string
		celsius float64
		want    safety.Reading
	}{
		{"a room", 25, safety.Reading{Quality: safety.Good}},
		{"a broken element jumps to the end", 129.9, safety.Reading{Quality: safety.Bad, Reason: safety.OutOfRange}},
		{"hot", 90, safety.Reading{Quality: safety.Good}},
		{"a fire beyond the range is no silence", 129.9, safety.Reading{Value: 125, Quality: safety.Uncertain, Reason: safety.OutOfRange}},
		{"below the range is a fault", -44, safety.Reading{Quality: safety.Bad, Reason: safety.OutOfRange}},
	} {
		got := th.heat(hdc302x.Sample{RawT: raw(step.celsius), RawRH: 1000}, 0).Reading
		if got.Quality == safety.Good {
			got.Value = 0
		}
		step.want.Sensor = "t"
		if got != step.want {
			t.Errorf("%s: %+v, want %+v", step.name, got, step.want)
		}
	}
}
