package rules

import (
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nirapod/safety"
)

// metering is a sensor that a number is asked of, as a rule's instance has it.
type metering struct {
	s   *sensor
	ask number
	now int64
}

// meteringOf lowers the left side of a comparison for a sensor.
func meteringOf(t rapid.TB, q safety.Quantity, period time.Duration, zone safety.Zone, condition string) *metering {
	t.Helper()
	r := &Rule{Scope: ScopeSensor, Quantities: []safety.Quantity{q}, Limits: []Limit{
		{Name: "limit", Unit: string(q.Unit())}, {Name: "full", Unit: "%"}, {Name: "criterion", Unit: "dBA", Value: 85}, {Name: "exchange", Unit: "dB", Value: 3},
	}}
	slots := newSlots()
	l := &lowerer{rule: r, slots: slots}
	n, err := parse(condition, environment(r))
	if err != nil {
		t.Fatal(err)
	}
	m := &metering{ask: l.number(leftOf(n))}
	if len(l.refusals) > 0 {
		t.Fatal(l.refusals)
	}
	m.s = newSensor(safety.Sensor{ID: "s", Quantity: q, Period: period}, &place{Zone: &zone}, slots)
	for _, ask := range l.uses.minutes {
		m.s.meter(slots.metered, ask)
	}
	return m
}

func (m *metering) take(at int64, word string) {
	r := safety.Reading{Quality: safety.Good}
	if rest, doubtful := strings.CutPrefix(word, "~"); doubtful {
		r.Quality, r.Reason, word = safety.Uncertain, safety.Stuck, rest
	}
	v, err := strconv.ParseFloat(word, 64)
	if r.Value = v; err != nil {
		r = safety.Reading{Reason: safety.NACK}
	}
	m.now = at
	m.s.take(r, at)
}

func (m *metering) span(careful bool) span {
	in := &instance{own: m.s, zone: m.s.zone}
	return m.ask.eval(&view{in: in, cur: m.s, careful: careful, now: m.now})
}

// The table of the document: what the minutes of a window make of it.
func TestTheTableOfMinutes(t *testing.T) {
	for _, row := range table(t, "last 15 minutes", `stel("15m")`, "by trusted values alone") {
		m := meteringOf(t, safety.CO, 15*time.Second, safety.Zone{}, `stel("15m") >= limit`)
		at := int64(0)
		for w := range strings.FieldsSeq(row[0]) {
			value, times := w, 1
			if v, n, ok := strings.Cut(w, "x"); ok {
				value = v
				times, _ = strconv.Atoi(n)
			}
			for range times * 4 {
				if value != "_" {
					m.take(at, value)
				}
				at += 15_000
			}
		}
		for i, careful := range []bool{false, true} {
			got := m.span(careful)
			text := fmt.Sprintf("[%.4g, %.4g]", got.lo, got.hi)
			switch {
			case math.IsInf(got.hi, 1):
				text = fmt.Sprintf("[%.4g, ∞]", got.lo)
			case got.known():
				text = fmt.Sprintf("%.4g", got.lo)
			}
			if text != row[1+i] {
				t.Errorf("%s, careful %v: %s, want %s", row[0], careful, text, row[1+i])
			}
		}
	}
}

// The bound that docs/rules.md states: a quarter of what the oldest minute
// swings, over the minutes of the window, and half of a ten-thousandth.
func TestMinutesAgainstEveryReading(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		period := rapid.SampledFrom([]int64{1000, 2000, 5000, 15000}).Draw(t, "period")
		m := meteringOf(t, safety.CO, time.Duration(period)*time.Millisecond, safety.Zone{}, `stel("15m") >= limit`)
		phase := rapid.Int64Range(0, period-1).Draw(t, "phase")
		var values []float64
		base := 0.0
		total := int(20*60_000/period) + rapid.IntRange(0, int(120_000/period)).Draw(t, "more")
		for i := range total {
			if i%7 == 0 {
				base = float64(rapid.IntRange(0, 200_000).Draw(t, "base")) / 100
			}
			values = append(values, base+float64(i%3))
			m.take(int64(i)*period+phase, strconv.FormatFloat(values[i], 'f', -1, 64))
		}
		n := int(15 * 60_000 / period)
		sum, low, high := 0.0, math.Inf(1), 0.0
		for _, v := range values[len(values)-n:] {
			sum += v
		}
		oldest := m.s.at/msPerBucket - 15
		for i, v := range values {
			if (int64(i)*period+phase)/msPerBucket == oldest {
				low, high = min(low, v), max(high, v)
			}
		}
		got, want := m.span(false), sum/float64(n)
		bound := (high-low)/4/15 + 0.5/quantum + 1e-9
		if !got.known() || math.Abs(got.lo-want) > bound {
			t.Fatalf("stel is %v, the mean of all readings %g: more than %g apart", got, want, bound)
		}
	})
}

