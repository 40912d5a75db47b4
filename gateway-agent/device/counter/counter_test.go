package counter_test

import (
	"errors"
	"testing"
	"time"

	"nirapod/gateway-agent/device"
	"nirapod/gateway-agent/device/counter"
)

// unit is what stands in the registers; nil does not answer.
type unit struct{ words []uint16 }

func (u *unit) read(first, n uint16) ([]uint16, error) {
	if u.words == nil {
		return nil, device.ErrTimeout
	}
	return u.words[first : first+n], nil
}

func says(status, beat uint16, in, out uint32) []uint16 {
	return []uint16{0x5043, status, beat, uint16(in >> 16), uint16(in), uint16(out >> 16), uint16(out)}
}

func TestACountIsAnInterval(t *testing.T) {
	for _, c := range []struct {
		in, out   uint32
		low, high float64
	}{
		{0, 0, 0, 0},
		{1, 0, 1, 1},
		{20, 0, 19, 21},
		{182, 0, 173, 191}, // 182 ± 9.1
		{182, 182, 0, 18},  // nobody, or 18: not proved empty
		{100, 105, 0, 5},   // -5 ± 10.25
		{70000, 69900, 0, 7095},
	} {
		u := &unit{says(1, 0, c.in, c.out)}
		got, err := counter.New(u.read).Count(0)
		if err != nil || got != (counter.Count{Low: c.low, High: c.high}) {
			t.Errorf("%d in, %d out: %+v, %v; want %g to %g", c.in, c.out, got, err, c.low, c.high)
		}
	}
}

func TestWhatCannotBeBelieved(t *testing.T) {
	other := says(1, 0, 10, 0)
	other[0] = 0x2601
	for _, c := range []struct {
		name  string
		words []uint16
		want  error
	}{
		{"silent", nil, device.ErrTimeout},
		{"another instrument", other, device.ErrImplausible},
		{"not set to zero since power on", says(2, 0, 0, 0), device.ErrImplausible},
		{"view blocked, or any other status", says(3, 0, 10, 0), device.ErrImplausible},
		{"more have left than can be a miscount", says(1, 0, 100, 130), device.ErrImplausible},
	} {
		u := &unit{c.words}
		if got, err := counter.New(u.read).Count(0); !errors.Is(err, c.want) {
			t.Errorf("%s: %+v, %v; want %v", c.name, got, err, c.want)
		}
	}
}

func TestAFrozenUnitIsNotBelieved(t *testing.T) {
	u := &unit{says(1, 7, 10, 0)}
	d := counter.New(u.read)
	for _, c := range []struct {
		at   time.Duration
		beat uint16
		want error
	}{
		{0, 7, nil}, {15 * time.Second, 7, nil}, {16 * time.Second, 7, device.ErrStuck}, {time.Minute, 7, device.ErrStuck},
		{61 * time.Second, 8, nil}, {70 * time.Second, 8, nil},
	} {
		u.words = says(1, c.beat, 10, 0)
		if _, err := d.Count(c.at); !errors.Is(err, c.want) {
			t.Errorf("beat %d at %v: %v, want %v", c.beat, c.at, err, c.want)
		}
	}
}

func TestCountsDoNotGoBackwardsButToZero(t *testing.T) {
	u := &unit{}
	d := counter.New(u.read)
	for i, c := range []struct {
		in, out uint32
		want    error
	}{
		{50, 3, nil}, {50, 3, nil}, {49, 3, device.ErrImplausible}, {60, 2, device.ErrImplausible}, {60, 3, nil}, {0, 0, nil}, {1, 0, nil},
	} {
		u.words = says(1, uint16(i), c.in, c.out)
		if _, err := d.Count(time.Duration(i) * time.Second); !errors.Is(err, c.want) {
			t.Errorf("step %d, %d in and %d out: %v, want %v", i, c.in, c.out, err, c.want)
		}
	}
}
