package rules

import "math/bits"

const slopeName = "slope"

// taken are the samples of a window that have been added up: [first, next). It
// follows the window when it is asked: amortised O(1) a reading.
type taken struct{ first, next int }

// lost reports whether what is to go has been overwritten.
func (t *taken) lost(h *history) bool { return h.next-t.first > len(h.ring) }

func from(w *window) taken { return taken{w.first, w.first} }

func (t *taken) follow(h *history, w *window, move func(x sample, by int64)) {
	for ; t.next < w.next; t.next++ {
		move(h.at(t.next), 1)
	}
	for ; t.first < w.first; t.first++ {
		move(h.at(t.first), -1)
	}
}

// trend is the sums of a least-squares line through a window: of all samples,
// and of those in doubt.
type trend struct {
	taken
	all, doubt products
}

func (f *trend) move(x sample, by int64) {
	f.all.move(x, by)
	if x.doubt {
		f.doubt.move(x, by)
	}
}

// products are sums over samples with time in ms and value in millionths. All are
// whole numbers, so that it is the same in which order samples came and went.
type products struct {
	sums
	square, cross wide // of at*at, of at*micro
}

func (p *products) move(x sample, by int64) {
	p.sums.move(x, by)
	p.square = p.square.plus(product(by*x.at, x.at))
	p.cross = p.cross.plus(product(by*x.at, x.micro))
}

func (p products) less(q products) products {
	return products{
		sums{p.n - q.n, p.at - q.at, p.micro - q.micro},
		p.square.minus(q.square), p.cross.minus(q.cross),
	}
}

// slope is that of the line through the samples with the least squares of
// deviations, per minute: (n Σtv - Σt Σv) / (n Σt² - (Σt)²).
func (p products) slope() span {
	rise := p.cross.times(p.n).minus(product(p.at, p.micro)).float()
	run := p.square.times(p.n).minus(product(p.at, p.at)).float()
	return exactly(rise / run / scale * msPerMinute)
}

// slope wants as many samples in each half as rise does.
func (w *window) slope(h *history, trusted bool) span {
	if !w.halved(trusted) {
		return anything
	}
	if w.trend == nil {
		w.trend = &trend{taken: from(w)}
	}
	f := w.trend
	if f.lost(h) {
		*f = trend{taken: from(w)}
	}
	f.follow(h, w, f.move)
	if trusted {
		return f.all.less(f.doubt).slope()
	}
	return f.all.slope()
}

// wide is a whole number of 128 bits in two's complement.
type wide struct{ high, low uint64 }

func product(a, b int64) wide {
	high, low := bits.Mul64(uint64(a), uint64(b))
	if a < 0 {
		high -= uint64(b)
	}
	if b < 0 {
		high -= uint64(a)
	}
	return wide{high, low}
}

func (x wide) plus(y wide) wide {
	low, carry := bits.Add64(x.low, y.low, 0)
	return wide{x.high + y.high + carry, low}
}

func (x wide) minus(y wide) wide {
	low, borrow := bits.Sub64(x.low, y.low, 0)
	return wide{x.high - y.high - borrow, low}
}

// times n, which is not negative.
func (x wide) times(n int64) wide {
	high, low := bits.Mul64(x.low, uint64(n))
	return wide{high + x.high*uint64(n), low}
}

func (x wide) float() float64 {
	if int64(x.high) < 0 {
		return -wide{}.minus(x).float()
	}
	const highBit = 1 << 64
	return float64(x.high)*highBit + float64(x.low)
}
