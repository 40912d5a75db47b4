package ingest

import (
	"bytes"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"nirapod/safety"
	"nirapod/wire"
)

// Whatever comes, no wrong number reaches the series store, and what can be
// refused for good is on record and committed, so that the gateway goes on.
func TestHostilePacks(t *testing.T) {
	now := day.Add(10 * time.Minute)
	at := func(when time.Time) wire.Pack {
		p := readings(1, 1)
		p.Records[0].At, p.Sent = when, when
		return p
	}
	of := func(change func(*wire.Pack)) wire.Pack {
		p := readings(1, 1)
		change(&p)
		return p
	}
	topic := wire.PackTopic("padma", "gw-1", wire.Readings, false).String()
	encoded := func(p wire.Pack) (string, []byte) { return encode(t, p) }
	raw := func(topic, payload string) func(wire.Pack) (string, []byte) {
		return func(wire.Pack) (string, []byte) { return topic, []byte(payload) }
	}
	for _, c := range []struct {
		name       string
		pack       wire.Pack
		send       func(wire.Pack) (string, []byte)
		production bool
		stored     int
		refused    string // reason on record, "" = none
		upto       uint64
	}{
		{"an honest one", readings(1, 3), encoded, true, 3, "", 3},
		{"from 1970", readings(1, 1), func(p wire.Pack) (string, []byte) {
			topic, payload := encode(t, p)
			return topic, regexp.MustCompile(`"bt":[0-9.e+]+`).ReplaceAll(payload, []byte(`"bt":1`))
		}, false, 0, refusedMalformed, 0},
		{"from 1980", at(time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)), encoded, false, 0, refusedTooOld, 1},
		{"from 2099", at(time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)), encoded, false, 0, refusedFuture, 1},
		{"2 minutes from the future", at(now.Add(2 * time.Minute)), encoded, false, 1, "", 1},
		{"a little more than that", at(now.Add(2*time.Minute + time.Millisecond)), encoded, false, 0, refusedFuture, 1},
		{"7 days old", at(now.Add(-7 * 24 * time.Hour)), encoded, false, 1, "", 1},
		{"a little older", at(now.Add(-7*24*time.Hour - time.Millisecond)), encoded, false, 0, refusedTooOld, 1},
		{"without a clock, from far away", of(func(p *wire.Pack) {
			p.Clock, p.Sent, p.Mono = wire.Unsynced, time.Time{}, math.MaxInt32
			p.Records[0].At, p.Records[0].Offset = time.Time{}, -8*24*time.Hour
		}), encoded, false, 0, refusedTooOld, 1},
		{"of an unknown sensor", of(func(p *wire.Pack) { p.Records[0].Reading.Sensor = "nobody" }), encoded, false, 0, refusedSensor, 1},
		{"of another gateway's sensor", of(func(p *wire.Pack) { p.Records[0].Reading.Sensor = sensorID("gw-2", 0) }), encoded, false, 0, refusedSensor, 1},
		{"in another unit", of(func(p *wire.Pack) { p.Records[0].Unit = "ppm" }), encoded, false, 0, refusedUnit, 1},
		{"in its unit", of(func(p *wire.Pack) { p.Records[0].Unit = "Cel" }), encoded, false, 1, "", 1},
		{"simulated, in a demo", of(func(p *wire.Pack) { p.Records[0].Reading.Flags = safety.Simulated }), encoded, false, 1, "", 1},
		{"simulated, in production", of(func(p *wire.Pack) { p.Records[0].Reading.Flags = safety.Simulated }), encoded, true, 0, refusedSimulated, 1},
		{"a drill, in production", of(func(p *wire.Pack) { p.Records[0].Reading.Flags = safety.Drill }), encoded, true, 1, "", 1},
		{"of an unknown gateway", of(func(p *wire.Pack) { p.Gateway = "gw-9" }), encoded, false, 0, "", 0},
		{"of another factory", of(func(p *wire.Pack) { p.Factory = "meghna" }), encoded, false, 0, "", 0},
		{"no pack at all", wire.Pack{}, raw(topic, "hello"), false, 0, refusedMalformed, 0},
		{"empty", wire.Pack{}, raw(topic, ""), false, 0, refusedMalformed, 0},
		{"deep", wire.Pack{}, raw(topic, strings.Repeat("[", 100_000)), false, 0, refusedMalformed, 0},
		{"oversized", wire.Pack{}, raw(topic, strings.Repeat(" ", wire.MaxPack+1)), false, 0, refusedMalformed, 0},
		{"zeros as CBOR", wire.Pack{}, raw(topic+"/cbor", string(make([]byte, 1000))), false, 0, refusedMalformed, 0},
		{"on no topic of ours", wire.Pack{}, raw("nirapod/v1/../gw-1/r", "[]"), false, 0, "", 0},
		{"another gateway's pack on this topic", of(func(p *wire.Pack) { p.Gateway = "gw-2" }), func(p wire.Pack) (string, []byte) {
			_, payload := encode(t, p)
			return topic, payload
		}, false, 0, refusedMalformed, 0},
		{"a number that is none", readings(1, 1), func(p wire.Pack) (string, []byte) {
			topic, payload := encode(t, p)
			return topic, bytes.Replace(payload, []byte(`"v":1`), []byte(`"v":1e999`), 1)
		}, false, 0, refusedMalformed, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDisk(testSite("padma", 1, "gw-1", "gw-2"), testSite("jamuna", 1, "gw-9"))
			core := d.boot(t)
			core.door.production = c.production
			topic, payload := c.send(c.pack)
			for range 2 { // the second changes nothing
				if err := core.take(t.Context(), topic, payload, now); err != nil {
					t.Fatal(err)
				}
				d.flush(core, now, nowhere, true)
			}
			if len(d.samples) != c.stored {
				t.Errorf("stored %v, want %d samples", d.samples, c.stored)
			}
			reason := ""
			if len(d.refusals) > 0 {
				reason = d.refusals[0].Reason
			}
			if reason != c.refused || len(d.refusals) > 1 {
				t.Errorf("refusals %+v, want one for %q", d.refusals, c.refused)
			}
			key := trackKey{c.pack.Factory, c.pack.Gateway, c.pack.Run, c.pack.Stream}
			if got := d.seqs[key].upto; got != c.upto {
				t.Errorf("committed up to %d, want %d", got, c.upto)
			}
			faulty := false
			for _, tr := range d.transitions {
				faulty = faulty || tr.Rule == faultRefused && tr.To == safety.Firing && tr.Class == safety.ClassFault
			}
			if faulty != (c.refused != "") {
				t.Errorf("fault of the gateway: %v", faulty)
			}
		})
	}
}

