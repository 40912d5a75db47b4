package agent

import (
	"errors"
	"slices"
	"testing"
	"time"

	"nirapod/safety"
	"nirapod/wire"
)

func TestABrokenPartIsToldToTheServerOnceAndItsRepair(t *testing.T) {
	c := still(t)
	for _, f := range []fault{
		{partSounder, false}, {partSounder, true}, {partSounder, true}, {partSpool, true}, {partSounder, false},
	} {
		c.part(f)
	}
	type edge struct {
		rule     string
		from, to safety.State
	}
	var got []edge
	for _, r := range c.journal.alarms {
		tr := r.Transition
		got = append(got, edge{tr.Rule, tr.From, tr.To})
		if tr.Class != safety.ClassFault || tr.Hazard != safety.HazardSystem || tr.Severity != safety.Warning ||
			tr.Zone != "" || tr.Sensor != "" || tr.Clause == "" || tr.Flags != safety.Simulated {
			t.Errorf("transition %+v", tr)
		}
		if want := safety.PointID("padma", tr.Rule, "gw-1"); tr.Point != want {
			t.Errorf("point %s, want %s: that of its rule at its gateway", tr.Point, want)
		}
		if off := time.Since(r.Wall).Abs(); off > 5*time.Second {
			t.Errorf("placed %v from now", off)
		}
	}
	want := []edge{
		{"gateway-fault/sounder", safety.Unknown, safety.Inactive},
		{"gateway-fault/sounder", safety.Inactive, safety.Firing},
		{"gateway-fault/spool", safety.Unknown, safety.Firing},
		{"gateway-fault/sounder", safety.Firing, safety.Inactive},
	}
	if !slices.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
}

func TestEveryFaultOfAPartPassesTheWire(t *testing.T) {
	c := still(t)
	for p := range partClauses {
		c.part(fault{p, true})
	}
	pack := wire.Pack{
		Factory: "padma", Gateway: "gw-1", Run: "0123456789abcdef", Stream: wire.Alarms, First: 1, Boot: "boot",
		Clock: wire.Synced, Anchor: "a", Sent: time.Now().UTC().Truncate(time.Millisecond),
	}
	for _, r := range c.journal.alarms {
		pack.Records = append(pack.Records, wire.Record{At: pack.Sent, Transition: r.Transition})
	}
	if len(pack.Records) != 6 {
		t.Fatalf("%d faults, want one of each part", len(pack.Records))
	}
	data, err := wire.Encode(pack)
	if err != nil {
		t.Fatal(err)
	}
	read, err := wire.Decode(wire.PackTopic("padma", "gw-1", wire.Alarms, false), data)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range read.Records {
		if r.Transition.Rule != pack.Records[i].Transition.Rule || r.Transition.Point != pack.Records[i].Transition.Point {
			t.Errorf("sent %+v, read %+v", pack.Records[i].Transition, r.Transition)
		}
	}
}

func TestASounderThatCannotSoundCallsStaff(t *testing.T) {
	c := still(t)
	c.part(fault{partUplink, true})
	c.part(fault{partOutputs, true})
	if o := c.ann.Outputs(); o.Staff || !o.Fault {
		t.Errorf("%+v: other parts are a fault and no call", o)
	}
	c.part(fault{partSounder, true})
	if o := c.outputs.want; !o.Staff || o.Evacuate {
		t.Fatalf("%+v, want the buzzer", o)
	}
	c.command(wire.Command{
		ID: "1", Kind: wire.CommandAck, Point: safety.PointID("padma", "gateway-fault/sounder", "gw-1"),
		Expires: time.Now().Add(time.Minute),
	})
	if o := c.outputs.want; o.Staff || !o.Fault {
		t.Errorf("%+v after the acknowledgement, want the fault to stay and the buzzer to stop", o)
	}
	c.part(fault{partSounder, false})
	c.part(fault{partSounder, true})
	if !c.outputs.want.Staff {
		t.Error("it breaks again and nobody is called")
	}
	c.part(fault{partSounder, false})
	if c.outputs.want.Staff {
		t.Error("the sounder is sound and the buzzer goes on")
	}
}

func TestHealthTellsItsFirstStateAndChanges(t *testing.T) {
	var told []bool
	h := health{tell: func(b bool) { told = append(told, b) }}
	var logged []bool
	for _, err := range []error{nil, nil, errors.New("gone"), errors.New("gone"), nil} {
		logged = append(logged, h.report(err))
	}
	if !slices.Equal(told, []bool{false, true, false}) || !slices.Equal(logged, []bool{false, false, true, false, true}) {
		t.Errorf("told %v, logged %v", told, logged)
	}
}
