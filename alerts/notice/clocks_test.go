package notice_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"nirapod/alerts/notice"
	"nirapod/safety"
)

// local reads a time of Asia/Dhaka.
func local(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04:05", text, notice.Dhaka)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestDeadlines(t *testing.T) {
	government := notice.Calendar{Weekend: []time.Weekday{time.Friday, time.Saturday}}
	friday := notice.Calendar{Weekend: []time.Weekday{time.Friday}}
	gazetted := government
	gazetted.Holidays = map[string]bool{"2026-12-16": true}
	moon := government
	moon.Holidays = map[string]bool{"2026-12-16": false}
	never := notice.Calendar{Weekend: []time.Weekday{0, 1, 2, 3, 4, 5, 6}}
	cases := []struct {
		name  string
		d     notice.Deadline
		cal   notice.Calendar
		start string
		want  string
	}{
		{"immediately is now", notice.Deadline{Immediate: true}, government, "2026-11-22 10:00:00", "2026-11-22 10:00:00"},
		{"two working days from a Sunday", notice.Deadline{WorkingDays: 2}, government, "2026-11-22 10:00:00", "2026-11-24 23:59:59"},
		{"two working days over the weekend", notice.Deadline{WorkingDays: 2}, government, "2026-11-26 23:30:00", "2026-11-30 23:59:59"},
		{"the same where only Friday is off", notice.Deadline{WorkingDays: 2}, friday, "2026-11-26 23:30:00", "2026-11-29 23:59:59"},
		{"beginning on the weekend", notice.Deadline{WorkingDays: 2}, government, "2026-11-27 09:00:00", "2026-11-30 23:59:59"},
		{"over a gazetted holiday", notice.Deadline{WorkingDays: 2}, gazetted, "2026-12-14 09:00:00", "2026-12-17 23:59:59"},
		{"over one that the moon decides", notice.Deadline{WorkingDays: 2}, moon, "2026-12-14 09:00:00", "2026-12-16 23:59:59"},
		{"a calendar without working days still ends", notice.Deadline{WorkingDays: 2}, never, "2026-12-14 09:00:00", "2026-12-16 23:59:59"},
		{"three days count the day itself", notice.Deadline{Days: 3}, government, "2026-11-22 10:00:00", "2026-11-24 23:59:59"},
		{"three days from midnight", notice.Deadline{Days: 3}, government, "2026-11-22 00:00:00", "2026-11-24 23:59:59"},
		{"the first half year", notice.Deadline{HalfYearDays: 15}, government, "2026-06-30 23:59:59", "2026-07-15 23:59:59"},
		{"the second half year", notice.Deadline{HalfYearDays: 15}, government, "2026-07-01 00:00:00", "2027-01-15 23:59:59"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got, want := c.d.Due(local(t, c.start), c.cal), local(t, c.want); !got.Equal(want) {
				t.Errorf("got %v, want %v", got.In(notice.Dhaka), want)
			}
		})
	}
}

// The zone is +06:00 whatever the machine's zone data says: 18:30 UTC is
// already the next day in Dhaka.
func TestDaysAreThoseOfDhaka(t *testing.T) {
	late := time.Date(2026, 11, 21, 18, 30, 0, 0, time.UTC)
	got := notice.Deadline{Days: 3}.Due(late, notice.Calendar{})
	if want := time.Date(2026, 11, 24, 17, 59, 59, 0, time.UTC); !got.Equal(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestDeadlineProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := time.Unix(rapid.Int64Range(1_700_000_000, 2_000_000_000).Draw(t, "start"), 0)
		n := rapid.IntRange(1, 30).Draw(t, "n")
		days := notice.Deadline{Days: n}.Due(start, notice.Calendar{})
		if hours := start.Add(time.Duration(n) * 24 * time.Hour); days.After(hours) || days.Before(start) {
			t.Fatalf("%d days from %v end %v", n, start, days)
		}
		narrow := notice.Calendar{Weekend: []time.Weekday{time.Friday}}
		wide := notice.Calendar{Weekend: []time.Weekday{time.Friday, time.Saturday}}
		d := notice.Deadline{WorkingDays: n}
		if d.Due(start, wide).Before(d.Due(start, narrow)) {
			t.Fatalf("more days off made the deadline earlier")
		}
		if d.Due(start, narrow).Before(start.Add(time.Duration(n-1) * 24 * time.Hour)) {
			t.Fatalf("%d working days from %v end %v", n, start, d.Due(start, narrow))
		}
	})
}

