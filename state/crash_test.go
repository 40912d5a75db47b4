package state_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"nirapod/safety"
	"nirapod/state"
)

// TestKill kills a process that commits batches with -9 at random moments and
// looks at what is left: nothing that was committed is missing, and progress,
// transitions and engine state never disagree.
func TestKill(t *testing.T) {
	if dir := os.Getenv("STATE_TEST_COMMIT"); dir != "" {
		commitForever(dir)
		return
	}
	dir := t.TempDir()
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	var total uint64
	for round := range rounds {
		said := killed(t, dir, time.Duration(rand.IntN(120))*time.Millisecond, round%3 == 0)
		d, err := state.Open(t.Context(), dir)
		must(t, err)
		upto := agreed(t, d, round)
		must(t, d.Close())
		if upto < said {
			t.Fatalf("round %d: committed %d is gone, progress is %d", round, said, upto)
		}
		total = upto
	}
	if total == 0 {
		t.Error("nothing was committed in any round")
	}
	t.Logf("%d batches through %d kills", total, rounds)
}

// killed kills a child that commits, some time after it has opened the state,
// or early: after its start, perhaps in the middle of a migration. It returns
// the last batch that the child saw committed.
func killed(t *testing.T, dir string, after time.Duration, early bool) (said uint64) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKill$")
	child.Env = append(os.Environ(), "STATE_TEST_COMMIT="+dir)
	out, err := child.StdoutPipe()
	must(t, err)
	must(t, child.Start())
	lines := bufio.NewScanner(out)
	for armed := false; early || lines.Scan(); early = false {
		if !armed {
			armed = true
			time.AfterFunc(after, func() { child.Process.Kill() })
		}
		if n := uint64(0); scanned(lines.Text(), &n) {
			said = n
		}
	}
	if err := child.Wait(); err == nil || child.ProcessState.Exited() {
		t.Fatalf("the child ended by itself: %v", child.ProcessState)
	}
	return said
}

func scanned(line string, n *uint64) bool {
	got, err := fmt.Sscanf(line, "committed %d", n)
	return got == 1 && err == nil
}

// agreed returns the progress of the one run after comparing all with it.
func agreed(t *testing.T, d *state.DB, round int) (upto uint64) {
	t.Helper()
	progress, err := d.ProgressAll(t.Context())
	must(t, err)
	if len(progress) == 1 {
		upto = progress[0].Upto
	}
	if _, err := d.Audit(t.Context(), anyKey(t), nil); err != nil {
		t.Fatalf("round %d: %v", round, err)
	}
	transitions, err := d.TransitionsAfter(t.Context(), 0, 1<<30)
	must(t, err)
	if uint64(len(transitions)) != upto {
		t.Fatalf("round %d: %d transitions beside progress %d", round, len(transitions), upto)
	}
	for i, x := range transitions {
		if x.Seq != uint64(i)+1 {
			t.Fatalf("round %d: transition %d has seq %d", round, i, x.Seq)
		}
	}
	states, err := d.EngineStates(t.Context(), "padma")
	must(t, err)
	if blob := states["p1"]; upto > 0 && binary.BigEndian.Uint64(blob) != upto {
		t.Fatalf("round %d: engine state %x beside progress %d", round, blob, upto)
	}
	return upto
}

func commitForever(dir string) {
	d, err := state.Open(context.Background(), dir)
	if err != nil {
		panic(err)
	}
	progress, err := d.ProgressAll(context.Background())
	if err != nil {
		panic(err)
	}
	var seq uint64
	if len(progress) == 1 {
		seq = progress[0].Upto
	}
	fmt.Printf("open\n")
	for {
		seq++
		x := transition(seq)
		err := d.CommitBatch(context.Background(), state.Batch{
			Transitions: []safety.Transition{x},
			Engine:      map[string]map[string][]byte{"padma": {"p1": binary.BigEndian.AppendUint64(nil, seq)}},
			Progress:    []state.Progress{{Factory: "padma", Gateway: "gw-1", Run: x.Run, Stream: "a", Upto: seq}},
		})
		if err != nil {
			panic(err)
		}
		fmt.Printf("committed %d\n", seq)
	}
}

// BenchmarkCommitBatch measures durable commits of what ingest commits at a
// time: progress of some gateways, a few transitions and their engine states.
func BenchmarkCommitBatch(b *testing.B) {
	for _, size := range []struct{ gateways, transitions int }{{1, 1}, {10, 10}, {100, 10}, {1000, 10}, {100, 1000}} {
		b.Run(fmt.Sprintf("gateways=%d/transitions=%d", size.gateways, size.transitions), func(b *testing.B) {
			d := open(b, b.TempDir())
			var seq uint64
			for b.Loop() {
				batch := state.Batch{Engine: map[string]map[string][]byte{"padma": {}}}
				for range size.transitions {
					seq++
					batch.Transitions = append(batch.Transitions, transition(seq))
					batch.Engine["padma"][fmt.Sprint("p", seq%500)] = make([]byte, 200)
				}
				for i := range size.gateways {
					batch.Progress = append(batch.Progress, state.Progress{
						Factory: "padma", Gateway: fmt.Sprint("gw-", i), Run: "0123456789abcdef", Stream: "r",
						Upto: seq, Ranges: []safety.Span{{From: seq + 2, To: seq + 9}},
					})
				}
				must(b, d.CommitBatch(b.Context(), batch))
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
		})
	}
}
