package state_test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"

	"nirapod/safety"
	"nirapod/state"
)

func transition(seq uint64) safety.Transition {
	return safety.Transition{
		Factory: "padma", Source: "gw-1", Run: "0123456789abcdef", Seq: seq,
		Point: "p1", Pack: "fire", Rule: "heat", RuleVersion: "v1",
		Hazard: safety.HazardFire, Class: safety.ClassAlarm, Severity: safety.Evacuate,
		Zone: "store", Sensor: "store-heat", Grade: safety.Industrial, Clause: "EN 54-5 table 1",
		From: safety.Pending, To: safety.Firing, At: at(int(seq % 60)),
		Values: map[string]float64{"temperature": 0.1 + 0.2, "rise": math.Copysign(0, -1)},
		Flags:  safety.Simulated | safety.Drill,
	}
}

func TestTransitionsComeBackAsTheyWere(t *testing.T) {
	d := open(t, t.TempDir())
	want := []safety.Transition{transition(1), transition(1 << 63), transition(math.MaxUint64), {Factory: "f", To: safety.Unknown}}
	want[1].Values = map[string]float64{"nan": math.NaN(), "+": math.Inf(1), "-": math.Inf(-1), "tiny": 5e-324}
	want[3].Values = map[string]float64{}
	must(t, d.CommitBatch(t.Context(), state.Batch{Transitions: want}))
	got, err := d.TransitionsAfter(t.Context(), 0, 10)
	must(t, err)
	if len(got) != len(want) {
		t.Fatalf("%d transitions, want %d", len(got), len(want))
	}
	for i := range want {
		want[i].ID = int64(i + 1)
		// NaN is not equal to itself; its text is.
		if g, w := fmt.Sprintf("%+v", got[i]), fmt.Sprintf("%+v", want[i]); g != w {
			t.Errorf("transition %d\ngot  %s\nwant %s", i, g, w)
		}
	}
	if !reflect.DeepEqual(got[0], want[0]) {
		t.Errorf("got  %+v\nwant %+v", got[0], want[0])
	}
}

func TestTransitionsAreStoredOnce(t *testing.T) {
	d := open(t, t.TempDir())
	other, server := transition(1), transition(0)
	other.Factory = "meghna" // a gateway cannot take the place of another factory's
	server.Source, server.Run = safety.ServerSource, ""
	commit := func(all ...safety.Transition) {
		must(t, d.CommitBatch(t.Context(), state.Batch{Transitions: all}))
	}
	changed := transition(1)
	changed.To = safety.Inactive
	commit(transition(1), transition(2), transition(1))
	commit(changed, other, transition(3), transition(2))
	commit(server)
	commit(server)
	got, err := d.TransitionsAfter(t.Context(), 0, 100)
	must(t, err)
	var seen []string
	for _, x := range got {
		seen = append(seen, fmt.Sprintf("%s/%s/%d/%v", x.Factory, x.Source, x.Seq, x.To))
	}
	want := []string{
		"padma/gw-1/1/firing", "padma/gw-1/2/firing", "meghna/gw-1/1/firing", "padma/gw-1/3/firing",
		"padma/server/0/firing", "padma/server/0/firing",
	}
	if !slices.Equal(seen, want) {
		t.Errorf("got  %v\nwant %v", seen, want)
	}
}

func TestTransitionsAfter(t *testing.T) {
	d := open(t, t.TempDir())
	must(t, d.CommitBatch(t.Context(), state.Batch{Transitions: []safety.Transition{transition(1), transition(2), transition(3)}}))
	var seqs []uint64
	var cursor int64
	for {
		page, err := d.TransitionsAfter(t.Context(), cursor, 2)
		must(t, err)
		if len(page) == 0 {
			break
		}
		for _, x := range page {
			cursor, seqs = x.ID, append(seqs, x.Seq)
		}
	}
	if !slices.Equal(seqs, []uint64{1, 2, 3}) {
		t.Errorf("read %v", seqs)
	}
}

