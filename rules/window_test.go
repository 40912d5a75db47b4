package rules

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nirapod/safety"
)

// The sliding windows say what a look at all samples says, however long they
// slid, at any pace, and never when they hold too little.
func TestWindowsAgreeWithALookAtAllSamples(t *testing.T) {
	spoke, silent := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		lengths := []time.Duration{4 * time.Second, 10 * time.Second, 25 * time.Second}
		h := newHistory(time.Second, lengths, lengths)
		var all []sample
		at := int64(1_790_000_000_000)
		for range rapid.IntRange(1, 300).Draw(t, "samples") {
			at += rapid.SampledFrom([]int64{1000, 1000, 1000, 990, 400, 2000, 9000}).Draw(t, "pause")
			v := float64(rapid.IntRange(-50, 50).Draw(t, "value")) / 8
			doubt := rapid.IntRange(0, 9).Draw(t, "doubt") == 0
			h.add(at, v, doubt)
			all = append(all, sample{at, int64(v * scale), doubt})
			if kept := len(h.ring); len(all) > kept {
				all = all[len(all)-kept:]
			}
			for i, w := range h.windows {
				for _, trusted := range []bool{false, true} {
					want := look(all, lengths[i], trusted)
					got := [5]span{w.mean(h, trusted), w.min(h, trusted), w.max(h, trusted), w.rise(h, trusted), w.slope(h, trusted)}
					for k := range got {
						if got[k].known() != want[k].known() || got[k].known() && math.Abs(got[k].lo-want[k].lo) > 1e-6 {
							t.Fatalf("%v, trusted %v, statistic %d: got %v, want %v", lengths[i], trusted, k, got[k], want[k])
						}
						if got[k].known() {
							spoke++
						} else {
							silent++
						}
					}
				}
			}
		}
	})
	if !testing.Short() && (spoke < 1000 || silent < 1000) {
		t.Errorf("spoke %d times, was silent %d times: the test says little", spoke, silent)
	}
}

// look computes mean, min, max, rise and slope from all samples, as docs/rules.md says.
func look(all []sample, length time.Duration, trusted bool) [5]span {
	out := [5]span{anything, anything, anything, anything, anything}
	last := all[len(all)-1].at
	var sumT, sumTT, sumTV float64
	var n, sum, oldN, oldSum, oldT, newSum, newT float64
	low, high, doubted, first := math.Inf(1), math.Inf(-1), false, int64(0)
	for _, x := range all {
		if x.at <= last-length.Milliseconds() {
			continue
		}
		if first == 0 {
			first = x.at
		}
		doubted = doubted || x.doubt
		v := float64(x.micro) / scale
		low, high = min(low, v), max(high, v)
		if x.doubt && trusted {
			continue
		}
		n, sum = n+1, sum+v
		t := float64(x.at - first)
		sumT, sumTT, sumTV = sumT+t, sumTT+t*t, sumTV+t*v
		if x.at <= last-length.Milliseconds()/2 {
			oldN, oldSum, oldT = oldN+1, oldSum+v, oldT+float64(x.at-first)
		} else {
			newSum, newT = newSum+v, newT+float64(x.at-first)
		}
	}
	promised := length.Seconds()
	spread := float64(last-first)/1000 >= 0.75*promised-1
	if n >= math.Max(4, 0.75*promised) && spread {
		out[0] = exactly(sum / n)
	}
	if total := n; spread && (!trusted || !doubted) && total >= math.Max(4, 0.75*promised) {
		out[1], out[2] = exactly(low), exactly(high)
	}
	if half := math.Max(2, 0.75*promised/2); oldN >= half && n-oldN >= half {
		out[3] = exactly((newSum/(n-oldN) - oldSum/oldN) / (newT/(n-oldN) - oldT/oldN) * msPerMinute)
		out[4] = exactly((n*sumTV - sumT*sum) / (n*sumTT - sumT*sumT) * msPerMinute)
	}
	return out
}

