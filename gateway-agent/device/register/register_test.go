package register_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"nirapod/gateway-agent/device"
	"nirapod/gateway-agent/device/register"
	"nirapod/safety"
)

func bar(l register.Layout) register.Layout {
	if l.Scale == 0 {
		l.Scale = 1
	}
	l.Range = [2]float64{-0.1, 16}
	return l
}

func TestLayouts(t *testing.T) {
	for _, c := range []struct {
		name   string
		layout register.Layout
		words  []uint16
		want   float64
	}{
		{"a float, high word first: 8.75 bar of a maker's example", bar(register.Layout{Type: register.Float32}), []uint16{0x410c, 0x0000}, 8.75},
		{"a float, low word first", bar(register.Layout{Type: register.Float32, LowFirst: true}), []uint16{0x0000, 0x410c}, 8.75},
		{"hundredths with a sign", bar(register.Layout{Type: register.Int16, Scale: 0.01}), []uint16{0xfffb}, -0.05},
		{"hundredths without", bar(register.Layout{Type: register.Uint16, Scale: 0.0001}), []uint16{0xfffb}, 6.5531},
		{"kPa absolute", bar(register.Layout{Type: register.Uint16, Scale: 0.01, Offset: -1.013}), []uint16{701}, 5.997},
	} {
		if err := c.layout.Validate(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if int(c.layout.Words()) != len(c.words) {
			t.Errorf("%s: %d words", c.name, c.layout.Words())
		}
		r, err := register.New(c.layout, func() ([]uint16, error) { return c.words, nil }).Read(0)
		if err != nil || r.Quality != safety.Good || math.Abs(r.Value-c.want) > 1e-9 {
			t.Errorf("%s: %+v, %v; want %g", c.name, r, err, c.want)
		}
	}
}

func TestLayoutsThatCannotBeRead(t *testing.T) {
	good := bar(register.Layout{Type: register.Int16})
	for name, change := range map[string]func(*register.Layout){
		"no type":              func(l *register.Layout) { l.Type = "" },
		"order of one word":    func(l *register.Layout) { l.LowFirst = true },
		"scale 0":              func(l *register.Layout) { l.Scale = 0 },
		"endless offset":       func(l *register.Layout) { l.Offset = math.Inf(1) },
		"range upside down":    func(l *register.Layout) { l.Range = [2]float64{16, 0} },
		"no range":             func(l *register.Layout) { l.Range = [2]float64{} },
		"range without an end": func(l *register.Layout) { l.Range[1] = math.Inf(1) },
		"negative patience":    func(l *register.Layout) { l.Stuck = -1 },
	} {
		l := good
		change(&l)
		if err := l.Validate(); !errors.Is(err, safety.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// step is what the unit says at a second, and what comes of it.
type step struct {
	at    time.Duration
	value float32
	err   error
	want  safety.Reading
}

func good(v float64) safety.Reading { return safety.Reading{Value: v, Quality: safety.Good} }

func bad(why safety.Reason) safety.Reading { return safety.Reading{Reason: why} }

func TestWhatCannotBeBelieved(t *testing.T) {
	nan := float32(math.NaN())
	over := safety.Reading{Value: 16, Quality: safety.Uncertain, Reason: safety.OutOfRange}
	for name, steps := range map[string][]step{
		"what the bus and the unit did": {
			{value: 6, want: good(6)},
			{err: device.ErrTimeout, want: bad(safety.Timeout)}, {err: device.ErrCRC, want: bad(safety.CRC)},
			{err: device.ErrNACK, want: bad(safety.NACK)}, {err: device.ErrStray, want: bad(safety.Stale)},
			{err: device.ErrImplausible, want: bad(safety.Implausible)}, {value: 6, want: good(6)},
		},
		"not a number":                           {{value: nan, want: bad(safety.Implausible)}, {value: float32(math.Inf(1)), want: bad(safety.Implausible)}},
		"below the range is a broken instrument": {{value: 0, want: good(0)}, {value: -0.5, want: bad(safety.OutOfRange)}},
		"above it too, from one poll to the next": {
			{value: 6, want: good(6)}, {value: 17, want: bad(safety.OutOfRange)}, {value: 17, want: bad(safety.OutOfRange)},
		},
		"above it is the end of the scale where it has risen there": {
			{value: 6, want: good(6)}, {value: 9, want: good(9)}, {value: 15, want: good(15)}, {value: 17, want: over}, {value: 18, want: over},
			{value: 12, want: good(12)}, {value: 4, want: good(4)}, {value: 17, want: bad(safety.OutOfRange)},
		},
		"a number that stands is stuck, until it moves": {
			{value: 6, want: good(6)}, {at: 59, value: 6, want: good(6)}, {at: 60, value: 6, want: bad(safety.Stuck)},
			{at: 61, value: 6.5, want: good(6.5)}, {at: 120, value: 6.5, want: good(6.5)}, {at: 121, value: 6.5, want: bad(safety.Stuck)},
		},
	} {
		var now step
		l := bar(register.Layout{Type: register.Float32, Stuck: time.Minute})
		d := register.New(l, func() ([]uint16, error) {
			bits := math.Float32bits(now.value)
			return []uint16{uint16(bits >> 16), uint16(bits)}, now.err
		})
		for i, now2 := range steps {
			now = now2
			got, err := d.Read(now.at * time.Second)
			if got != now.want || now.err != nil && !errors.Is(err, now.err) {
				t.Errorf("%s: step %d: %+v, %v; want %+v", name, i, got, err, now.want)
			}
		}
	}
	short := register.New(bar(register.Layout{Type: register.Float32}), func() ([]uint16, error) { return []uint16{1}, nil })
	if r, err := short.Read(0); r.Reason != safety.Stale || err == nil {
		t.Errorf("an answer of another length: %+v, %v", r, err)
	}
}

func TestAStandingNumberIsBelievedUnlessSaid(t *testing.T) {
	d := register.New(bar(register.Layout{Type: register.Uint16, Scale: 0.01}), func() ([]uint16, error) { return []uint16{600}, nil })
	for at := time.Duration(0); at < 24*time.Hour; at += time.Hour {
		if r, err := d.Read(at); err != nil || r.Quality != safety.Good {
			t.Fatalf("%v: %+v, %v", at, r, err)
		}
	}
}
