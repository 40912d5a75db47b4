package ingest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nirapod/safety"
	"nirapod/wire"
)

// A gateway of the model: runs of an agent, each with its spool, which sends
// what is not committed in any order and forgets what is.
type modelRun struct {
	number   float64
	id       string
	boot     string
	unsynced bool
	started  time.Time // true time of boot, where Mono is 0
	streams  map[wire.Stream]*modelStream
}

type modelStream struct {
	made      uint64               // records 1..made were accepted
	at        map[uint64]time.Time // when they happened, true time
	gone      map[uint64]bool      // dropped by the agent
	committed spans                // what the server said
	sensors   map[uint64]int       // of readings
}

type message struct {
	topic   string
	payload []byte
}

type model struct {
	t       *rapid.T
	tb      *testing.T
	disk    *disk
	core    *core
	now     time.Time
	runs    []*modelRun
	air     []message
	commits int
}

func TestNothingIsLostOrTwice(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := newDisk(testSite("padma", 3, "gw-1"))
		m := &model{t: rt, tb: t, disk: d, core: d.boot(t), now: day}
		m.newRun()
		actions := map[string]func(){
			"measure": m.measure, "alarm": m.alarm, "drop": m.drop, "send": m.send, "send again": m.send,
			"deliver": m.deliver, "deliver more": m.deliver, "lose": m.lose, "wait": m.wait, "flush": m.flush,
			"flush again": m.flush, "crash": m.crash, "restart agent": m.restartAgent,
		}
		names := make([]string, 0, len(actions))
		for name := range actions {
			names = append(names, name)
		}
		slices.Sort(names)
		for range rapid.IntRange(1, 120).Draw(rt, "steps") {
			actions[rapid.SampledFrom(names).Draw(rt, "action")]()
		}
		m.settle()
	})
}

// value is another one for each record of all runs.
func (r *modelRun) value(seq uint64) float64 { return r.number*1000 + float64(seq) }

func (m *model) newRun() {
	n := len(m.runs)
	r := &modelRun{
		number: float64(n + 1),
		id:     fmt.Sprintf("%016x", n+1), boot: fmt.Sprintf("boot-%d", n), unsynced: rapid.Bool().Draw(m.t, "unsynced"),
		started: m.now, streams: map[wire.Stream]*modelStream{},
	}
	for _, s := range []wire.Stream{wire.Readings, wire.Alarms} {
		r.streams[s] = &modelStream{at: map[uint64]time.Time{}, gone: map[uint64]bool{}, sensors: map[uint64]int{}}
	}
	m.runs = append(m.runs, r)
}

func (m *model) run() *modelRun { return rapid.SampledFrom(m.runs).Draw(m.t, "run") }

func (m *model) stream() (*modelRun, wire.Stream, *modelStream) {
	r := m.run()
	s := rapid.SampledFrom([]wire.Stream{wire.Readings, wire.Alarms}).Draw(m.t, "stream")
	return r, s, r.streams[s]
}

func (m *model) accept(s *modelStream, sensor int) {
	m.now = m.now.Add(7 * time.Millisecond)
	s.made++
	s.at[s.made], s.sensors[s.made] = m.now, sensor
}

func (m *model) measure() {
	s := m.runs[len(m.runs)-1].streams[wire.Readings]
	for i := range rapid.IntRange(1, 6).Draw(m.t, "readings") {
		m.accept(s, i%3)
	}
}

func (m *model) alarm() { m.accept(m.runs[len(m.runs)-1].streams[wire.Alarms], 0) }

// drop lets the agent drop some records that are not committed.
func (m *model) drop() {
	_, _, s := m.stream()
	if s.made == 0 {
		return
	}
	from := rapid.Uint64Range(1, s.made).Draw(m.t, "from")
	for seq := from; seq <= min(from+2, s.made); seq++ {
		if !s.committed.has(seq) {
			s.gone[seq] = true
		}
	}
}

