package bench

import (
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"time"

	"nirapod/internal/influxtest"
	"nirapod/rules"
	"nirapod/safety"
	"nirapod/state"
	"nirapod/store"
	"nirapod/store/influxstore"
	"nirapod/store/tsdbstore"
)

// kept counts what the series store holds of l, and compares each sample with
// what was measured. The server must not run.
func (p *plant) kept(l load) {
	t := p.t
	t.Helper()
	series := p.series()
	defer series.Close()
	index := map[string][2]int{}
	for g := range l.gateways {
		for s := range l.sensors {
			index[sensorID(g, s)] = [2]int{g, s}
		}
	}
	seen, wrong := map[string]int{}, 0
	q := store.Query{Factory: factory, From: l.start.Add(-time.Hour), To: time.Now().Add(time.Hour)}
	err := series.Query(t.Context(), q, func(got store.Sample) error {
		at, known := index[got.Sensor]
		if !known {
			return nil // a smoke head
		}
		n := seen[got.Sensor]
		if n >= l.steps || !got.At.Equal(l.at(at[0], at[1], n)) || got.Value != l.value(at[0], at[1], n) || got.Quality != safety.Good {
			if wrong++; wrong < 5 {
				t.Errorf("the store holds %+v, reading %d of the sensor is %+v", got, n, l.reading(at[0], at[1], n))
			}
		}
		seen[got.Sensor]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for _, n := range seen {
		held += n
	}
	if held != l.readings() || wrong != 0 {
		t.Errorf("%d readings sent, %d in the store, %d of those not as sent", l.readings(), held, wrong)
	}
}

func (p *plant) series() store.Store {
	p.t.Helper()
	if p.influx != nil {
		s, err := influxstore.Open(p.t.Context(), influxstore.Options{URL: p.influx.URL, Org: "bench", Bucket: influxtest.Bucket(influxtest.Database)}, slog.New(slog.DiscardHandler))
		if err != nil {
			p.t.Fatal(err)
		}
		return s
	}
	s, err := tsdbstore.Open(filepath.Join(p.file("data"), "series"), tsdbstore.Options{}, slog.New(slog.DiscardHandler))
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

// replayed compares the transitions in the state with those of the same rules
// over the same readings in one engine, point by point, and returns how many
// there are, not counting first words.
func (p *plant) replayed(l load, folder string) (changes int) {
	t := p.t
	t.Helper()
	want := p.replay(l, folder)
	got := p.told(l.end())
	for point, w := range want {
		for _, one := range w {
			if one.From != safety.Unknown {
				changes++
			}
		}
		if reflect.DeepEqual(got[point], w) || w[0].Class == safety.ClassAlarm && reflect.DeepEqual(firings(got[point]), firings(w)) {
			continue
		}
		first := 0
		for first < min(len(w), len(got[point])) && reflect.DeepEqual(got[point][first], w[first]) {
			first++
		}
		t.Errorf("point %s: %d transitions, want %d; they differ from number %d on: %+v, want %+v", point, len(got[point]), len(w), first,
			got[point][first:min(first+1, len(got[point]))], w[first:min(first+1, len(w))])
	}
	for point := range got {
		if want[point] == nil {
			t.Errorf("transitions of point %s, which the replay does not know", point)
		}
	}
	return changes
}

// firings are when an alarm fired, and by what. Where gateways share a zone it is
// told at once and stands until the order is known (docs/adr/0010): where it
// came from and when it ended are not those of a single engine.
func firings(told []safety.Transition) (out []safety.Transition) {
	for _, x := range told {
		if x.To == safety.Firing {
			x.From = safety.Unknown
			out = append(out, x)
		}
	}
	return out
}

func (p *plant) replay(l load, folder string) map[string][]safety.Transition {
	t := p.t
	t.Helper()
	packs, err := rules.Load(os.DirFS(folder))
	if err != nil {
		t.Fatal(err)
	}
	engine, err := rules.New(packs, rules.Plant{Factory: factory, Zones: p.site.Zones, Sensors: p.site.Sensors}, rules.Server, safety.ServerSource)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]safety.Transition{}
	for n := range l.steps {
		for g := range l.gateways {
			for s := range l.sensors {
				for _, x := range engine.Observe(l.reading(g, s, n)) {
					out[x.Point] = append(out[x.Point], x)
				}
			}
		}
	}
	return out
}

// told returns the transitions of the rules that the state holds, by point, up
// to the end of the load: what silence made of them later is not asked.
func (p *plant) told(end time.Time) map[string][]safety.Transition {
	t := p.t
	t.Helper()
	db, err := state.Open(t.Context(), p.file("data"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	out := map[string][]safety.Transition{}
	for cursor := int64(0); ; {
		page, err := db.TransitionsAfter(t.Context(), cursor, 5000)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			return out
		}
		for _, x := range page {
			cursor = x.ID
			if x.Pack == "ingest" { // faults of gateways and server
				t.Errorf("a fault during the run: %+v", x)
				continue
			}
			if x.At.After(end) {
				continue
			}
			x.ID = 0
			out[x.Point] = append(out[x.Point], x)
		}
	}
}
