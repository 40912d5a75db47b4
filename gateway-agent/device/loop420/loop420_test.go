package loop420_test

import (
	"errors"
	"math"
	"testing"

	"nirapod/gateway-agent/device/loop420"
	"nirapod/safety"
)

func TestDecode(t *testing.T) {
	good := func(v float64) safety.Reading { return safety.Reading{Value: v, Quality: safety.Good} }
	bad := func(r safety.Reason) safety.Reading { return safety.Reading{Quality: safety.Bad, Reason: r} }
	beyond := func(v float64) safety.Reading {
		return safety.Reading{Value: v, Quality: safety.Uncertain, Reason: safety.OutOfRange}
	}
	cases := []struct {
		name, model string
		mA          float64
		want        safety.Reading
	}{
		{"nothing flows: the wire is cut, not clean air", "ne43", 0, bad(safety.WireOpen)},
		{"transmitter signals failure", "ne43", 3.6, bad(safety.Implausible)},
		{"just under range", "ne43", 3.75, beyond(0)},
		{"live zero", "ne43", 4, good(0)},
		{"noise under the live zero", "ne43", 3.9, good(0)},
		{"a quarter of the span", "ne43", 8, good(125)},
		{"half", "ne43", 12, good(250)},
		{"full", "ne43", 20, good(500)},
		{"a little over full is still measured", "ne43", 20.4, good(512.5)},
		{"over range is not silence", "ne43", 21, beyond(500)},
		{"far over range is not silence", "ne43", 22, beyond(500)},
		{"more than a transmitter drives", "ne43", 26, bad(safety.WireShort)},
		{"Ultima X fault", "ultima-x", 3, bad(safety.Implausible)},
		{"Ultima X warming up", "ultima-x", 3.75, bad(safety.Warming)},
		{"Ultima X over range", "ultima-x", 21, beyond(500)},
		{"Ultima X oxygen warming up at 21 mA", "ultima-x-o2", 21, bad(safety.Warming)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l := loop420.Loop{Model: loop420.Models[c.model], Shunt: 150, Span: [2]float64{0, 500}}
			got := l.Decode(c.mA / 1e3 * 150)
			if math.Abs(got.Value-c.want.Value) > 1e-9 {
				t.Errorf("value %v, want %v", got.Value, c.want.Value)
			}
			got.Value = c.want.Value
			if got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}

func TestEveryCurrentMeansSomethingInEveryModel(t *testing.T) {
	for name, model := range loop420.Models {
		l := loop420.Loop{Model: model, Shunt: 150, Span: [2]float64{0, 100}}
		for mA := -1.0; mA < 30; mA += 0.01 {
			r := l.Decode(mA / 1e3 * 150)
			if r.Quality == safety.Good != (r.Reason == "") || r.Reason != "" && !r.Reason.Known() {
				t.Fatalf("%s at %.2f mA: %+v", name, mA, r)
			}
			if r.Quality == safety.Bad && r.Value != 0 {
				t.Fatalf("%s at %.2f mA: a bad reading with a number: %+v", name, mA, r)
			}
		}
	}
}

func TestValidate(t *testing.T) {
	for name, l := range map[string]loop420.Loop{
		"no shunt":                         {Span: [2]float64{0, 1}},
		"over-range beyond the converter":  {Shunt: 250, Span: [2]float64{0, 1}},
		"no span":                          {Shunt: 150},
		"a span that is not a number":      {Shunt: 150, Span: [2]float64{0, math.NaN()}},
		"a span that ends at the infinite": {Shunt: 150, Span: [2]float64{0, math.Inf(1)}},
	} {
		if err := l.Validate(4.096); !errors.Is(err, safety.ErrInvalid) {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
}
