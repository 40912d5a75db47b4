package device_test

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/physic"

	"nirapod/firmware-sim/simbus"
	"nirapod/gateway-agent/device"
	"nirapod/safety"
)

// bus answers with the byte of the address; the device at hung never answers
// until release is closed.
type bus struct {
	hung    uint16
	release chan struct{}
	err     error
}

func (b *bus) Tx(addr uint16, _, r []byte) error {
	if addr == b.hung {
		<-b.release
	}
	for i := range r {
		r[i] = byte(addr)
	}
	return b.err
}
func (b *bus) SetSpeed(physic.Frequency) error { return nil }
func (b *bus) String() string                  { return "test" }

func TestHungDeviceIsLeftAloneAndTheOthersGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := &bus{hung: 0x44, release: make(chan struct{})}
		shared := device.NewBus(wire)
		sick, well := shared.Port(0x44, 100*time.Millisecond), shared.Port(0x45, 100*time.Millisecond)

		start := time.Now()
		in := make([]byte, 1)
		if err := sick.Tx(0x44, nil, in); !errors.Is(err, device.ErrTimeout) || time.Since(start) != 100*time.Millisecond {
			t.Fatalf("hung device: %v after %v, want a timeout after its limit", err, time.Since(start))
		}
		if err := sick.Tx(0x44, nil, in); !errors.Is(err, device.ErrRefused) {
			t.Fatalf("second try at once: %v, want refused", err)
		}
		if err := well.Tx(0x45, nil, in); !errors.Is(err, device.ErrTimeout) {
			t.Fatalf("neighbour while the wire is held: %v, want its own timeout", err)
		}
		close(wire.release)
		synctest.Wait()
		if err := well.Tx(0x45, nil, in); err != nil || in[0] != 0x45 {
			t.Fatalf("neighbour after the wire is free: %v, % x", err, in)
		}
		if err := sick.Tx(0x44, nil, in); !errors.Is(err, device.ErrRefused) {
			t.Fatalf("the hung device within its rest: %v, want refused", err)
		}
		time.Sleep(2 * time.Second)
		if err := sick.Tx(0x44, nil, in); err != nil || in[0] != 0x44 {
			t.Fatalf("the hung device after its rest: %v, % x", err, in)
		}
		if got, want := sick.Counts(), (device.Counts{OK: 1, Timeout: 1, Refused: 2}); got != want {
			t.Fatalf("counts %+v, want %+v", got, want)
		}
	})
}

func TestKindsAndReasons(t *testing.T) {
	cases := []struct {
		name string
		err  error
		kind error
		want safety.Reason
	}{
		{"simulated device absent", fmt.Errorf("x: %w", simbus.ErrNACK), device.ErrNACK, safety.NACK},
		{"simulator gone", fmt.Errorf("x: %w", simbus.ErrLink), device.ErrTimeout, safety.Timeout},
		{"Linux adapter, device absent", syscall.ENXIO, device.ErrNACK, safety.NACK},
		{"as periph formats it", errors.New("sysfs-i2c: " + syscall.ENXIO.Error()), device.ErrNACK, safety.NACK},
		{"Linux adapter, clock held low", errors.New("sysfs-i2c: " + syscall.ETIMEDOUT.Error()), device.ErrTimeout, safety.Timeout},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			port := device.NewBus(&bus{err: c.err}).Port(0x50, time.Second)
			err := port.Tx(0x50, nil, make([]byte, 1))
			if !errors.Is(err, c.kind) || !errors.Is(err, c.err) || device.Reason(err) != c.want {
				t.Errorf("%v: reason %q, want kind %v and reason %q", err, device.Reason(err), c.kind, c.want)
			}
		})
	}
}