// send puts a pack of up to 5 records, from anywhere, on the air.
func (m *model) send() {
	r, name, s := m.stream()
	if s.made == 0 {
		return
	}
	m.sendFrom(r, name, s, rapid.Uint64Range(1, s.made).Draw(m.t, "first"))
}

func (m *model) sendFrom(r *modelRun, name wire.Stream, s *modelStream, first uint64) {
	mono := m.now.Sub(r.started).Milliseconds()
	p := wire.Pack{Factory: "padma", Gateway: "gw-1", Run: r.id, Stream: name, First: first, Boot: r.boot, Mono: mono, Clock: wire.Synced, Sent: m.now}
	if r.unsynced {
		p.Clock, p.Sent = wire.Unsynced, time.Time{}
	}
	for seq := range s.gone {
		p.Gone = append(p.Gone, wire.Gone{Span: safety.Span{From: seq, To: seq}, Reason: wire.GoneFull})
	}
	slices.SortFunc(p.Gone, func(a, b wire.Gone) int { return int(a.Span.From) - int(b.Span.From) })
	for seq := first; seq <= s.made && !s.gone[seq] && seq < first+5; seq++ {
		p.Records = append(p.Records, m.record(r, name, s, seq))
	}
	if len(p.Records)+len(p.Gone) == 0 {
		return
	}
	topic, payload := encode(m.tb, p)
	m.air = append(m.air, message{topic, payload})
}

func (m *model) record(r *modelRun, name wire.Stream, s *modelStream, seq uint64) wire.Record {
	var rec wire.Record
	if r.unsynced {
		rec.Offset = s.at[seq].Sub(m.now)
	} else {
		rec.At = s.at[seq]
	}
	if name == wire.Alarms {
		t := firing(sensorID("gw-1", 0))
		t.Values["seq"] = float64(seq)
		rec.Transition = &t
		return rec
	}
	rec.Reading = safety.Reading{Sensor: sensorID("gw-1", s.sensors[seq]), Value: r.value(seq), Quality: safety.Good}
	return rec
}

// deliver takes a message from anywhere on the air; it may stay there, to come
// once more.
func (m *model) deliver() {
	if len(m.air) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.air)-1).Draw(m.t, "message")
	m.take(m.air[i])
	if rapid.IntRange(0, 3).Draw(m.t, "stays") > 0 {
		m.air = slices.Delete(m.air, i, i+1)
	}
}

func (m *model) take(msg message) {
	if err := m.core.take(m.tb.Context(), msg.topic, msg.payload, m.now); err != nil {
		m.t.Fatal(err)
	}
}

func (m *model) lose() {
	if len(m.air) > 0 {
		i := rapid.IntRange(0, len(m.air)-1).Draw(m.t, "lost")
		m.air = slices.Delete(m.air, i, i+1)
	}
}

func (m *model) wait() {
	m.now = m.now.Add(time.Duration(rapid.IntRange(1, 11_000).Draw(m.t, "ms")) * time.Millisecond)
	m.core.tick(m.now, true)
}

func (m *model) flush() { m.cutFlush(nowhere, rapid.IntRange(0, 4).Draw(m.t, "store") > 0) }

func (m *model) crash() {
	m.cutFlush(rapid.IntRange(beforeStore, beforePublishing).Draw(m.t, "cut"), true)
	m.core = m.disk.boot(m.tb)
}

func (m *model) cutFlush(cut int, storeWorks bool) {
	commits, alive := m.disk.flush(m.core, m.now, cut, storeWorks)
	if !alive {
		return
	}
	for _, c := range commits {
		m.hear(c)
	}
}

// hear is a gateway that gets a commit: all that it names must be durable.
func (m *model) hear(c commitment) {
	m.commits++
	if _, err := wire.EncodeCommit(c.commit); err != nil {
		m.t.Fatalf("commit %+v: %v", c.commit, err)
	}
	for _, r := range m.runs {
		if r.id != c.commit.Run {
			continue
		}
		s := r.streams[c.commit.Stream]
		said := spans{c.commit.Upto, c.commit.Ranges}
		for seq := uint64(1); seq <= max(said.last(), s.made); seq++ {
			if !said.has(seq) {
				continue
			}
			if seq > s.made {
				m.t.Fatalf("record %d of %d was committed", seq, s.made)
			}
			m.mustBeDurable(r, c.commit.Stream, s, seq)
		}
		s.committed = said
	}
}