func TestProgress(t *testing.T) {
	d := open(t, t.TempDir())
	p := state.Progress{Factory: "padma", Gateway: "gw-1", Run: "r", Stream: "a", Upto: 7, Ranges: []safety.Span{{From: 9, To: 12}}}
	q := p
	q.Stream, q.Upto, q.Ranges = "r", math.MaxUint64, nil
	must(t, d.CommitBatch(t.Context(), state.Batch{Progress: []state.Progress{p, q}}))
	p.Upto, p.Ranges = 13, []safety.Span{{From: 20, To: 20}, {From: 1 << 63, To: math.MaxUint64}}
	must(t, d.CommitBatch(t.Context(), state.Batch{Progress: []state.Progress{p}}))
	got, err := d.ProgressAll(t.Context())
	must(t, err)
	if want := []state.Progress{p, q}; !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestEngineStates(t *testing.T) {
	d := open(t, t.TempDir())
	commit := func(states map[string][]byte) {
		must(t, d.CommitBatch(t.Context(), state.Batch{Engine: map[string]map[string][]byte{"padma": states, "meghna": {"x": []byte("m")}}}))
	}
	commit(map[string][]byte{"a": []byte("1"), "b": {0, 255}})
	commit(map[string][]byte{"a": nil, "c": []byte("3"), "b": []byte("2")})
	got, err := d.EngineStates(t.Context(), "padma")
	if want := map[string][]byte{"b": []byte("2"), "c": []byte("3")}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if got, err := d.EngineStates(t.Context(), "nobody"); err != nil || len(got) != 0 {
		t.Errorf("nobody has %v, %v", got, err)
	}
}

func TestCommitBatchIsAllOrNothing(t *testing.T) {
	d := open(t, t.TempDir())
	must(t, d.CommitBatch(t.Context(), state.Batch{Transitions: []safety.Transition{transition(1)}}))
	err := d.Write(t.Context(), noMoreProgress)
	must(t, err)
	err = d.CommitBatch(t.Context(), state.Batch{
		Transitions: []safety.Transition{transition(2)},
		Engine:      map[string]map[string][]byte{"padma": {"k": []byte("v")}},
		Refusals:    []state.Refusal{{Factory: "padma", Gateway: "gw-1", Reason: "future", At: at(0)}},
		Progress:    []state.Progress{{Factory: "padma", Gateway: "gw-1", Run: "r", Stream: "a", Upto: 2}},
	})
	if err == nil {
		t.Fatal("no error from a batch whose progress cannot be stored")
	}
	all, _ := d.TransitionsAfter(t.Context(), 0, 10)
	states, _ := d.EngineStates(t.Context(), "padma")
	gateways, _ := d.Gateways(t.Context())
	if len(all) != 1 || len(states) != 0 || len(gateways) != 0 {
		t.Errorf("half a batch was stored: %d transitions, %d states, %d gateways", len(all), len(states), len(gateways))
	}
}

func TestAnchors(t *testing.T) {
	d := open(t, t.TempDir())
	guess := state.Anchor{Factory: "padma", Gateway: "gw-1", Boot: "b1", ID: "guess", Mono: 5000, Wall: at(5), Provisional: true}
	truth := state.Anchor{Factory: "padma", Gateway: "gw-1", Boot: "b1", ID: "ntp", Mono: 9000, Wall: at(11)}
	if _, err := d.Anchor(t.Context(), "padma", "gw-1", "b1"); !errors.Is(err, safety.ErrNotFound) {
		t.Errorf("an anchor before the first: %v", err)
	}
	for _, a := range []state.Anchor{guess, truth, truth, {Factory: "padma", Gateway: "gw-1", Boot: "b1", ID: "guess 2", Provisional: true}, guess} {
		first, err := d.FirstAnchor(t.Context(), a)
		if err != nil || first != guess {
			t.Errorf("after %s the boot has %+v, %v", a.ID, first, err)
		}
	}
	if got, err := d.Anchor(t.Context(), "padma", "gw-1", "b1"); err != nil || got != guess {
		t.Errorf("Anchor = %+v, %v", got, err)
	}
	corrections, err := d.AnchorCorrections(t.Context(), "padma", "gw-1", "b1")
	if err != nil || !slices.Equal(corrections, []state.Anchor{truth}) {
		t.Errorf("corrections %+v, %v", corrections, err)
	}
	for _, elsewhere := range []state.Anchor{
		{Factory: "padma", Gateway: "gw-1", Boot: "b2", ID: "x", Wall: at(1)},
		{Factory: "meghna", Gateway: "gw-1", Boot: "b1", ID: "x", Wall: at(1)},
	} {
		if first, err := d.FirstAnchor(t.Context(), elsewhere); err != nil || first != elsewhere {
			t.Errorf("another boot got %+v, %v", first, err)
		}
	}
}

func TestGateways(t *testing.T) {
	d := open(t, t.TempDir())
	g := state.GatewayStatus{
		Factory: "padma", ID: "gw-1", Run: "r1", Online: true, Clock: "synced", Version: "1.0",
		At: at(1), Simulated: true, UnknownSensors: []string{"ghost"},
	}
	refused := state.Refusal{Factory: "padma", Gateway: "gw-1", Reason: "future", Span: safety.Span{From: 1, To: math.MaxUint64}, At: at(2)}
	stranger := state.Refusal{Factory: "meghna", Gateway: "gw-9", Reason: "forged topic", At: at(2)}
	must(t, d.SetPresence(t.Context(), g))
	must(t, d.CommitBatch(t.Context(), state.Batch{Refusals: []state.Refusal{refused, stranger, refused}}))
	g.Online, g.At, g.UnknownSensors = false, at(9), []string{}
	must(t, d.SetPresence(t.Context(), g))

	g.Refused = map[string]int64{"future": 2}
	want := []state.GatewayStatus{
		{Factory: "meghna", ID: "gw-9", UnknownSensors: []string{}, Refused: map[string]int64{"forged topic": 1}}, g,
	}
	if got, err := d.Gateways(t.Context()); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
}
