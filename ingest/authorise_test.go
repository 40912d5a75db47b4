package ingest

import (
	"testing"
	"time"

	"nirapod/safety"
)

// An alarm that was under way longer than the series store takes readings for
// is still as old as it is: nobody is to be told that it burns now.
func TestAnAlarmKeepsItsPast(t *testing.T) {
	now := day.Add(time.Hour)
	d := newDisk(testSite("padma", 1, "gw-1"))
	c := d.boot(t)
	p := alarms(1, 2)
	p.Records[0].At, p.Records[1].At = now.Add(-maxAge-time.Hour), now.Add(maxFuture+time.Second)
	give(t, c, p, now)
	d.flush(c, now, nowhere, true)
	if len(d.transitions) != 2 || !d.transitions[0].At.Equal(p.Records[0].At) || !d.transitions[1].At.Equal(now) {
		t.Errorf("told %+v", d.transitions)
	}
}

// What a gateway says about itself is told apart by name and by gateway.
func TestFaultsOfGateways(t *testing.T) {
	d := newDisk(testSite("padma", 1, "gw-1", "gw-2"))
	c := d.boot(t)
	for _, gateway := range []string{"gw-1", "gw-2"} {
		p := alarms(1, 2)
		p.Gateway = gateway
		for i, rule := range []string{"gateway-fault/outputs", "gateway-fault/spool"} {
			p.Records[i].Transition = &safety.Transition{
				Point: safety.PointID("padma", rule, gateway), Pack: "gateway", Rule: rule, RuleVersion: "1",
				Hazard: safety.HazardSystem, Class: safety.ClassFault, Severity: safety.Warning,
				Grade: safety.Industrial, From: safety.Inactive, To: safety.Firing,
			}
		}
		give(t, c, p, day.Add(time.Minute))
	}
	d.flush(c, day.Add(time.Minute), nowhere, true)
	points := map[string]bool{}
	for _, tr := range d.transitions {
		points[tr.Point] = true
		if tr.Point != safety.PointID("padma", tr.Rule, tr.Source) {
			t.Errorf("%s of %s is at point %s", tr.Rule, tr.Source, tr.Point)
		}
	}
	if len(d.transitions) != 4 || len(points) != 4 {
		t.Errorf("%d transitions at %d points: %+v", len(d.transitions), len(points), d.transitions)
	}
}
