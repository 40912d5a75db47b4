package ingest

import (
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	start := time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)
	type step struct {
		mono  time.Duration // since the start
		wall  time.Duration // the wall clock, relative to the start
		want  time.Duration // ingest time, relative to the start
		wrong bool
	}
	for _, c := range []struct {
		name  string
		saved time.Duration
		first time.Duration // wall clock at the start
		steps []step
	}{
		{"follows the wall clock", -time.Hour, 0, []step{{time.Second, time.Second, time.Second, false}}},
		{"follows a correction forwards", 0, 0, []step{{time.Second, 50 * time.Minute, 50 * time.Minute, false}}},
		{"goes on at half its pace after a correction backwards", 0, 0, []step{
			{10 * time.Second, 10 * time.Second, 10 * time.Second, false},
			{20 * time.Second, 0, 15 * time.Second, false},
			{40 * time.Second, 20 * time.Second, 25 * time.Second, false},
			{60 * time.Second, 40 * time.Second, 40 * time.Second, false},
		}},
		{"does not follow a jump of years", 0, 0, []step{
			{time.Second, 9000 * time.Hour, time.Second, true},
			{2 * time.Second, 9000*time.Hour + time.Second, 2 * time.Second, true},
			{3 * time.Second, -9000 * time.Hour, 3 * time.Second, true},
			{4 * time.Second, 4 * time.Second, 4 * time.Second, false},
		}},
		{"does not go behind an earlier process", 0, -5 * time.Second, []step{
			{2 * time.Second, -3 * time.Second, time.Second, false},
			{10 * time.Second, 5 * time.Second, 5 * time.Second, false},
		}},
		{"does not believe a wall clock that lost its battery", 0, -400_000 * time.Hour, []step{
			{time.Second, -400_000 * time.Hour, time.Second, true},
			{2 * time.Second, 30 * time.Minute, 30 * time.Minute, false},
		}},
		{"a stopped monotonic clock does not go back", 0, 0, []step{
			{time.Second, time.Second, time.Second, false},
			{time.Second, time.Second, time.Second, false},
			{0, time.Second, time.Second, false},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			clk := startClock(start.Add(c.saved), start.Add(c.first), 0)
			for i, s := range c.steps {
				got := clk.at(s.mono, start.Add(s.wall)).Sub(start)
				if got != s.want || clk.wrong != s.wrong {
					t.Errorf("step %d: got %v, wrong %v; want %v, wrong %v", i, got, clk.wrong, s.want, s.wrong)
				}
			}
		})
	}
}
