package alerts

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nirapod/safety"
	"nirapod/state"
)

// story is what two sources say about one point, each in its own order.
type story []safety.Transition

func drawStory(t *rapid.T, point string) story {
	var all story
	for _, source := range []string{"gw-1", safety.ServerSource} {
		at, was := 0, safety.Unknown
		for range rapid.IntRange(1, 8).Draw(t, "length of "+source) {
			at += rapid.IntRange(1, 40).Draw(t, "pause")
			to := rapid.SampledFrom([]safety.State{safety.Unknown, safety.Inactive, safety.Pending, safety.Firing}).Draw(t, "to")
			if to == was {
				continue
			}
			all = append(all, safety.Transition{
				Factory: "padma", Source: source, Run: "00000000000000aa", Point: point, Rule: "r", Hazard: safety.HazardSystem,
				Class: safety.ClassFault, Severity: safety.Warning, Zone: "store", From: was, To: to, At: second(at),
			})
			was = to
		}
	}
	return all
}

// holds is what a source says at the end of its story: whether it is firing,
// and whether it has not been inactive since it last fired.
func (s story) holds(source string) (firing, active bool) {
	for _, t := range s {
		if t.Source != source {
			continue
		}
		firing = t.To == safety.Firing
		active = firing || active && t.From != safety.Inactive && t.To != safety.Inactive
	}
	return firing, active
}

func (s story) sortedByTime() story {
	sorted := slices.Clone(s)
	slices.SortStableFunc(sorted, func(a, b safety.Transition) int { return a.At.Compare(b.At) })
	return sorted
}

// deliver applies the story in pages of any size, with acknowledgements and
// restarts in between, and checks after each page what must always hold.
func (r *rig) deliver(t *rapid.T, s story, inOrder bool) {
	for done := 0; done < len(s); {
		n := rapid.IntRange(1, len(s)-done).Draw(t, "page")
		page := slices.Clone(s[done : done+n])
		for i := range page {
			r.seq++
			page[i].Seq = r.seq
			if r.now.Before(page[i].At) {
				r.now = page[i].At
			}
		}
		r.must(r.db.CommitBatch(r.t.Context(), batch(page...)))
		if rapid.Bool().Draw(t, "restart") {
			r.a.cursor = 0
		}
		r.step()
		done += n
		r.check(t, s[0].Point, s[:done], inOrder)
		if alert, open := r.openAt(s[0].Point); open && rapid.Bool().Draw(t, "acknowledge") {
			_, err := r.a.Acknowledge(r.t.Context(), "rahima", alert.ID, r.now)
			r.must(err)
			r.check(t, s[0].Point, s[:done], inOrder)
		}
		r.must(r.db.CommitBatch(r.t.Context(), batch(page...)))
		before, err := r.db.LastChange(r.t.Context())
		r.must(err)
		if s[0].Source != safety.ServerSource { // the server's own are never sent again
			r.step()
		}
		if after, err := r.db.LastChange(r.t.Context()); err != nil || after != before {
			t.Fatalf("the same page again changed something, %v", err)
		}
	}
}

func (r *rig) openAt(point string) (open state.Alert, ok bool) {
	alerts := r.at(point)
	i := slices.IndexFunc(alerts, func(a state.Alert) bool { return a.State != safety.Cleared })
	if i < 0 {
		return open, false
	}
	return alerts[i], true
}

func (r *rig) at(point string) (alerts []state.Alert) {
	r.t.Helper()
	r.must(r.db.Book(r.t.Context(), func(b *state.Book) (err error) {
		if alerts, err = b.ClosedAlerts(r.t.Context(), point, 1000); err != nil {
			return err
		}
		if open, err := b.OpenAlert(r.t.Context(), point); err == nil {
			alerts = append(alerts, open)
		}
		return nil
	}))
	return alerts
}

func (r *rig) check(t *rapid.T, point string, told story, inOrder bool) {
	alerts := r.at(point)
	open, isOpen := r.openAt(point)
	firing, active := false, false
	for _, source := range []string{"gw-1", safety.ServerSource} {
		f, a := told.sortedByTime().holds(source)
		firing, active = firing || f, active || a
	}
	if active && (!isOpen || open.Condition == conditionInactive) {
		t.Fatalf("a source has not said inactive, but the alerts are %+v", alerts)
	}
	if inOrder && !active && isOpen && open.Condition != conditionInactive {
		t.Fatalf("all said inactive, but the alert says %s", open.Condition)
	}
	if inOrder && isOpen && firing != (open.Condition == conditionFiring) {
		t.Fatalf("firing is %t, the alert says %s", firing, open.Condition)
	}
	for _, a := range alerts {
		if a.State == safety.Cleared && (a.AcknowledgedAt == nil || a.Condition != conditionInactive) {
			t.Fatalf("cleared without a person or with its condition: %+v", a.Alert)
		}
		if (a.State == safety.Returned) != (a.Condition == conditionInactive && a.AcknowledgedAt == nil) {
			t.Fatalf("state %s, condition %s, acknowledged %v", a.State, a.Condition, a.AcknowledgedAt)
		}
	}
	for _, tr := range told {
		if tr.To == safety.Firing && !slices.ContainsFunc(alerts, func(a state.Alert) bool { return tells(a, tr.At) }) {
			t.Fatalf("nobody was told of %v; alerts %+v", tr.At, alerts)
		}
	}
}

// tells reports whether an alert is about a time.
func tells(a state.Alert, at time.Time) bool {
	return !at.Before(a.OccurredAt) && (a.Work.EndedAt == nil || !at.After(a.Work.EndedAt.Add(sameEpisode))) ||
		slices.ContainsFunc(a.Work.Evidence, func(e state.Evidence) bool { return e.At.Equal(at) })
}

func TestInvariantsInOrder(t *testing.T) {
	r := newRig(t, plant(), Deps{}, Config{})
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		s := drawStory(rt, fmt.Sprintf("ordered-%d", n)).sortedByTime()
		if len(s) > 0 {
			r.now = t0
			r.deliver(rt, s, true)
		}
	})
}

func TestInvariantsOutOfOrder(t *testing.T) {
	r := newRig(t, plant(), Deps{}, Config{})
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		s := rapid.Permutation(drawStory(rt, fmt.Sprintf("shuffled-%d", n))).Draw(rt, "order")
		if len(s) > 0 {
			r.now = t0
			r.deliver(rt, s, false)
		}
	})
}
