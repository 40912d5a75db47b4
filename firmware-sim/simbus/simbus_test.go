package simbus_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"nirapod/firmware-sim/simbus"
)

// board is a small simulator: one register device at 0x44, one pin each way.
type board struct {
	mu      sync.Mutex
	written []byte
	out     bool
}

func (b *board) tx(addr uint16, w []byte, n int) ([]byte, error) {
	switch addr {
	case 0x44:
		b.mu.Lock()
		defer b.mu.Unlock()
		b.written = append(b.written[:0], w...)
		return bytes.Repeat([]byte{0xa5}, n), nil
	case 0x50:
		return nil, fmt.Errorf("stretching: %w", simbus.ErrTimeout)
	case 0x51:
		time.Sleep(2 * simbus.Deadline)
		return make([]byte, n), nil
	case 0x52:
		return []byte{1}, nil
	}
	return nil, simbus.ErrNACK
}

func (b *board) read(pin string) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch pin {
	case "SIM_DOOR":
		return true, nil
	case "SIM_LOOP":
		return b.out, nil
	}
	return true, fmt.Errorf("pin %s: not an input", pin)
}

func (b *board) write(pin string, level bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if pin != "SIM_SOUNDER" {
		return fmt.Errorf("pin %s: not an output", pin)
	}
	b.out = level
	return nil
}

func (b *board) buses(name string) (simbus.Handler, bool) {
	switch name {
	case "i2c-1":
		return simbus.I2C(b.tx), true
	case "gpio":
		return simbus.Pins(b.read, b.write), true
	case "echo":
		return func(request []byte) ([]byte, error) { return request, nil }, true
	}
	return nil, false
}

// serve runs b on addr and returns the bound address and a stop that waits.
func serve(t *testing.T, b *board, addr string) (bound string, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- simbus.Serve(ctx, l, b.buses, slog.New(slog.DiscardHandler)) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("Serve ended with %v, want context.Canceled", err)
			}
		})
	}
	t.Cleanup(stop)
	return l.Addr().String(), stop
}

