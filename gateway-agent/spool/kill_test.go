package spool

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"nirapod/safety"
	"nirapod/wire"
)

const childEnv = "SPOOL_TEST_CHILD" // directory and number of the run

func TestMain(m *testing.M) {
	if args := os.Getenv(childEnv); args != "" {
		child(args)
	}
	os.Exit(m.Run())
}

// child accepts records as fast as it can and says which, until it is killed.
func child(args string) {
	dir, n, _ := strings.Cut(args, "|")
	run, err := strconv.Atoi(n)
	check(err)
	s, err := Open(dir, Config{Run: runID(run), Boot: boot, segment: 16 << 10, MaxBytes: 512 << 10}, quiet)
	check(err)
	go func() { check(s.Run(context.Background())) }()
	for readings, alarms := 0, 0; ; {
		recs := make([]Record, rand.IntN(20)+1)
		for i := range recs {
			readings++
			recs[i] = reading("store-heat", readings, float64(readings)/7)
		}
		check(s.Append(wire.Readings, recs...))
		say("r", readings)
		if rand.IntN(40) == 0 {
			alarms++
			check(s.Append(wire.Alarms, transition(alarms)))
			say("a", alarms)
		}
		if rand.IntN(100) == 0 {
			upto := rand.IntN(readings) + 1
			say("c", upto)
			check(s.Release(runID(run), wire.Readings, []safety.Span{{From: 1, To: uint64(upto)}}))
		}
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		os.Exit(3)
	}
}

func say(what string, n int) {
	_, err := os.Stdout.WriteString(what + " " + strconv.Itoa(n) + "\n")
	check(err)
}

// TestKilledAtAnyMomentAllThatWasAcceptedIsThere kills real processes.
func TestKilledAtAnyMomentAllThatWasAcceptedIsThere(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 40
	}
	dir := t.TempDir()
	total := 0
	for round := range rounds {
		run := 2 * (round + 1)
		said := killRound(t, dir, run, time.Duration(rand.IntN(25_000))*time.Microsecond)
		total += said["r"] + said["a"]
		s := open(t, dir, Config{Run: runID(run + 1), segment: 16 << 10, MaxBytes: 512 << 10})
		checkAccepted(t, s, runID(run), wire.Readings, said["r"], said["c"])
		checkAccepted(t, s, runID(run), wire.Alarms, said["a"], 0)
		if rand.IntN(3) > 0 {
			for _, x := range s.Extents(wire.Readings) {
				if err := s.Release(x.Run, wire.Readings, []safety.Span{{From: 1, To: x.To}}); err != nil {
					t.Fatal(err)
				}
			}
		}
		closeSpool(t, s)
	}
	if total < rounds {
		t.Fatalf("only %d records in %d rounds: nothing was tried", total, rounds)
	}
	t.Logf("%d kills, %d accepted records", rounds, total)
}

// killRound returns the last number that the child said of each kind.
func killRound(t *testing.T, dir string, run int, life time.Duration) map[string]int {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s|%d", childEnv, dir, run))
	var trouble strings.Builder
	cmd.Stderr = &trouble
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := map[string]int{}
	r := bufio.NewReader(out)
	var deadline <-chan time.Time
	if run%8 == 0 { // also while it opens
		deadline = time.After(life)
	}
	killed := make(chan struct{})
	first := make(chan struct{})
	go func() {
		defer close(killed)
		select {
		case <-first:
			<-time.After(life)
		case <-deadline:
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
	}()
	for lines := 0; ; lines++ {
		line, err := r.ReadString('\n')
		if err != nil {
			if !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			break
		}
		if lines == 0 {
			close(first)
		}
		what, n, _ := strings.Cut(strings.TrimSpace(line), " ")
		value, err := strconv.Atoi(n)
		if err != nil {
			t.Fatalf("child said %q", line)
		}
		said[what] = max(said[what], value)
	}
	<-killed
	if err := cmd.Wait(); err == nil || trouble.Len() > 0 {
		t.Fatalf("child ended with %v: %s", err, &trouble)
	}
	return said
}

// checkAccepted fails unless every number of run up to accepted is held
// unchanged, declared gone by the bound, or was released up to released.
func checkAccepted(t *testing.T, s *Spool, run string, stream wire.Stream, accepted, released int) {
	t.Helper()
	recs, gone := held(t, s, run, stream)
	have := len(recs)
	for seq, r := range recs {
		want := fmt.Sprint(reading("store-heat", int(seq), float64(seq)/7))
		if stream == wire.Alarms {
			r.Transition.Point, want = "", ""
			if r.Mono == transition(int(seq)).Mono {
				continue
			}
		}
		if fmt.Sprint(r) != want {
			t.Fatalf("run %s: record %d is %+v, accepted was %s", run, seq, r, want)
		}
	}
	for _, g := range gone {
		if g.Reason == wire.GoneCorrupt || stream == wire.Alarms {
			t.Fatalf("run %s stream %s: %v was lost", run, stream, g)
		}
		have += int(g.Span.To - g.Span.From + 1)
	}
	var x Extent
	for _, e := range s.Extents(stream) {
		if e.Run == run {
			x = e
		}
	}
	if x.From > uint64(released)+1 {
		t.Fatalf("run %s stream %s: held from %d, released only up to %d", run, stream, x.From, released)
	}
	if accepted > released && (x.To < uint64(accepted) || have != int(x.To-x.From+1)) {
		t.Fatalf("run %s stream %s: accepted up to %d, released up to %d, held %d numbers: %+v", run, stream, accepted, released, have, x)
	}
}
