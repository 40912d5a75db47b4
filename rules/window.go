package rules

import (
	"math"
	"slices"
	"time"
)

// Coverage: a window speaks only when it holds enough. See docs/rules.md.
const (
	coverage    = 0.75 // of the readings that the period promises
	minSamples  = 4
	minWindow   = 4 * time.Second
	maxWindow   = time.Hour
	overRate    = 2 // storage for readings twice as fast as the period
	scale       = 1e6
	msPerMinute = 60_000
)

// sample is one good or uncertain reading; doubt: it may raise and not clear.
// The value is kept in whole
// millionths: sums of integers are exact, so a window that slid for a month
// equals one that was filled a minute ago.
type sample struct {
	at    int64 // ms
	micro int64
	doubt bool
}

// packed is a sample as the ring holds it: a server keeps millions of them. The
// lowest bit of stamp is doubt, the others are at.
type packed struct{ stamp, micro int64 }

func pack(s sample) packed {
	p := packed{s.at << 1, s.micro}
	if s.doubt {
		p.stamp |= 1
	}
	return p
}

// history is a bounded ring of a sensor's newest samples, numbered from 0
// since the start of the process.
type history struct {
	ring    []packed
	next    int // number of the sample to come
	windows []*window
	slots   []*window // the same by the engine's numbering, nil where unused
}

// newHistory keeps windows of those of all lengths that are needed.
func newHistory(period time.Duration, all, needed []time.Duration) *history {
	h := &history{slots: make([]*window, len(all))}
	longest := time.Duration(0)
	for i, length := range all {
		if !slices.Contains(needed, length) {
			continue
		}
		longest = max(longest, length)
		h.slots[i] = newWindow(period, length)
		h.windows = append(h.windows, h.slots[i])
	}
	if longest > 0 {
		h.ring = make([]packed, int(longest/period)*overRate+minSamples)
	}
	return h
}

func (h *history) at(number int) sample {
	p := h.ring[number%len(h.ring)]
	return sample{p.stamp >> 1, p.micro, p.stamp&1 != 0}
}

func (h *history) newest() (sample, bool) {
	if h.next == 0 {
		return sample{}, false
	}
	return h.at(h.next - 1), true
}

// add appends a sample; at is later than all before. O(1) amortised in each window.
func (h *history) add(at int64, value float64, doubt bool) {
	if len(h.ring) == 0 {
		return
	}
	if h.next >= len(h.ring) {
		oldest := h.next - len(h.ring)
		for _, w := range h.windows {
			w.evict(h, oldest+1)
		}
	}
	h.ring[h.next%len(h.ring)] = pack(sample{at, int64(math.Round(value * scale)), doubt})
	h.next++
	for _, w := range h.windows {
		w.admit(h)
	}
}

// window is the samples of the last length, ending with the newest one: (t-length, t].
type window struct {
	length  int64 // ms
	need    int   // samples for mean, min, max
	spread  int64 // ms between the oldest and the newest of them
	needed  int   // samples in each half for rise
	first   int   // number of the oldest sample inside
	middle  int   // number of the oldest sample in the newer half
	next    int
	old     half // [first, middle)
	young   half // [middle, next)
	lowest  deque
	highest deque
}

// half is one half of a window: all its samples, and those of them in doubt.
type half struct{ all, doubt sums }

func (x *half) move(s sample, by int64) {
	x.all.move(s, by)
	if s.doubt {
		x.doubt.move(s, by)
	}
}

// sums returns those of all samples, or of the trusted ones.
func (x *half) sums(trusted bool) sums {
	if !trusted {
		return x.all
	}
	return sums{x.all.n - x.doubt.n, x.all.at - x.doubt.at, x.all.micro - x.doubt.micro}
}

type sums struct{ n, at, micro int64 }

func (s *sums) move(x sample, by int64) {
	s.n += by
	s.at += by * x.at
	s.micro += by * x.micro
}

func newWindow(period, length time.Duration) *window {
	expected := float64(length) / float64(period)
	return &window{
		length: length.Milliseconds(),
		need:   max(minSamples, int(math.Ceil(coverage*expected))),
		spread: int64(coverage*float64(length.Milliseconds())) - period.Milliseconds(),
		needed: max(minSamples/2, int(math.Ceil(coverage*expected/2))),
	}
}