func TestTx(t *testing.T) {
	b := &board{}
	addr, _ := serve(t, b, "127.0.0.1:0")
	bus, err := simbus.DialI2C("sim://" + addr + "/i2c-1")
	if err != nil {
		t.Fatal(err)
	}
	defer bus.Close()

	r := make([]byte, 6)
	if err := bus.Tx(0x44, []byte{0xe0, 0x00}, r); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(r, bytes.Repeat([]byte{0xa5}, 6)) || !bytes.Equal(b.written, []byte{0xe0, 0x00}) {
		t.Errorf("read % x, device saw % x", r, b.written)
	}
	for _, c := range []struct {
		name string
		addr uint16
		want error
	}{
		{"an absent device does not acknowledge", 0x45, simbus.ErrNACK},
		{"a stuck device times out", 0x50, simbus.ErrTimeout},
		{"a simulator that does not answer times out", 0x51, simbus.ErrTimeout},
		{"a device that gives too little is refused", 0x52, simbus.ErrRefused},
		{"the bus works after all of this", 0x44, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := bus.Tx(c.addr, nil, r); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestTxHealsAfterSimulatorRestart(t *testing.T) {
	addr, stop := serve(t, &board{}, "127.0.0.1:0")
	bus, err := simbus.DialI2C("sim://" + addr + "/i2c-1")
	if err != nil {
		t.Fatal(err)
	}
	defer bus.Close()
	r := make([]byte, 1)
	if err := bus.Tx(0x44, nil, r); err != nil {
		t.Fatal(err)
	}
	stop()
	for range 3 {
		if err := bus.Tx(0x44, nil, r); !errors.Is(err, simbus.ErrLink) {
			t.Fatalf("without a simulator: got %v, want ErrLink", err)
		}
	}
	serve(t, &board{}, addr)
	deadline := time.Now().Add(5 * time.Second)
	for bus.Tx(0x44, nil, r) != nil {
		if time.Now().After(deadline) {
			t.Fatal("did not heal")
		}
	}
	if err := bus.Close(); err != nil {
		t.Fatal(err)
	}
	if err := bus.Tx(0x44, nil, r); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: got %v, want net.ErrClosed", err)
	}
}

func TestTxIsBoundedWithoutAPeer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // accepts by backlog, never answers
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	bus, err := simbus.DialI2C("sim://" + l.Addr().String() + "/i2c-1")
	if err != nil {
		t.Fatal(err)
	}
	defer bus.Close()
	start := time.Now()
	if err := bus.Tx(0x44, nil, make([]byte, 1)); !errors.Is(err, simbus.ErrTimeout) {
		t.Errorf("got %v, want ErrTimeout", err)
	}
	if took := time.Since(start); took > 2*simbus.Deadline {
		t.Errorf("took %v, the deadline is %v", took, simbus.Deadline)
	}
}

func TestPins(t *testing.T) {
	addr, stop := serve(t, &board{}, "127.0.0.1:0")
	pins, err := simbus.DialGPIO("sim://" + addr + "/gpio")
	if err != nil {
		t.Fatal(err)
	}
	defer pins.Close()
	if level, err := pins.Read("SIM_DOOR"); err != nil || !level {
		t.Errorf("SIM_DOOR: %v, %v", level, err)
	}
	if err := pins.Write("SIM_SOUNDER", true); err != nil {
		t.Error(err)
	}
	if level, err := pins.Read("SIM_LOOP"); err != nil || !level {
		t.Errorf("the level written did not arrive: %v, %v", level, err)
	}
	if level, err := pins.Read("SIM_SOUNDER"); !errors.Is(err, simbus.ErrRefused) || level {
		t.Errorf("reading an output: %v, %v, want false and ErrRefused", level, err)
	}
	if err := pins.Write("SIM_DOOR", true); !errors.Is(err, simbus.ErrRefused) {
		t.Errorf("writing an input: %v, want ErrRefused", err)
	}
	stop()
	if level, err := pins.Read("SIM_DOOR"); err == nil || level {
		t.Errorf("without a simulator: %v, %v, want false and an error", level, err)
	}
}

func TestOneListenerManyClients(t *testing.T) {
	addr, _ := serve(t, &board{}, "127.0.0.1:0")
	bus, err := simbus.DialI2C("sim://" + addr + "/i2c-1")
	if err != nil {
		t.Fatal(err)
	}
	defer bus.Close()
	var callers sync.WaitGroup
	for i := range 8 {
		callers.Go(func() {
			echo, err := simbus.Open("sim://" + addr + "/echo")
			if err != nil {
				t.Error(err)
				return
			}
			defer echo.Close()
			for n := range 200 {
				want := fmt.Appendf(nil, "%d %d", i, n)
				if got, err := echo.Call(want); err != nil || !bytes.Equal(got, want) {
					t.Errorf("got %q, %v, want %q", got, err, want)
					return
				}
				if err := bus.Tx(0x44, want, make([]byte, 3)); err != nil { // one bus shared by all
					t.Error(err)
					return
				}
			}
		})
	}
	callers.Wait()
}

func TestURLs(t *testing.T) {
	for _, url := range []string{
		"", "i2c-1", "/dev/i2c-1", "tcp://127.0.0.1:1/i2c-1", "sim://127.0.0.1/i2c-1",
		"sim://:1/i2c-1", "sim://127.0.0.1:1", "sim://127.0.0.1:1/", "sim://127.0.0.1:1/a/b",
	} {
		if bus, err := simbus.DialI2C(url); err == nil {
			t.Errorf("%q was taken as %s", url, bus)
		}
	}
	addr, _ := serve(t, &board{}, "127.0.0.1:0")
	bus, err := simbus.DialI2C("sim://" + addr + "/i2c-9")
	if err != nil {
		t.Fatal(err)
	}
	defer bus.Close()
	if err := bus.Tx(0x44, nil, make([]byte, 1)); !errors.Is(err, simbus.ErrRefused) {
		t.Errorf("unknown bus: got %v, want ErrRefused", err)
	}
}

func BenchmarkTx(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- simbus.Serve(ctx, l, (&board{}).buses, slog.New(slog.DiscardHandler)) }()
	defer func() { cancel(); <-done }()
	bus, err := simbus.DialI2C("sim://" + l.Addr().String() + "/i2c-1")
	if err != nil {
		b.Fatal(err)
	}
	defer bus.Close()
	w, r := []byte{0xe0}, make([]byte, 8)
	took := make([]time.Duration, 0, 1<<20)
	for b.Loop() {
		start := time.Now()
		if err := bus.Tx(0x44, w, r); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	reportPercentiles(b, took)
}
