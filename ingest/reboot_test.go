package ingest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"nirapod/rules"
	"nirapod/safety"
	"nirapod/wire"
)

// A gateway without power is told once, as itself; when it is back nothing is
// told of its sensors, but for the one that stays silent. The server is killed
// between the birth and the first reading of the new run, and after it.
func TestAPowerCutIsOneFaultOfItsGateway(t *testing.T) {
	packs, err := rules.Load(rules.Shipped, "system.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, kills := range [][]int{nil, {0}, {0, 1}} {
		t.Run(fmt.Sprint("killed ", kills), func(t *testing.T) {
			d := newDisk(testSite("padma", 3, "gw-1"))
			d.packs = packs
			s := &server{core: d.boot(t), t: t, disk: d}
			now := day
			say := func(run string, seconds int, dead string) {
				for i := range seconds {
					p := secondOf(s, run, i, dead, now)
					give(t, s.core, p, now)
					s.core.tick(now, true)
					if i == 0 && dead != "" && slices.Contains(kills, 1) {
						s.flush(now, beforeStore)
						give(t, s.core, p, now)
					}
					now = now.Add(time.Second)
				}
				s.flush(now, nowhere)
			}
			say("00000000000000b0", 30, "")
			for range 120 { // dark
				s.core.tick(now, true)
				now = now.Add(time.Second)
			}
			s.flush(now, nowhere)
			birth, err := wire.EncodeBirth(wire.Birth{Gateway: "gw-1", Run: "00000000000000b1", Boot: "b1", Version: "1", Clock: wire.Synced, At: now})
			if err != nil {
				t.Fatal(err)
			}
			topic := wire.Topic{Factory: "padma", Gateway: "gw-1", Kind: wire.KindBirth}.String()
			if err := s.take(t.Context(), topic, birth, now); err != nil {
				t.Fatal(err)
			}
			if slices.Contains(kills, 0) {
				s.flush(now, beforeStore)
			}
			say("00000000000000b1", 40, "gw-1-s2")
			var told []string
			for _, tr := range d.transitions {
				if tr.To == safety.Firing && tr.Class == safety.ClassFault && (tr.Rule == "sensor-stale" || tr.Rule == faultOffline) {
					told = append(told, tr.Rule+" "+tr.Sensor)
				}
			}
			if want := []string{faultOffline + " ", "sensor-stale gw-1-s2"}; !slices.Equal(told, want) {
				t.Errorf("told %q, want %q", told, want)
			}
		})
	}
}

// secondOf is the pack of a second of a run: a reading of each of the gateway's
// sensors but the dead one.
func secondOf(s *server, run string, second int, dead string, now time.Time) wire.Pack {
	p := wire.Pack{
		Factory: "padma", Gateway: "gw-1", Run: run, Stream: wire.Readings, Boot: "b1",
		Mono: now.Sub(day).Milliseconds() + 1, Clock: wire.Synced, Sent: now,
	}
	for _, spec := range s.reg.sites["padma"].Sensors {
		if spec.ID != dead {
			p.Records = append(p.Records, wire.Record{At: now, Reading: safety.Reading{Sensor: spec.ID, Quality: safety.Good, Value: 20}})
		}
	}
	p.First = uint64(second*len(p.Records)) + 1
	return p
}