func TestAnAverageOf8HoursIsTheSumBy480(t *testing.T) {
	hours := func(zone safety.Zone, words ...string) span {
		m := meteringOf(t, safety.CO, 15*time.Second, zone, `twa("8h") >= limit`)
		at := int64(0)
		for _, w := range words {
			value, n, _ := strings.Cut(w, "x")
			minutes, _ := strconv.Atoi(n)
			for range minutes * 4 {
				if value != "_" {
					m.take(at, value)
				}
				at += 15_000
			}
		}
		return m.span(false)
	}
	for _, c := range []struct {
		name   string
		zone   safety.Zone
		words  []string
		lo, hi float64
	}{
		{"8 hours at 35", safety.Zone{}, []string{"35x480"}, 35, 35},
		{"an hour at 280 is as much, at once", safety.Zone{}, []string{"280x60"}, 35, math.Inf(1)},
		{"half of it is half as much", safety.Zone{}, []string{"35x240"}, 17.5, math.Inf(1)},
		{"what was before 8 hours does not count", safety.Zone{}, []string{"400x240", "10x480"}, 10, 10},
		{"in a shift of 12 hours it does, still by 480", safety.Zone{Shift: 12}, []string{"24x720"}, 36, 36},
		{"a shift of 6 hours is no shorter window", safety.Zone{Shift: 6}, []string{"35x480"}, 35, 35},
		{"below nothing is nothing", safety.Zone{}, []string{"-40x240", "70x240"}, 35, 35},
		{"an hour is missing", safety.Zone{}, []string{"32x240", "_x60", "32x180"}, 28, 32},
		{"and may have been as high as the worst minute", safety.Zone{}, []string{"32x239", "160x1", "_x60", "32x180"}, (32*419. + 160) / 480, (32*419. + 160*61) / 480},
		{"more than a quarter is missing", safety.Zone{}, []string{"32x240", "_x121", "32x119"}, 32 * 359. / 480, math.Inf(1)},
		{"all of it, after a long silence", safety.Zone{}, []string{"500x480", "_x1000", "32x15"}, 1, math.Inf(1)},
	} {
		if got := hours(c.zone, c.words...); math.Abs(got.lo-c.lo) > 0.001 || math.Abs(got.hi-c.hi) > 0.001 && got.hi != c.hi {
			t.Errorf("%s: %v, want [%g, %g]", c.name, got, c.lo, c.hi)
		}
	}
}

// What nobody sees now may be anything by now; what was seen stays seen.
func TestExposureWhileNobodySees(t *testing.T) {
	m := meteringOf(t, safety.CO, 15*time.Second, safety.Zone{}, `stel("15m") >= limit`)
	for i := range int64(60) {
		m.take(i*15_000, "40")
	}
	if got := m.span(false); got != exactly(40) {
		t.Fatalf("seen: %v", got)
	}
	m.take(60*15_000, "nack")
	if got := m.span(false); got.lo < 39 || got.lo > 40 || !math.IsInf(got.hi, 1) {
		t.Errorf("after a bad reading: %v, want nearly 40 and no end", got)
	}
	m.take(61*15_000, "~40")
	if got := m.span(true); !math.IsInf(got.hi, 1) {
		t.Errorf("an uncertain reading ends nothing: %v", got)
	}
	m.take(62*15_000, "40")
	m.s.stale = true
	if got := m.span(false); !math.IsInf(got.hi, 1) {
		t.Errorf("silent: %v", got)
	}
}

