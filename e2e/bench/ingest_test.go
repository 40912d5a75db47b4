package bench

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// A run: the gateways come back after an outage with a backlog and send as fast
// as commits let them; once they have caught up they go on live. The first part
// of the backlog fills the windows, the rest is the sustained rate.
type run struct {
	load          load
	warm          int // steps
	backlog, live time.Duration
}

// outcome is what a run measured.
type outcome struct {
	rate, cpu         float64   // sustained: readings/s, s/M
	slices            []float64 // readings/s in each tenth of that time
	sustained         time.Duration
	liveRate, liveCPU float64
	p50, p99          time.Duration // publish to commit, live
	late              time.Duration // the most that a pack went out after it was due, live
	resent            int64
	rss, peak         float64 // MB, at the end and at most
	changes           float64 // share of readings that changed a rule's state
}

func newRun(gateways, sensors int, period, warm, backlog, live time.Duration) run {
	return run{
		warm: int(warm / period), backlog: backlog, live: live,
		load: load{gateways: gateways, sensors: sensors, period: period},
	}
}

// watermark is longer than the server keeps readings of several gateways until
// it has them in order (docs/adr/0010).
const watermark = 8 * time.Second

// ingest runs r against a new server and checks that nothing was lost, and that
// the rules said what they say offline.
func ingest(t *testing.T, r run, o options) outcome {
	t.Helper()
	folder, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	o.rules = folder
	p := newPlant(t, site(t, r.load), o)
	r.load.start = time.Now().Add(-r.backlog).UTC().Truncate(time.Second)
	out := p.drive(&r)
	time.Sleep(watermark)
	p.server.kill() // what was committed is there after kill -9
	p.kept(r.load)
	changes := p.replayed(r.load, folder)
	out.changes = float64(changes) / float64(r.load.readings())
	if out.changes < 0.01 {
		t.Errorf("%.2f %% of readings changed a rule's state, want at least 1 %%", 100*out.changes)
	}
	return out
}

// fleet are all gateways of a run.
type fleet []*gateway

func (f fleet) committed() (n float64) {
	for _, w := range f {
		n += float64(w.committed.Load())
	}
	return n
}

// steps returns the steps up to which the slowest and the fastest gateway have sent.
func (f fleet) steps() (least, most int) {
	least = int(^uint(0) >> 1)
	for _, w := range f {
		n := int(w.sent.Load()) * perPack / w.load.sensors
		least, most = min(least, n), max(most, n)
	}
	return least, most
}

func (f fleet) goLive(live bool) {
	for _, w := range f {
		w.goLive(live)
	}
}

// drive sends everything and measures on the way.
func (p *plant) drive(r *run) outcome {
	t := p.t
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	sending, sendCtx := errgroup.WithContext(ctx)
	var all fleet
	for i := range r.load.gateways {
		w := newGateway(r.load, i, p.url, p.passwords[i])
		all = append(all, w)
		g.Go(func() error { _ = w.conn.Run(ctx); return nil }) // ends by cancel
	}
	for _, w := range all {
		for !w.conn.Online() {
			time.Sleep(10 * time.Millisecond)
		}
		sending.Go(func() error { return w.send(sendCtx) })
	}
	done := make(chan error, 1)
	go func() { done <- sending.Wait() }()
	out := p.watch(r, all, done)
	cancel()
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	return out
}

// mark is a reading of the server's meters.
type mark struct {
	at        time.Time
	committed float64
	cpu       time.Duration
}

func (p *plant) mark(f fleet) mark { return mark{time.Now(), f.committed(), p.server.cpu()} }

func (a mark) rate(b mark) float64 { return (b.committed - a.committed) / b.at.Sub(a.at).Seconds() }

func (a mark) perMillion(b mark) float64 {
	return (b.cpu - a.cpu).Seconds() / (b.committed - a.committed) * 1e6
}

func (p *plant) watch(r *run, f fleet, done <-chan error) (out outcome) {
	t := p.t
	t.Helper()
	begin := time.Now()
	marks := []mark{}
	var liveFrom, liveTo mark
	now := func() int { return int(time.Since(r.load.start) / r.load.period) }
	for {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			out.rss, out.peak = p.server.memory("VmRSS"), p.server.memory("VmHWM")
			for _, w := range f {
				out.resent += w.resent.Load()
			}
			p.sum(&out, f, marks, liveFrom, liveTo)
			t.Logf("all committed %v after the start", time.Since(begin).Round(time.Second))
			return out
		case <-time.After(100 * time.Millisecond):
		}
		if !p.server.alive() {
			t.Fatal("the server ended by itself")
		}
		least, most := f.steps()
		switch {
		case least < r.warm:
		case most < now()-1 && liveFrom.at.IsZero():
			marks = append(marks, p.mark(f))
		case liveFrom.at.IsZero() && least >= now()-1:
			time.Sleep(r.live / 5) // let the last of the backlog pass
			liveFrom = p.mark(f)
			f.goLive(true)
		case !liveFrom.at.IsZero() && liveTo.at.IsZero() && time.Since(liveFrom.at) >= r.live:
			liveTo = p.mark(f)
			f.goLive(false)
			r.load.steps = most + 2 // nobody is that far
			for _, w := range f {
				w.last.Store(int64(r.load.packs(r.load.steps)))
			}
		}
	}
}

func (p *plant) sum(out *outcome, f fleet, marks []mark, liveFrom, liveTo mark) {
	if len(marks) < 2 || liveTo.at.IsZero() {
		p.t.Fatalf("too little to measure: %d marks in the backlog, live from %v to %v", len(marks), liveFrom.at, liveTo.at)
	}
	first, last := marks[0], marks[len(marks)-1]
	out.rate, out.cpu, out.sustained = first.rate(last), first.perMillion(last), last.at.Sub(first.at)
	for i := range 10 {
		out.slices = append(out.slices, marks[i*(len(marks)-1)/10].rate(marks[(i+1)*(len(marks)-1)/10]))
	}
	out.liveRate, out.liveCPU = liveFrom.rate(liveTo), liveFrom.perMillion(liveTo)
	var waits []time.Duration
	for _, w := range f {
		w.mu.Lock()
		waits = append(waits, w.waits...)
		out.late = max(out.late, w.late)
		w.mu.Unlock()
	}
	out.p50, out.p99 = quantile(waits, 0.5), quantile(waits, 0.99)
}

func quantile(all []time.Duration, share float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[int(share*float64(len(all)-1))]
}

func (o outcome) String() string {
	slices.Sort(o.slices)
	return fmt.Sprintf("sustained %.0f readings/s over %.0f s (tenths of it %.0f to %.0f), %.1f s/M; live %.0f readings/s, %.1f s/M, commit p50 %.1f ms p99 %.1f ms, sent at most %v late; %d packs resent; %.0f MB; %.2f %% changes",
		o.rate, o.sustained.Seconds(), o.slices[0], o.slices[len(o.slices)-1], o.cpu, o.liveRate, o.liveCPU,
		ms(o.p50), ms(o.p99), o.late.Round(time.Millisecond), o.resent, o.rss, 100*o.changes)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// The short form: everything is checked, no figure is asserted.
func TestIngest(t *testing.T) {
	if testing.Short() {
		t.Skip("end-to-end tests do not run with -short")
	}
	for _, c := range []struct {
		name string
		o    options
	}{{"mosquitto", options{}}, {"embedded", options{embedded: true}}} {
		t.Run(c.name, func(t *testing.T) {
			t.Log(ingest(t, newRun(5, 20, time.Second, 12*time.Minute, 20*time.Minute, 5*time.Second), c.o))
		})
	}
}
