package notice_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"nirapod/safety"
)

// Which papers an incident opens follows from its kind, the regime and the day.
func TestPapersOfAnIncident(t *testing.T) {
	l := law(t)
	now := local(t, "2026-11-22 10:00:00")
	cases := []struct {
		name, kind, regime string
		at                 time.Time
		want               []string
	}{
		{"a fire", "fire", "labour_act", now, []string{"immediate", "s80", "s81"}},
		{"fumes, at a site that says no regime", "fumes", "", now, []string{"immediate", "s80", "s81"}},
		{"a collapse is a dangerous occurrence only", "collapse", "labour_act", now, []string{"s81"}},
		{"an injury", "injury", "labour_act", now, []string{"immediate", "s80", "r70", "s80-register"}},
		{"a death", "death", "labour_act", now, []string{"immediate", "s80"}},
		{"a fire in an EPZ: nothing of section 80", "fire", "epz", now, []string{"epz"}},
		{"before the proviso nothing went at once", "fire", "labour_act", local(t, "2013-07-21 23:59:59"), []string{"s80", "s81"}},
		{"a crowd", "crowd", "labour_act", now, nil},
		{"a locked exit", "exit", "epz", now, nil},
		{"a kind that nobody knows", "invented", "labour_act", now, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, k := range l.Notices(c.kind, safety.Site{Factory: safety.Factory{Regime: c.regime}}, c.at) {
				got = append(got, k.ID)
				if k.Unsigned() != (k.ID == "immediate") {
					t.Errorf("%s goes unsigned: %t", k.ID, k.Unsigned())
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// The papers of an incident carry together exactly the clocks that run.
func TestNoClockIsLostBetweenThePapers(t *testing.T) {
	l := law(t)
	aware := local(t, "2026-11-22 10:00:00")
	for _, kind := range []string{"fire", "ignition", "explosion", "fumes", "water", "collapse", "injury", "death"} {
		for _, regime := range []string{"labour_act", "epz"} {
			f := facts(t)
			f.Incident.Kind, f.Site.Factory.Regime, f.AwareAt = kind, regime, aware
			all := clocksOf(l.Clocks(kind, f.Site, aware))
			for _, k := range l.Notices(kind, f.Site, aware) {
				n := l.Compose(f, k)
				if len(n.Clocks) == 0 || n.DueAt == nil {
					t.Errorf("%s of %s in %s has no clock", k.ID, kind, regime)
				}
				for key := range clocksOf(n.Clocks) {
					if _, ok := all[key]; !ok {
						t.Errorf("%s of %s in %s: %s runs nowhere or twice", k.ID, kind, regime, key)
					}
					delete(all, key)
				}
			}
			for key := range all {
				t.Errorf("%s in %s: no paper carries %s", kind, regime, key)
			}
		}
	}
}

func TestDueOfEachPaper(t *testing.T) {
	f := facts(t)
	f.AwareAt = local(t, "2026-11-26 14:00:00") // a Thursday
	f.Site.Factory.WeeklyHoliday = "friday"
	for id, want := range map[string]string{"immediate": "2026-11-26 14:00:00", "s80": "2026-11-29 23:59:59", "s81": "2026-11-28 23:59:59"} {
		n := law(t).Compose(f, paper(t, id))
		if n.Kind != id || n.Status != safety.NoticeDraft || n.DueAt == nil || !n.DueAt.Equal(local(t, want)) {
			t.Errorf("%s: %s, %s, due %v, want %s", id, n.Kind, n.Status, n.DueAt, want)
		}
		for _, field := range []string{"notice_type", "victims", "cause", "signature"} {
			if !slices.Contains(n.Blank, field) {
				t.Errorf("%s: the machine filled %s", id, field)
			}
		}
	}
}

// Every paper says in both languages what it is, to whom it goes, and that it
// is a draft; an exercise says so on each.
func TestEveryPaperSaysWhatItIs(t *testing.T) {
	for _, k := range law(t).Papers {
		t.Run(k.ID, func(t *testing.T) {
			f := facts(t)
			f.Site.Factory.Regime, f.Incident.Kind = k.Regime, k.Kinds[0]
			n := law(t).Compose(f, k)
			n.Exercise = true
			want := []string{k.Name.BN, k.Name.EN, "written by a machine, not sent, not signed", "EXERCISE: not a real occurrence", "খসড়া"}
			hasNot := []string{"sent by a machine,"}
			if k.Form.EN != "" {
				want = append(want, k.Form.BN, k.Form.EN, "This is not a form prescribed by the Rules.")
			}
			if k.Addressee != "" {
				want = append(want, "প্রতি: ইপিজেড কর্তৃপক্ষ", "To: EPZ authority")
				hasNot = append(hasNot, "Inspector General")
			} else {
				want = append(want, "To: Inspector General", "gazipur")
			}
			for name, got := range map[string]string{"HTML": render(t, n, "bn"), "PDF": readBack(t, printed(t, n, "bn"), "-raw")} {
				for _, words := range want {
					if !strings.Contains(got, words) {
						t.Errorf("%s lacks %q", name, words)
					}
				}
				for _, words := range hasNot {
					if strings.Contains(got, words) {
						t.Errorf("%s has %q", name, words)
					}
				}
			}
		})
	}
}

func TestEveryPaperIsMarkedUnverified(t *testing.T) {
	for _, k := range law(t).Papers {
		if k.Verified || k.Source == "" || k.Confidence == "" {
			t.Errorf("%s: verified %t, source %q, confidence %q", k.ID, k.Verified, k.Source, k.Confidence)
		}
	}
}