// fits reports whether a window of that length can ever be covered.
func fits(period, length time.Duration) bool { return length >= minSamples*period }

func (w *window) admit(h *history) {
	x := h.at(h.next - 1)
	w.next = h.next
	w.young.move(x, 1)
	w.lowest.push(h, w.next-1, func(a, b int64) bool { return a >= b })
	w.highest.push(h, w.next-1, func(a, b int64) bool { return a <= b })
	for w.middle < w.next && h.at(w.middle).at <= x.at-w.length/2 {
		w.young.move(h.at(w.middle), -1)
		w.old.move(h.at(w.middle), 1)
		w.middle++
	}
	first := w.first
	for first < w.next && h.at(first).at <= x.at-w.length {
		first++
	}
	w.evict(h, first)
}

// evict lets go of all samples before number to.
func (w *window) evict(h *history, to int) {
	for ; w.first < to; w.first++ {
		if w.first < w.middle {
			w.old.move(h.at(w.first), -1)
			continue
		}
		w.young.move(h.at(w.first), -1)
		w.middle = w.first + 1
	}
	w.lowest.drop(w.first)
	w.highest.drop(w.first)
}

func (w *window) doubtful() bool { return w.old.doubt.n+w.young.doubt.n > 0 }

func (w *window) covered(h *history, n int64) bool {
	return n >= int64(w.need) && h.at(w.next-1).at-h.at(w.first).at >= w.spread
}

// mean of all samples or of the trusted ones; the others count as missing.
func (w *window) mean(h *history, trusted bool) span {
	old, young := w.old.sums(trusted), w.young.sums(trusted)
	if !w.covered(h, old.n+young.n) {
		return anything
	}
	return exactly(float64(old.micro+young.micro) / float64(old.n+young.n) / scale)
}

func (w *window) min(h *history, trusted bool) span { return w.extreme(h, &w.lowest, trusted) }
func (w *window) max(h *history, trusted bool) span { return w.extreme(h, &w.highest, trusted) }

func (w *window) extreme(h *history, d *deque, trusted bool) span {
	if trusted && w.doubtful() || !w.covered(h, int64(w.next-w.first)) {
		return anything
	}
	return exactly(float64(h.at(d.front()).micro) / scale)
}

// rise is the slope per minute: mean of the newer half minus mean of the older
// half, over the distance of their mean times. On a straight line it is exact;
// against noise it is nearly as good as a least-squares fit, and it is O(1).
func (w *window) rise(_ *history, trusted bool) span {
	old, young := w.old.sums(trusted), w.young.sums(trusted)
	if old.n < int64(w.needed) || young.n < int64(w.needed) {
		return anything
	}
	first := old.at / old.n // keeps the differences small enough to be exact
	ms := float64(young.at-first*young.n)/float64(young.n) - float64(old.at-first*old.n)/float64(old.n)
	micro := float64(young.micro)/float64(young.n) - float64(old.micro)/float64(old.n)
	return exactly(micro / scale / ms * msPerMinute)
}

// deque holds the numbers of samples that may still become the extreme, the
// extreme first.
type deque struct {
	numbers []int
	head    int
}

func (d *deque) front() int { return d.numbers[d.head] }

func (d *deque) push(h *history, number int, outranks func(standing, coming int64) bool) {
	coming := h.at(number).micro
	for len(d.numbers) > d.head && outranks(h.at(d.numbers[len(d.numbers)-1]).micro, coming) {
		d.numbers = d.numbers[:len(d.numbers)-1]
	}
	if d.head > len(d.numbers)/2 && len(d.numbers) == cap(d.numbers) {
		d.numbers = append(d.numbers[:0], d.numbers[d.head:]...)
		d.head = 0
	}
	d.numbers = append(d.numbers, number)
}

func (d *deque) drop(before int) {
	for d.head < len(d.numbers) && d.numbers[d.head] < before {
		d.head++
	}
	if d.head == len(d.numbers) {
		d.numbers, d.head = d.numbers[:0], 0
	}
}