// While the server's own clock is in doubt nothing is refused for its time:
// the gateway keeps it.
func TestNothingIsRefusedForItsTimeWhileTheClockIsInDoubt(t *testing.T) {
	d := newDisk(testSite("padma", 1, "gw-1"))
	c := d.boot(t)
	c.clockWrong = true
	now := day.Add(-100 * 24 * time.Hour)
	give(t, c, readings(1, 2), now)
	d.flush(c, now, nowhere, true)
	if len(d.samples) != 0 || len(d.refusals) != 0 || d.seqs[trackKey{"padma", "gw-1", testRun, wire.Readings}].upto != 0 {
		t.Fatalf("samples %v, refusals %v, progress %v", d.samples, d.refusals, d.seqs)
	}
	c.clockWrong = false
	now = day.Add(time.Minute)
	give(t, c, readings(1, 2), now)
	d.flush(c, now, nowhere, true)
	if len(d.samples) != 2 {
		t.Fatalf("samples %v after the clock was set right", d.samples)
	}
}

// An alarm is not refused for its time, nor for a place that the
// registry does not know; who sent it and what its point is made of the server
// says itself.
func TestAlarmsAreTold(t *testing.T) {
	now := day.Add(time.Hour)
	d := newDisk(testSite("padma", 1, "gw-1"))
	c := d.boot(t)
	p := alarms(1, 4)
	p.Records[0].At, p.Records[1].At = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), now.Add(time.Hour)
	stranger := firing("not-in-the-site")
	p.Records[2].Transition = &stranger
	forged := firing(sensorID("gw-1", 0))
	forged.Point, forged.Grade = safety.PointID("padma", "call-point", "cp"), safety.Certified
	p.Records[3].Transition = &forged
	give(t, c, p, now)
	d.flush(c, now, nowhere, true)
	if len(d.transitions) != 4 {
		t.Fatalf("told %+v", d.transitions)
	}
	for i, tr := range d.transitions {
		if tr.Factory != "padma" || tr.Source != "gw-1" || tr.Run != testRun || tr.Seq != uint64(i+1) {
			t.Errorf("transition %d: %+v", i, tr)
		}
		if want := []time.Time{p.Records[0].At, now, p.Records[2].At, p.Records[3].At}[i]; !tr.At.Equal(want) {
			t.Errorf("transition %d is told as of %v, want %v", i, tr.At, want)
		}
	}
	last := d.transitions[3]
	if last.Point != safety.PointID("padma", "static-heat", sensorID("gw-1", 0)) || last.Grade != safety.Industrial {
		t.Errorf("a gateway forged point %s, grade %s", last.Point, last.Grade)
	}
	c.door.production = true
	p = alarms(5, 1)
	p.Records[0].Transition.Flags = safety.Simulated
	give(t, c, p, now)
	d.flush(c, now, nowhere, true)
	if len(d.transitions) != 5 || d.transitions[4].Rule != faultRefused {
		t.Errorf("a simulated alarm in production: %+v", d.transitions[4:])
	}
}
