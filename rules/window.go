package rules

import (
	"math"
	"math/bits"
	"slices"
	"time"
)

// Coverage: a window speaks only when it holds enough. See docs/rules.md.
const (
	coverage    = 0.75 // of the readings that the period promises
	minSamples  = 4
	minWindow   = 4 * time.Second
	maxWindow   = time.Hour
	overRate    = 2 // storage for readings at most that much faster than the period
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
// since the start of the process. Its length is a power of two, so that a
// sample is found without a division, and doubles once for a sensor that is
// faster than its period says.
type history struct {
	ring    []packed
	most    int // what the ring may grow to
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
		size := 1 << bits.Len(uint(int(longest/period)+minSamples-1))
		h.ring, h.most = make([]packed, size), size*overRate
	}
	return h
}

func (h *history) at(number int) sample {
	p := h.ring[number&(len(h.ring)-1)]
	return sample{p.stamp >> 1, p.micro, p.stamp&1 != 0}
}

func (h *history) atOf(number int) int64 { return h.ring[number&(len(h.ring)-1)].stamp >> 1 }

func (h *history) microOf(number int) int64 { return h.ring[number&(len(h.ring)-1)].micro }

// grow makes room for as many samples again.
func (h *history) grow() {
	old := h.ring
	h.ring = make([]packed, 2*len(old))
	for n := h.next - len(old); n < h.next; n++ {
		h.ring[n&(len(h.ring)-1)] = old[n&(len(old)-1)]
	}
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
		h.makeRoom(at)
	}
	x := sample{at, int64(math.Round(value * scale)), doubt}
	h.ring[h.next&(len(h.ring)-1)] = pack(x)
	h.next++
	for _, w := range h.windows {
		w.admit(h, x)
	}
}

// makeRoom for a sample at a moment, ms: the oldest goes, unless a window
// still wants it and the ring may grow.
func (h *history) makeRoom(at int64) {
	oldest := h.next - len(h.ring)
	for _, w := range h.windows {
		if len(h.ring) < h.most && w.first == oldest && h.atOf(oldest) > at-w.length {
			h.grow()
			return
		}
	}
	for _, w := range h.windows {
		w.evict(h, oldest+1)
	}
}

// window is the samples of the last length, ending with the newest one: (t-length, t].
type window struct {
	length  int64 // ms
	need    int   // samples for mean, min, max
	spread  int64 // ms between the oldest and the newest of them
	needed  int   // samples in each half for rise and slope
	first   int   // number of the oldest sample inside
	middle  int   // number of the oldest sample in the newer half
	next    int
	old     half // [first, middle)
	young   half // [middle, next)
	lowest  deque
	highest deque
	trend   *trend // nil until a condition asks for the slope
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
		lowest: deque{sign: 1}, highest: deque{sign: -1},
	}
}

// fits reports whether a window of that length can ever be covered.
func fits(period, length time.Duration) bool { return length >= minSamples*period }

// admit takes the newest sample of h in.
func (w *window) admit(h *history, x sample) {
	w.next = h.next
	w.young.move(x, 1)
	w.lowest.push(h, w.next-1, x.micro)
	w.highest.push(h, w.next-1, -x.micro)
	for half := x.at - w.length/2; w.middle < w.next && h.atOf(w.middle) <= half; w.middle++ {
		crossing := h.at(w.middle)
		w.young.move(crossing, -1)
		w.old.move(crossing, 1)
	}
	first := w.first
	for start := x.at - w.length; first < w.next && h.atOf(first) <= start; {
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
	return n >= int64(w.need) && h.atOf(w.next-1)-h.atOf(w.first) >= w.spread
}

// halved reports whether each half holds enough.
func (w *window) halved(trusted bool) bool {
	need := int64(w.needed)
	return w.old.sums(trusted).n >= need && w.young.sums(trusted).n >= need
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
	return exactly(float64(h.microOf(d.front())) / scale)
}

const riseName = "rise"

// rise is the steepness per minute: mean of the newer half minus mean of the older
// half, over the distance of their mean times. On a straight line it is exact;
// against noise it is nearly as good as a least-squares fit, and it is O(1).
func (w *window) rise(_ *history, trusted bool) span {
	if !w.halved(trusted) {
		return anything
	}
	old, young := w.old.sums(trusted), w.young.sums(trusted)
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
	sign    int64 // 1 for the lowest, -1 for the highest
}

func (d *deque) front() int { return d.numbers[d.head] }

// push adds a sample; signed is its value times the sign.
func (d *deque) push(h *history, number int, signed int64) {
	for len(d.numbers) > d.head && d.sign*h.microOf(d.numbers[len(d.numbers)-1]) >= signed {
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
