package rs485_test

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net"
	"slices"
	"testing"
	"time"

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
		words, err := line.Read(unit, rs485.Input, 0, 7)
		if !errors.Is(err, want) {
			t.Fatalf("unit %d: %v, want %v", unit, err, want)
		}
		if want == nil && (words[0] != 0x5043 || !slices.Equal(words[3:], []uint16{0, in, 0, 0})) {
			t.Errorf("unit %d: %x, want %d entered", unit, words, in)
		}
	}
	read(1, nil, 182)
	read(2, nil, 12)
	read(4, device.ErrTimeout, 0) // nobody there
	read(1, nil, 182)             // and the others still answer
	if _, err := line.Read(1, rs485.Input, 100, 7); !errors.Is(err, device.ErrImplausible) {
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
		if _, err := line.Read(1, rs485.Input, 0, 1); !errors.Is(err, device.ErrTimeout) {
			t.Errorf("%v, want a time-out", err)
		}
	}
	if err := line.Close(); err != nil {
		t.Error(err)
	}
}

func TestWhatUnitsDoHasItsKind(t *testing.T) {
	addr, world := simulator(t)
	line := rs485.New("rtuovertcp://"+addr, 0)
	defer line.Close()
	for _, c := range []struct {
		fault sim.Fault
		want  error
	}{
		{sim.Fault{Kind: sim.Exception}, device.ErrImplausible},           // it failed
		{sim.Fault{Kind: sim.Exception, Value: 2}, device.ErrImplausible}, // no such register
		{sim.Fault{Kind: sim.Exception, Value: 6}, device.ErrNACK},        // busy
		{sim.Fault{Kind: sim.Exception, Value: 11}, device.ErrTimeout},    // a gateway says that nobody answers
		{sim.Fault{Kind: sim.BadCRC}, device.ErrCRC},
		{sim.Fault{Kind: sim.WrongUnit}, device.ErrStray},
		{sim.Fault{Kind: sim.NACK}, device.ErrTimeout},
	} {
		c.fault.Target = "rs485-1/3"
		if err := world.Inject(c.fault); err != nil {
			t.Fatal(err)
		}
		if _, err := line.Read(3, rs485.Input, 0, 2); !errors.Is(err, c.want) {
			t.Errorf("%s %g: %v, want %v", c.fault.Kind, c.fault.Value, err, c.want)
		}
		if _, err := line.Read(1, rs485.Input, 0, 7); err != nil {
			t.Errorf("%s %g: the neighbour: %v", c.fault.Kind, c.fault.Value, err)
		}
		if err := world.Repair("rs485-1/3"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(1100 * time.Millisecond) // until nothing late can come
		for _, table := range []rs485.Table{rs485.Input, rs485.Holding} {
			if words, err := line.Read(3, table, 0, 2); err != nil || len(words) != 2 {
				t.Errorf("%s %g is over: %v", c.fault.Kind, c.fault.Value, err)
			}
		}
	}
}

// The gauge's value falls by 5 bar a second, so that the age of an answer can be
// read off it. For four seconds its answers come 0.6 s late, to whoever is on
// the line then: into the next request, or onto a line that rests.
func TestALateAnswerIsNeverTakenForThisOne(t *testing.T) {
	addr, world := simulator(t)
	line := rs485.New("rtuovertcp://"+addr, 0)
	defer line.Close()
	for _, f := range []sim.Fault{{Kind: sim.Drift, Value: -300}, {Kind: sim.Late, Value: 0.6, For: 4 * time.Second}} {
		f.Target = "rs485-1/3"
		if err := world.Inject(f); err != nil {
			t.Fatal(err)
		}
	}
	begun := time.Now()
	believed, neighbour := 0, 0
	gauge := func() {
		asked := time.Since(begun)
		words, err := line.Read(3, rs485.Input, 0, 2)
		if err != nil && !errors.Is(err, device.ErrTimeout) {
			t.Errorf("%v: %v, want no answer in time", asked, err)
		}
		if err != nil {
			return
		}
		believed++
		bits := uint32(words[0])<<16 | uint32(words[1])
		if bar, most := float64(math.Float32frombits(bits)), 6.4-5*asked.Seconds(); bar > most {
			t.Errorf("%.2f bar asked for at %v: it was at most %.2f then", bar, asked, most)
		}
	}
	for _, rest := range []time.Duration{0, 1200, 0, 800, 1200, 400, 1200, 0, 0, 1000, 0, 0, 0} {
		gauge()
		gauge()
		if words, err := line.Read(1, rs485.Input, 0, 7); err == nil && words[0] == 0x5043 {
			neighbour++
		}
		time.Sleep(rest * time.Millisecond)
	}
	if believed < 4 || neighbour < 10 {
		t.Errorf("%d answers believed after the fault, %d of the neighbour", believed, neighbour)
	}
}
