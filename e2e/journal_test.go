package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"testing"
	"time"

	"nirapod/app/demo"
	"nirapod/safety"
	"nirapod/state"
	"nirapod/store"
	"nirapod/store/tsdbstore"
)

// identity is what a record is called between gateway and server.
type identity struct {
	run, stream string
	seq         uint64
}

// accepted is what the agent's journal says.
type accepted struct {
	sure    map[identity]string // ok: must be on the server, as written here
	doubted map[identity]string // only tried when the process was killed: may be
	gone    []string            // dropped by the agent: none is expected
}

// journalLine mirrors one line of the accepted journal.
type journalLine struct {
	Op         string             `json:"op"`
	Run        string             `json:"run"`
	Stream     string             `json:"stream"`
	Seq        uint64             `json:"seq"`
	Reason     string             `json:"reason"`
	Wall       int64              `json:"wall"`
	Sensor     string             `json:"sensor"`
	Bits       string             `json:"bits"`
	Transition *safety.Transition `json:"transition"`
}

func (l journalLine) says() string {
	if l.Transition != nil {
		return fmt.Sprintf("%s %s→%s", l.Transition.Point, l.Transition.From, l.Transition.To)
	}
	return fmt.Sprintf("%s@%d %s %s", l.Sensor, l.Wall, l.Bits, l.Reason)
}

// readJournal reads the accepted journal. A last line torn by a kill is a
// record in doubt and stands nowhere.
func readJournal(t *testing.T, name string) accepted {
	t.Helper()
	a := accepted{sure: map[identity]string{}, doubted: map[identity]string{}}
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return a
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l journalLine
		if json.Unmarshal(lines.Bytes(), &l) != nil {
			continue
		}
		id := identity{l.Run, l.Stream, l.Seq}
		switch l.Op {
		case "try":
			a.doubted[id] = l.says()
		case "ok":
			a.sure[id] = l.says()
			delete(a.doubted, id)
		case "no":
			delete(a.doubted, id)
		case "gone":
			a.gone = append(a.gone, lines.Text())
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return a
}

// covered returns nil once the server has committed every sure record.
func (p *plant) covered(ctx context.Context, a accepted) error {
	db, err := state.Open(ctx, p.file("data"))
	if err != nil {
		return err
	}
	defer db.Close()
	all, err := db.ProgressAll(ctx)
	if err != nil {
		return err
	}
	done := map[identity]state.Progress{}
	for _, pr := range all {
		done[identity{run: pr.Run, stream: pr.Stream}] = pr
	}
	missing := 0
	for id := range a.sure {
		if !holds(done[identity{run: id.run, stream: id.stream}], id.seq) {
			missing++
		}
	}
	if missing > 0 {
		return fmt.Errorf("%d of %d accepted records not committed", missing, len(a.sure))
	}
	return nil
}

func holds(p state.Progress, seq uint64) bool {
	if seq <= p.Upto {
		return true
	}
	for _, r := range p.Ranges {
		if r.From <= seq && seq <= r.To {
			return true
		}
	}
	return false
}

// compare proves set equality between what the agent accepted and what the
// server holds: everything of a, which the agent had time to send, and nothing
// that is not in all. It opens the server's stores: the server must not run.
func (p *plant) compare(a, all accepted) {
	t := p.t
	t.Helper()
	if len(all.gone) > 0 {
		t.Errorf("the agent dropped records: %v", all.gone)
	}
	kept := p.readings()
	for id, says := range a.sure {
		if id.stream == "r" && !kept[says] {
			t.Errorf("lost: reading %v %s", id, says)
		}
	}
	known := map[string]bool{}
	for _, set := range []map[identity]string{all.sure, all.doubted} {
		for _, says := range set {
			known[says] = true
		}
	}
	for says := range kept {
		if !known[says] {
			t.Errorf("the store holds what no agent accepted: %s", says)
		}
	}
	p.compareTransitions(a, all)
	t.Logf("%d records accepted, %d in doubt at kills; %d readings in the store", len(a.sure), len(a.doubted), len(kept))
}

func (p *plant) compareTransitions(a, all accepted) {
	t := p.t
	t.Helper()
	db, err := state.Open(t.Context(), p.file("data"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	told := map[identity]string{}
	for cursor := int64(0); ; {
		page, err := db.TransitionsAfter(t.Context(), cursor, 500)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, tr := range page {
			cursor = tr.ID
			if tr.Source != demo.Gateway {
				continue
			}
			id := identity{tr.Run, "a", tr.Seq}
			if _, twice := told[id]; twice {
				t.Errorf("doubled: transition %v", id)
			}
			told[id] = fmt.Sprintf("%s %s→%s", tr.Point, tr.From, tr.To)
		}
	}
	for id, says := range a.sure {
		if id.stream == "a" && told[id] != says {
			t.Errorf("lost: transition %v %s, the server has %q", id, says, told[id])
		}
	}
	for id, says := range told {
		if all.sure[id] != says && all.doubted[id] != says {
			t.Errorf("the state holds a transition that no agent accepted: %v %s", id, says)
		}
	}
}

func (p *plant) openSeries() (store.Store, error) {
	if p.outside != nil {
		return p.outside.open(p.t.Context())
	}
	return tsdbstore.Open(p.file("data")+"/series", tsdbstore.Options{}, slog.New(slog.DiscardHandler))
}

// readings returns everything in the series store, as the journal says it.
func (p *plant) readings() map[string]bool {
	t := p.t
	t.Helper()
	series, err := p.openSeries()
	if err != nil {
		t.Fatal(err)
	}
	defer series.Close()
	kept := map[string]bool{}
	q := store.Query{Factory: demo.Factory, From: time.Now().Add(-24 * time.Hour), To: time.Now().Add(24 * time.Hour)}
	err = series.Query(t.Context(), q, func(s store.Sample) error {
		l := journalLine{Sensor: s.Sensor, Wall: s.At.UnixMilli(), Reason: string(s.Reason)}
		if s.Quality != safety.Bad {
			l.Bits = fmt.Sprintf("%016x", math.Float64bits(s.Value))
		}
		kept[l.says()] = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return kept
}