func clocksOf(clocks []safety.Clock) map[string]safety.Clock {
	byKey := map[string]safety.Clock{}
	for _, c := range clocks {
		byKey[c.Law+" "+c.Clause+" "+c.Recipient] = c
	}
	return byKey
}

func TestClocksOfAFire(t *testing.T) {
	aware := local(t, "2026-11-26 14:00:00") // a Thursday
	site := safety.Site{Factory: safety.Factory{Regime: "labour_act", WeeklyHoliday: "friday"}}
	got := clocksOf(law(t).Clocks("fire", site, aware))
	want := map[string]string{
		"Labour Act 2006 s.80(1) proviso fire_service":                             "2026-11-26 14:00:00",
		"Labour Act 2006 s.80(1) proviso police":                                   "2026-11-26 14:00:00",
		"Labour Act 2006 s.80(1) proviso government":                               "2026-11-26 14:00:00",
		"Labour Act 2006 s.80(1) proviso dife_office":                              "2026-11-26 14:00:00",
		"Labour Act 2006 s.80(1) inspector":                                        "2026-11-29 23:59:59", // Saturday is worked there
		"Labour (Amendment) Ordinance 65 of 2025 s.80(1) inspector":                "2026-11-29 23:59:59",
		"Labour Act 2006 s.81, r.71 (Form 27ka) inspector_general":                 "2026-11-28 23:59:59",
		"Labour Act 2006 s.81, r.71 (Form 27ka) labour_department_office":          "2026-11-28 23:59:59",
		"Labour Act 2006 s.81, r.71 (Form 27ka) labour_director_general":           "2026-11-28 23:59:59",
		"Labour Act 2006 s.81, r.71 (Form 27ka) inspector":                         "2026-11-28 23:59:59",
		"Labour (Amendment) Ordinance 65 of 2025 s.80(1) labour_department_office": "2026-11-29 23:59:59",
	}
	for key, due := range want {
		if c, ok := got[key]; !ok || !c.DueAt.Equal(local(t, due)) || c.Verified || !c.StartsAt.Equal(aware) {
			t.Errorf("%s: got %+v, want due %s, unverified", key, c, due)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d clocks, want %d: %v", len(got), len(want), got)
	}
}

func TestClocksFollowDatesAndRegime(t *testing.T) {
	l := law(t)
	before := clocksOf(l.Clocks("fire", safety.Site{}, local(t, "2025-11-16 23:59:59")))
	if _, ok := before["Labour (Amendment) Ordinance 65 of 2025 s.80(1) inspector"]; ok {
		t.Error("the Ordinance ran before it was gazetted")
	}
	for key := range clocksOf(l.Clocks("fire", safety.Site{Factory: safety.Factory{Regime: "epz"}}, local(t, "2026-11-22 10:00:00"))) {
		if key != "EPZ Labour Act 2019 not researched zone_authority" {
			t.Errorf("an EPZ factory has the clock %s", key)
		}
	}
	for _, c := range l.Clocks("death", safety.Site{}, local(t, "2026-11-22 10:00:00")) {
		if c.Clause == "s.159" {
			t.Error("the machine opened a clock that starts with a death")
		}
	}
	if got := l.Clocks("crowd", safety.Site{}, local(t, "2026-11-22 10:00:00")); len(got) != 0 {
		t.Errorf("a crowd has clocks %v", got)
	}
}

func TestReceiptMeetsOnlyTheDesksOwnClock(t *testing.T) {
	l := law(t)
	aware := local(t, "2026-11-22 10:00:00")
	received := aware.Add(time.Second)
	clocks := l.Met(l.Clocks("fire", safety.Site{}, aware), received)
	for _, c := range clocks {
		met := c.MetAt != nil
		if want := c.Recipient == "dife_office"; met != want {
			t.Errorf("%s to %s: met is %t", c.Clause, c.Recipient, met)
		}
	}
	if due := notice.EarliestDue(clocks); due == nil || !due.Equal(aware) {
		t.Errorf("earliest open clock %v, want the fire service's, at once", due)
	}
	if due := notice.EarliestDue(nil); due != nil {
		t.Errorf("no clocks, but due %v", due)
	}
}
