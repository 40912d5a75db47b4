package rs485_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"testing"

	sim "nirapod/firmware-sim"
	"nirapod/gateway-agent/device"
	"nirapod/gateway-agent/device/rs485"
)

// simulator serves the demo's building and returns its address.
func simulator(t *testing.T) (addr string, world *sim.Client) {
	t.Helper()
	sc, err := sim.Load("calm", "")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- sim.NewServer(sim.New(sc, 1), slog.New(slog.DiscardHandler)).Run(ctx, l) }()
	if world, err = sim.DialWorld(l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = world.Close()
		cancel()
		<-done
	})
	return l.Addr().String(), world
}

func TestLineReadsUnitsInTurn(t *testing.T) {
	addr, world := simulator(t)
	line := rs485.New("rtuovertcp://"+addr, 0)
	defer line.Close()
	read := func(unit uint8, want error, in uint16) {
		t.Helper()
		words, err := line.Input(unit, 0, 7)
		if !errors.Is(err, want) {
			t.Fatalf("unit %d: %v, want %v", unit, err, want)
		}
		if want == nil && (words[0] != 0x5043 || !slices.Equal(words[3:], []uint16{0, in, 0, 0})) {
			t.Errorf("unit %d: %x, want %d entered", unit, words, in)
		}
	}
	read(1, nil, 182)
	read(2, nil, 12)
	read(3, device.ErrTimeout, 0) // nobody there
	read(1, nil, 182)             // and the others still answer
	if _, err := line.Input(1, 100, 7); !errors.Is(err, device.ErrImplausible) {
		t.Errorf("registers that are not there: %v", err)
	}
	read(2, nil, 12)
	if err := world.Inject(sim.Fault{Target: "rs485-1/1", Kind: sim.BadCRC}); err != nil {
		t.Fatal(err)
	}
	read(1, device.ErrCRC, 0)
	read(2, nil, 12)
	if err := world.Repair("rs485-1/1"); err != nil {
		t.Fatal(err)
	}
	read(1, nil, 182)
}

func TestLineThatIsNotThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	line := rs485.New("rtuovertcp://"+addr, 0)
	for range 2 { // the second is not tried, and says the same
		if _, err := line.Input(1, 0, 1); !errors.Is(err, device.ErrTimeout) {
			t.Errorf("%v, want a time-out", err)
		}
	}
	if err := line.Close(); err != nil {
		t.Error(err)
	}
}
