package agent

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/physic"

	sim "nirapod/firmware-sim"
	"nirapod/gateway-agent/annunciate"
	"nirapod/gateway-agent/device/ads1115"
	"nirapod/gateway-agent/device/contact"
	"nirapod/gateway-agent/device/eol"
	"nirapod/gateway-agent/device/hdc302x"
	"nirapod/gateway-agent/device/loop420"
	"nirapod/safety"
)

var quiet = slog.New(slog.DiscardHandler)

// bench is a simulated board on the clock of a synctest bubble: hours of it
// take no time.
type bench struct {
	t     *testing.T
	world *sim.World
	begun time.Time
	got   []sample
}

func onBench(t *testing.T, test func(*bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sc, err := sim.Load("calm", "")
		if err != nil {
			t.Fatal(err)
		}
		test(&bench{t: t, world: sim.New(sc, 1), begun: time.Now()})
	})
}

func (b *bench) Tx(addr uint16, w, r []byte) error {
	in, err := b.world.Transact(b.now(), "i2c-1", addr, w, len(r))
	copy(r, in)
	return err
}
func (b *bench) SetSpeed(physic.Frequency) error { return nil }
func (b *bench) String() string                  { return "bench" }
func (b *bench) Read(pin string) (bool, error)   { return b.world.ReadPin(b.now(), pin) }
func (b *bench) Write(string, bool) error        { return nil }
func (b *bench) Close() error                    { return nil }

func (b *bench) now() time.Duration     { return time.Since(b.begun) }
func (b *bench) mono() int64            { return b.now().Milliseconds() }
func (b *bench) emit(samples ...sample) { b.got = append(b.got, samples...) }
func (b *bench) edge() edge             { return edge{log: quiet} }
func (b *bench) fault(target string, kind sim.FaultKind) {
	b.t.Helper()
	if err := b.world.Inject(b.now(), sim.Fault{Target: target, Kind: kind}); err != nil {
		b.t.Fatal(err)
	}
}

// run lets a device run for a while, and waits for it to end.
func (b *bench) run(device func(context.Context) error, d time.Duration) []sample {
	b.t.Helper()
	b.got = nil
	ctx, cancel := context.WithTimeout(b.t.Context(), d)
	defer cancel()
	if err := device(ctx); !errors.Is(err, context.DeadlineExceeded) {
		b.t.Fatalf("device ended by itself: %v", err)
	}
	return b.got
}

func of(sensor string, all []sample) (mine []sample) {
	for _, s := range all {
		if s.Sensor == sensor {
			mine = append(mine, s)
		}
	}
	return mine
}

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
			if n := len(mine); n < 540 || n > 610 {
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

func TestLinesAreWrittenSounderFirstAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var wrote []string
		failing := true
		bank := fakePins(func(pin string, level bool) error {
			if failing && pin == "E" {
				return errors.New("gone")
			}
			if level {
				wrote = append(wrote, pin)
			}
			return nil
		})
		drives := inOrder([]drive{
			{Output{ID: "buzzer", Kind: OutputStaff, Pin: "S"}, bank},
			{Output{ID: "lamp", Kind: OutputBeacon, Pin: "B", ActiveLow: true}, bank},
			{Output{ID: "sounder", Kind: OutputEvacuate, Pin: "E"}, bank},
		})
		var told []bool
		o := newOutputs(drives, func(b bool) { told = append(told, b) }, quiet)
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		o.set(annunciate.Outputs{Staff: true, Evacuate: true})
		go func() {
			time.Sleep(250 * time.Millisecond)
			failing, wrote = false, nil
		}()
		if err := o.run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if len(wrote) != 6 || wrote[0] != "E" || wrote[1] != "S" || wrote[2] != "B" {
			t.Errorf("wrote %v, want sounder, buzzer and the inverted lamp, twice", wrote)
		}
		if len(told) != 2 || !told[0] || told[1] {
			t.Errorf("told %v, want broken, then sound", told)
		}
	})
}

type fakePins func(pin string, level bool) error

func (f fakePins) Read(string) (bool, error)          { return false, nil }
func (f fakePins) Write(pin string, level bool) error { return f(pin, level) }
func (f fakePins) Close() error                       { return nil }

func TestTimeOfTheRulesNeverJumps(t *testing.T) {
	begin := time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	first := newEpoch(5000, begin, time.Time{})
	if got := first.at(5000); !got.Equal(begin) || first.mono(got) != 5000 {
		t.Errorf("begins at %v", got)
	}
	newest := first.at(65_000)
	rebooted := newEpoch(3000, time.Unix(0, 0), newest)
	if got := rebooted.at(3000).Sub(newest); got != pause {
		t.Errorf("%v between the runs, whatever the wall clock says; want %v", got, pause)
	}
}

func TestAttended(t *testing.T) {
	at := func(clock string) time.Time { // Dhaka
		c, err := time.ParseInLocation("2006-01-02 15:04", "2026-11-22 "+clock, dhaka)
		if err != nil {
			t.Fatal(err)
		}
		return c.UTC()
	}
	day, night := []Hours{{"08:00", "20:00"}}, []Hours{{"22:00", "06:00"}}
	for _, c := range []struct {
		hours []Hours
		clock string
		want  bool
	}{
		{day, "08:00", true}, {day, "07:59", false}, {day, "19:59", true}, {day, "20:00", false},
		{night, "23:00", true}, {night, "05:59", true}, {night, "06:00", false},
		{[]Hours{{"00:00", "24:00"}}, "23:59", true}, {nil, "12:00", false},
	} {
		if got := attended(c.hours, at(c.clock)); got != c.want {
			t.Errorf("%v at %s: %v", c.hours, c.clock, got)
		}
	}
	if attended([]Hours{{"00:00", "24:00"}}, time.Time{}) {
		t.Error("somebody is there although nobody knows the time")
	}
}

func TestKeptFiles(t *testing.T) {
	dir := t.TempDir()
	k := newKeeper(dir, func(bool) {}, quiet)
	k.keep("a", []byte(`{"x":1}`), false)
	k.keep("a", []byte(`{"x":2}`), true)
	if err := k.flush(); err != nil {
		t.Fatal(err)
	}
	var v struct{ X int }
	if found, err := recall(dir, "a", &v); !found || err != nil || v.X != 2 {
		t.Errorf("found %v, %v, %+v", found, err, v)
	}
	if found, err := recall(dir, "b", &v); found || err != nil {
		t.Errorf("a file that was never kept: found %v, %v", found, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "torn"), []byte(`{"x":`), 0o600); err != nil {
		t.Fatal(err)
	}
	if found, err := recall(dir, "torn", &v); found || err == nil {
		t.Errorf("a torn file: found %v, %v", found, err)
	}
	if found, err := recall(dir, "torn", &v); found || err != nil {
		t.Errorf("the torn file the second time: found %v, %v; want it set aside", found, err)
	}
}