func (m *model) mustBeDurable(r *modelRun, name wire.Stream, s *modelStream, seq uint64) {
	n := m.times(r, name, s, seq)
	if n == 1 || n == 0 && (s.gone[seq] || m.refused(r, name, seq)) {
		return
	}
	m.t.Fatalf("record %d of run %s, stream %s is committed and stands %d times on the disk", seq, r.id, name, n)
}

// refused reports whether the record is on record as refused. Only one reason
// can be here: a run without a clock was placed a little wrong, and another
// run's reading of the same sensor stands at the same millisecond.
func (m *model) refused(r *modelRun, name wire.Stream, seq uint64) bool {
	for _, f := range m.disk.refusals {
		if f.Run == r.id && f.Stream == string(name) && f.Span.From <= seq && seq <= f.Span.To {
			return f.Reason == refusedConflict && slices.ContainsFunc(m.runs, func(r *modelRun) bool { return r.unsynced })
		}
	}
	return false
}

// times counts how often a record stands on the disk, and checks its time.
func (m *model) times(r *modelRun, name wire.Stream, s *modelStream, seq uint64) (n int) {
	at := s.at[seq]
	if r.unsynced {
		anchor, known := m.disk.anchors[bootKey{"padma", "gw-1", r.boot}]
		if !known {
			return 0
		}
		at = time.UnixMilli(anchor.Wall.UnixMilli() + s.at[seq].Sub(r.started).Milliseconds() - anchor.Mono).UTC()
	}
	if name == wire.Alarms {
		for _, t := range m.disk.transitions {
			if t.Run == r.id && t.Seq == seq && t.At.Equal(at) && t.Source == "gw-1" && t.Factory == "padma" {
				n++
			}
		}
		return n
	}
	sensor := sensorID("gw-1", s.sensors[seq])
	for _, sample := range m.disk.samples {
		if sample.Sensor == sensor && sample.Value == r.value(seq) && sample.At.Equal(at) {
			n++
		}
	}
	return n
}

func (m *model) restartAgent() {
	if len(m.runs) < 3 {
		m.now = m.now.Add(time.Second)
		m.newRun()
	}
}

// settle ends all trouble; then every record must become durable, exactly once,
// and the gateways must hear of it.
func (m *model) settle() {
	m.air = nil
	for range 100 {
		open := false
		for _, r := range m.runs {
			for name, s := range r.streams {
				for seq := uint64(1); seq <= s.made; seq++ {
					if !s.committed.has(seq) {
						open = true
						m.sendFrom(r, name, s, seq)
					}
				}
			}
		}
		if !open {
			m.checkAll()
			return
		}
		for _, msg := range m.air {
			m.take(msg)
		}
		m.air = nil
		m.now = m.now.Add(gapPatience)
		m.core.tick(m.now, true)
		m.cutFlush(nowhere, true)
	}
	m.t.Fatal("some records are never committed")
}

func (m *model) checkAll() {
	kept, told := 0, 0
	for _, r := range m.runs {
		for name, s := range r.streams {
			for seq := uint64(1); seq <= s.made; seq++ {
				m.mustBeDurable(r, name, s, seq)
				n := m.times(r, name, s, seq)
				if name == wire.Readings {
					kept += n
				} else {
					told += n
				}
			}
		}
	}
	alarms := 0
	for _, t := range m.disk.transitions {
		if t.Source != safety.ServerSource {
			alarms++
		}
	}
	if kept != len(m.disk.samples) || told != alarms {
		m.t.Fatalf("%d readings and %d transitions are on the disk, %d and %d of them known", len(m.disk.samples), alarms, kept, told)
	}
}
