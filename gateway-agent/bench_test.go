package agent

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/physic"

	sim "nirapod/firmware-sim"
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
