package ingest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"nirapod/safety"
	"nirapod/wire"
)

// taken says which records were decided, in the order of deciding, and what
// would be committed now.
func taken(c *core, d *disk, now time.Time) (order, commit string) {
	var seqs []string
	for _, o := range c.batch.origins {
		seqs = append(seqs, fmt.Sprint(o.seq))
	}
	commits, _ := d.flush(c, now, nowhere, true)
	for _, m := range commits {
		commit += fmt.Sprintf("%d%v", m.commit.Upto, m.commit.Ranges)
	}
	return strings.Join(seqs, " "), commit
}

func TestOrder(t *testing.T) {
	gone := func(p wire.Pack, from, to uint64) wire.Pack {
		p.Gone = []wire.Gone{{Span: safety.Span{From: from, To: to}, Reason: wire.GoneFull}}
		return p
	}
	type step struct {
		after  time.Duration
		pack   *wire.Pack // nil: only time passes
		order  string
		commit string
	}
	pack := func(p wire.Pack) *wire.Pack { return &p }
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"in order", []step{
			{0, pack(readings(1, 3)), "1 2 3", "3[]"},
			{0, pack(readings(4, 1)), "4", "4[]"},
		}},
		{"a repeat is skipped and committed again", []step{
			{0, pack(readings(1, 3)), "1 2 3", "3[]"},
			{0, pack(readings(1, 3)), "", "3[]"},
			{0, pack(readings(2, 4)), "4 5", "5[]"},
		}},
		{"a pack before its turn waits for the resend", []step{
			{0, pack(readings(1, 2)), "1 2", "2[]"},
			{0, pack(readings(5, 2)), "", "2[]"},
			{9 * time.Second, nil, "", ""},
			{0, pack(readings(3, 2)), "3 4 5 6", "6[]"},
		}},
		{"waiting packs go in order", []step{
			{0, pack(readings(7, 2)), "", "0[]"},
			{0, pack(readings(3, 2)), "", "0[]"},
			{0, pack(readings(5, 2)), "", "0[]"},
			{0, pack(readings(1, 2)), "1 2 3 4 5 6 7 8", "8[]"},
		}},
		{"a gap that stays open is given up after 10 s", []step{
			{0, pack(readings(1, 2)), "1 2", "2[]"},
			{0, pack(readings(5, 2)), "", "2[]"},
			{0, pack(readings(9, 1)), "", "2[]"},
			{10 * time.Second, nil, "5 6 9", ""},
			{0, pack(readings(10, 1)), "10", "2[{5 6} {9 10}]"},
			{0, pack(readings(3, 2)), "3 4", "6[{9 10}]"},
			{0, pack(readings(7, 2)), "7 8", "10[]"},
		}},
		{"a declared gap is no gap", []step{
			{0, pack(readings(1, 2)), "1 2", "2[]"},
			{0, pack(gone(readings(6, 1), 3, 5)), "6", "6[]"},
		}},
		{"a declared gap lets waiting packs go", []step{
			{0, pack(readings(4, 1)), "", "0[]"},
			{0, pack(gone(readings(5, 1), 1, 3)), "4 5", "5[]"},
		}},
		{"newest first after an outage", []step{
			{0, pack(readings(1, 1)), "1", "1[]"},
			{0, pack(readings(90, 5)), "", "1[]"},
			{10 * time.Second, nil, "90 91 92 93 94", ""},
			{0, pack(readings(95, 1)), "95", "1[{90 95}]"},
			{0, pack(readings(85, 5)), "85 86 87 88 89", "1[{85 95}]"},
			{0, pack(readings(2, 83)), strings.TrimSpace(numbers(2, 84)), "95[]"},
		}},
		{"transitions go at once in any order", []step{
			{0, pack(alarms(4, 1)), "", "0[{4 4}]"},
			{0, pack(alarms(1, 2)), "", "2[{4 4}]"},
			{0, pack(alarms(1, 4)), "", "4[]"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDisk(testSite("padma", 1, "gw-1"))
			core, now := d.boot(t), day.Add(5*time.Minute)
			for i, s := range c.steps {
				now = now.Add(s.after)
				if s.pack != nil {
					give(t, core, *s.pack, now)
				} else {
					core.tick(now, true)
				}
				order, commit := taken(core, d, now)
				if order != s.order || commit != s.commit {
					t.Errorf("step %d: took %q, commits %q; want %q, %q", i, order, commit, s.order, s.commit)
				}
			}
		})
	}
}

func numbers(from, to int) (s string) {
	for n := from; n <= to; n++ {
		s += fmt.Sprint(n, " ")
	}
	return s
}

// Runs are apart, and only the newest one's commits may stay at the broker.
func TestRuns(t *testing.T) {
	d := newDisk(testSite("padma", 1, "gw-1"))
	c, now := d.boot(t), day.Add(time.Minute)
	retained := func(p wire.Pack) bool {
		give(t, c, p, now)
		commits, _ := d.flush(c, now, nowhere, true)
		if len(commits) != 1 || commits[0].commit.Run != p.Run {
			t.Fatalf("commits %+v", commits)
		}
		return commits[0].retain
	}
	first, second, third := readings(1, 1), readings(2, 1), readings(1, 1)
	second.Run, second.First, third.Run = "00000000000000bb", 1, "00000000000000cc"
	third.Records[0].At = third.Records[0].At.Add(5 * time.Second)
	if !retained(first) || !retained(second) {
		t.Error("a run that was first seen last is the newest")
	}
	if retained(first) {
		t.Error("an older run took the place of the newest")
	}
	birth, err := wire.EncodeBirth(wire.Birth{
		Gateway: "gw-1", Run: first.Run, Boot: "b1", Version: "1", Clock: wire.Synced, At: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.take(t.Context(), wire.BirthTopic("padma", "gw-1").String(), birth, now); err != nil {
		t.Fatal(err)
	}
	if !retained(first) || retained(second) || retained(third) {
		t.Error("the run of the last birth is the newest")
	}
}

// Beyond the bound the longest-waiting gap is given up; nothing is lost.
func TestHeldRecordsAreBounded(t *testing.T) {
	var gateways []string
	for i := range 120 {
		gateways = append(gateways, fmt.Sprintf("gw-%d", i))
	}
	d := newDisk(testSite("padma", 1, gateways...))
	c, now := d.boot(t), day.Add(30*time.Minute)
	for _, g := range gateways {
		p := readings(2, 1000)
		p.Gateway = g
		for i := range p.Records {
			p.Records[i].Reading.Sensor = sensorID(g, 0)
		}
		now = now.Add(time.Millisecond)
		give(t, c, p, now)
		if c.held > maxHeld {
			t.Fatalf("%d records are held", c.held)
		}
	}
	if got := len(c.batch.samples); got != 20_000 || c.batch.samples[0].Gateway != "gw-0" {
		t.Errorf("%d samples went on, the first of %s; want those of the 20 that waited longest", got, c.batch.samples[0].Gateway)
	}
}