func TestARiseIsPerMinuteAndExactOnALine(t *testing.T) {
	lengths := []time.Duration{time.Minute}
	h := newHistory(time.Second, lengths, lengths)
	for i := range 100_000 { // a day and more of sliding
		h.add(int64(i)*1000, 20+float64(i%3)/10, false)
	}
	for i := range 60 {
		h.add(int64(100_000+i)*1000, 20+0.1*float64(i), false)
	}
	if got := h.windows[0].slope(h, false); got.lo != 6 {
		t.Errorf("slope %v, want 6", got.lo)
	}
	if got := h.windows[0].rise(h, false); math.Abs(got.lo-6) > 1e-9 {
		t.Errorf("rise %v, want 6 K/min exactly", got.lo)
	}
	for i := range 500 { // more than is kept, while nobody asks
		h.add(int64(100_060+i)*1000, 26-0.2*float64(i), true)
	}
	if got := h.windows[0].slope(h, false); got.lo != -12 {
		t.Errorf("slope %v, want -12", got.lo)
	}
	if got := h.windows[0].slope(h, true); got.known() {
		t.Errorf("slope %v of nothing trusted", got.lo)
	}
	if n := testing.AllocsPerRun(100, func() { h.windows[0].slope(h, true) }); n != 0 {
		t.Errorf("%g allocations a slope", n)
	}
}

func TestAWindowIsNeverANumberFromTwoSamples(t *testing.T) {
	lengths := []time.Duration{time.Minute}
	h := newHistory(time.Second, lengths, lengths)
	known := -1
	for i := range 60 {
		h.add(int64(i)*1000, 20, false)
		if w := h.windows[0]; known < 0 && w.mean(h, false).known() {
			known = i + 1
		}
		if w := h.windows[0]; i+1 < 45 && (w.rise(h, false).known() || w.max(h, false).known()) {
			t.Fatalf("a minute's window speaks after %d samples", i+1)
		}
	}
	if known != 45 {
		t.Errorf("a minute's window speaks after %d samples, want 45 (75 %%)", known)
	}
}

// What is kept does not grow with time, nor with a sensor that talks too much.
func TestStorageIsBounded(t *testing.T) {
	lengths := []time.Duration{time.Minute}
	h := newHistory(time.Second, lengths, lengths)
	for i := range 1_000_000 {
		h.add(int64(i)*10, float64(i%977), false) // a hundred times too fast
	}
	w := h.windows[0]
	if kept := len(h.ring) + cap(w.lowest.numbers) + cap(w.highest.numbers); kept > 1000 {
		t.Errorf("%d samples kept for a minute of one a second", kept)
	}
	if w.mean(h, false).known() {
		t.Error("a window that holds two seconds of its minute speaks")
	}
}

func TestMeaningIsNotLayout(t *testing.T) {
	base := Rule{Scope: ScopeSensor, Quantities: []safety.Quantity{safety.CO}, When: "value > limit && high_bay || bad",
		Limits: []Limit{{Name: "limit", Unit: "ppm", Value: 35, Source: "x"}}}
	fingerprint := func(r Rule) string {
		b, bad := lowerRule(&r, newSlots())
		if len(bad) > 0 {
			t.Fatal(bad)
		}
		return b.fingerprint
	}
	with := func(change func(*Rule)) Rule {
		r := base
		r.Limits = append([]Limit(nil), base.Limits...)
		change(&r)
		return r
	}
	for _, c := range []struct {
		what string
		same bool
		rule Rule
	}{
		{"blanks, brackets and the order of && and ||", true, with(func(r *Rule) { r.When = "bad || ( high_bay  and limit < value )" })},
		{"the name of the rule, of a limit, and its source", true, with(func(r *Rule) {
			r.Name, r.When, r.Limits[0].Name, r.Limits[0].Source = "other", "value > figure && high_bay || bad", "figure", "y"
		})},
		{"where it runs", true, with(func(r *Rule) { r.Runs = Gateway })},
		{"the figure", false, with(func(r *Rule) { r.Limits[0].Value = 36 })},
		{"the operator", false, with(func(r *Rule) { r.When = "value >= limit && high_bay || bad" })},
		{"the brackets that matter", false, with(func(r *Rule) { r.When = "value > limit && (high_bay || bad)" })},
		{"a part", false, with(func(r *Rule) { r.When = "value > limit && high_bay" })},
		{"not", false, with(func(r *Rule) { r.When = "value > limit && !high_bay || bad" })},
		{"the hold", false, with(func(r *Rule) { r.For = time.Second })},
		{"the severity", false, with(func(r *Rule) { r.Severity = safety.Evacuate })},
		{"the filter", false, with(func(r *Rule) { r.Filter.MinGrade = safety.Industrial })},
		{"the latch", false, with(func(r *Rule) { r.Latch = true })},
		{"the reset", false, with(func(r *Rule) { r.Reset = "value < limit" })},
	} {
		if same := fingerprint(c.rule) == fingerprint(base); same != c.same {
			t.Errorf("%s: same meaning %v, want %v", c.what, same, c.same)
		}
	}
}