func TestDose(t *testing.T) {
	for _, c := range []struct {
		dBA     float64
		minutes int
		want    float64 // %, as NIOSH tables it: 100 % in 480 / 2^((L-85)/3) min
	}{{85, 480, 100}, {88, 240, 100}, {91, 120, 100}, {94, 60, 100}, {97, 30, 100}, {100, 15, 100}, {82, 480, 50}, {85, 240, 50}, {115, 1, 213.3}, {40, 480, 0}} {
		m := meteringOf(t, safety.Noise, time.Second, safety.Zone{}, `dose("8h", criterion, exchange) >= full`)
		for i := range int64(c.minutes * 60) {
			m.take(i*1000, fmt.Sprint(c.dBA))
		}
		if got := m.span(false); math.Abs(got.lo-c.want) > 0.1 {
			t.Errorf("%g dBA for %d min: %v, want %g %%", c.dBA, c.minutes, got, c.want)
		}
	}
}

// Sums that slid for hours, with gaps, faults and doubt, are those of a track
// that was saved and loaded at any moment, and of one filled from its own buckets.
func TestMinutesSurviveARestart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		condition := rapid.SampledFrom([]string{`twa("8h") >= limit`, `stel("15m") >= limit`}).Draw(t, "condition")
		zone := safety.Zone{Shift: rapid.SampledFrom([]float64{0, 10.5}).Draw(t, "shift")}
		fresh := func() *metering { return meteringOf(t, safety.CO, 15*time.Second, zone, condition) }
		one, other := fresh(), fresh()
		store := map[string][]byte{}
		at := int64(rapid.IntRange(0, 1<<30).Draw(t, "start"))
		for range rapid.IntRange(1, 30).Draw(t, "spells") {
			at += rapid.SampledFrom([]int64{0, 0, 1, 45_000, 400_000, 4_000_000, 40_000_000}).Draw(t, "pause")
			word := rapid.SampledFrom([]string{"0", "35", "200", "-3", "~90", "nack"}).Draw(t, "word")
			flags := safety.Flags(rapid.IntRange(0, 3).Draw(t, "flags"))
			for range rapid.SampledFrom([]int{1, 3, 40, 300}).Draw(t, "readings") {
				at += 15_000
				for _, m := range []*metering{one, other} {
					m.take(at, word)
					m.s.flags = flags
				}
			}
			c := &channels{sensors: []*sensor{other.s}}
			c.putMinutes(store, rapid.IntRange(0, 3).Draw(t, "all") == 0)
			if rapid.Bool().Draw(t, "kill") {
				again := fresh()
				again.s.at, again.s.quality, again.s.reason, again.s.flags = other.s.at, other.s.quality, other.s.reason, other.s.flags
				e := &Engine{sensors: map[string]*sensor{"s": again.s}}
				if dropped := e.Restore(maps.Clone(store)); len(dropped) > 0 {
					t.Fatal(dropped)
				}
				again.now, other = other.now, again
			}
			for _, careful := range []bool{false, true} {
				if a, b := one.span(careful), other.span(careful); a != b {
					t.Fatalf("careful %v: %v, after restarts %v", careful, a, b)
				}
			}
			a, b := one.s.tracks[0], other.s.tracks[0]
			if one.s.minuteFlags(0, 0) != other.s.minuteFlags(0, 0) || a.doubtful(a.spells[0]) != b.doubtful(b.spells[0]) {
				t.Fatal("flags or doubt differ after a restart")
			}
		}
	})
}

func TestMinutesOfAnotherMeaningAreDropped(t *testing.T) {
	old := meteringOf(t, safety.CO, 15*time.Second, safety.Zone{}, `stel("15m") >= limit`)
	old.take(0, "35")
	store := map[string][]byte{}
	(&channels{sensors: []*sensor{old.s}}).putMinutes(store, true)
	for key, blob := range maps.Clone(store) {
		store[key+"cut"] = blob[:len(blob)-1]
	}
	noise := meteringOf(t, safety.Noise, 15*time.Second, safety.Zone{}, `dose("8h", criterion, exchange) >= full`)
	for name, sensors := range map[string]map[string]*sensor{"another meter": {"s": noise.s}, "no sensor": {}} {
		e := &Engine{sensors: sensors}
		if dropped := e.Restore(store); len(dropped) != len(store) {
			t.Errorf("%s: dropped %v of %d", name, dropped, len(store))
		}
	}
	e := &Engine{sensors: map[string]*sensor{"s": meteringOf(t, safety.CO, 15*time.Second, safety.Zone{}, `stel("15m") >= limit`).s}}
	if dropped := e.Restore(store); len(dropped) != 1 {
		t.Errorf("dropped %v, want what was cut off", dropped)
	}
}
