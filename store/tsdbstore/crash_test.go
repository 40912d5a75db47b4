package tsdbstore

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"nirapod/safety"
	"nirapod/store"
)

const crashSensors = 20

// crashSample is sample i of a fixed sequence: 20 sensors, 30 s a round, every
// sixth round up to 3 h late, values and reasons mixed. i alone says all, so
// that the parent knows what the killed child acknowledged.
func crashSample(i int) store.Sample {
	round := i / crashSensors
	at := time.Duration(round) * 30 * time.Second
	if round%6 == 5 {
		at -= time.Duration(round*7919%10_800)*time.Second + time.Millisecond
	}
	s := store.Sample{
		Factory: "padma", Gateway: "gw-1", Quantity: safety.CO,
		Reading: safety.Reading{
			Sensor: fmt.Sprintf("s-%02d", i%crashSensors), Value: float64(i) * 0.25, Quality: safety.Good,
			At: time.Unix(1_790_000_000, 0).UTC().Add(at),
		},
	}
	switch i % 11 {
	case 3:
		s.Quality, s.Reason, s.Value = safety.Bad, safety.Timeout, 0
	case 5:
		s.Quality, s.Reason = safety.Uncertain, safety.Inhibit
	}
	return s
}

// batchEnd returns the end of the batch that starts at sample i: one to a few
// rounds.
func batchEnd(i int) int { return i + crashSensors*(1+i/crashSensors%5) }

func crashBatch(from int) []store.Sample {
	batch := make([]store.Sample, 0, batchEnd(from)-from)
	for i := from; i < batchEnd(from); i++ {
		batch = append(batch, crashSample(i))
	}
	return batch
}

// TestCrashChild is not a test of its own: it is the child of TestKill9. It
// appends from sample n on and prints the number of samples acknowledged after
// each batch, with compactions beside the appends.
func TestCrashChild(t *testing.T) {
	dir, from := os.Getenv("NIRAPOD_CRASH_DIR"), os.Getenv("NIRAPOD_CRASH_FROM")
	if dir == "" {
		t.Skip("runs as the child of TestKill9")
	}
	n, err := strconv.Atoi(from)
	if err != nil {
		t.Fatal(err)
	}
	s := openIn(t, dir, Options{segmentSize: 32 << 10})
	compact := make(chan struct{}, 1)
	go func() {
		for range compact {
			if err := s.db.Compact(context.WithoutCancel(t.Context())); err != nil {
				fmt.Println("compaction:", err)
			}
		}
	}()
	for {
		if err := s.Append(t.Context(), crashBatch(n)); err != nil {
			t.Fatal(err)
		}
		n = batchEnd(n)
		fmt.Println("ack", n)
		select {
		case compact <- struct{}{}:
		default:
		}
	}
}

// Everything acknowledged is there after kill -9 and reopening, again and
// again, with write logs so small that they rotate all the time and with
// compactions of head and late samples under way.
func TestKill9(t *testing.T) {
	dir := t.TempDir()
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	acked := 0
	for round := range rounds {
		acked = runAndKill(t, dir, acked, time.Duration(300+round*150)*time.Millisecond)
		s := openIn(t, dir, Options{segmentSize: 32 << 10})
		if s.Repaired() {
			t.Errorf("round %d: the log was damaged", round)
		}
		checkAcked(t, s, acked)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	blocks, err := filepath.Glob(filepath.Join(dir, "*", "meta.json"))
	if err != nil || !testing.Short() && len(blocks) < 3 {
		t.Errorf("%d blocks (%v): no compaction was under way", len(blocks), err)
	}
	t.Logf("%d samples acknowledged over %d kills, %d blocks", acked, rounds, len(blocks))
}

// runAndKill runs the child for at least that long, kills it and returns how
// many samples it acknowledged in all.
func runAndKill(t *testing.T, dir string, acked int, life time.Duration) int {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestCrashChild$")
	child.Env = append(os.Environ(), "NIRAPOD_CRASH_DIR="+dir, "NIRAPOD_CRASH_FROM="+strconv.Itoa(acked))
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var kill *time.Timer
	before := acked
	for lines := bufio.NewScanner(out); lines.Scan(); {
		n, isAck := strings.CutPrefix(lines.Text(), "ack ")
		if !isAck {
			t.Log(lines.Text())
			continue
		}
		if acked, err = strconv.Atoi(n); err != nil {
			t.Fatal(err)
		}
		if kill == nil {
			kill = time.AfterFunc(life, func() { _ = child.Process.Kill() })
		}
	}
	if err := child.Wait(); err == nil || child.ProcessState.ExitCode() != -1 {
		t.Fatalf("the child ended by itself: %v", err)
	}
	if acked == before {
		t.Fatal("the child acknowledged nothing")
	}
	return acked
}

func checkAcked(t *testing.T, s *Store, acked int) {
	t.Helper()
	type id struct {
		sensor string
		at     int64
	}
	stored := map[id]store.Sample{}
	for _, g := range all(t, s) {
		if _, twice := stored[id{g.Sensor, g.At.UnixMilli()}]; twice {
			t.Fatalf("%s came back twice at %v", g.Sensor, g.At)
		}
		stored[id{g.Sensor, g.At.UnixMilli()}] = g
	}
	for i := range acked {
		want := crashSample(i)
		if got := stored[id{want.Sensor, want.At.UnixMilli()}]; got != want {
			t.Fatalf("sample %d of %d acknowledged: got %+v, want %+v", i, acked, got, want)
		}
	}
}

// Loss of power, simulated: what was not synced is gone. The syncs are
// watched, and after each of some batches a copy of the store is made in which
// every log file ends where it was last synced and a file whose directory entry
// was not synced does not exist.
func TestOnlySyncedBytesCount(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir, Options{segmentSize: 32 << 10})
	defer s.Close()
	s.db.DisableCompactions() // blocks are synced by the TSDB; here the logs alone must hold all
	synced, entries := map[uint64]int64{}, map[string]bool{}
	for _, l := range s.logs {
		l.fdatasync = func(f *os.File) error {
			info, err := f.Stat()
			if err != nil {
				return err
			}
			synced[inode(t, f.Name())] = info.Size()
			return fdatasync(f)
		}
		l.fsyncDir = func(dir string) error {
			found, err := os.ReadDir(dir)
			for _, e := range found {
				entries[filepath.Join(dir, e.Name())] = true
			}
			return err
		}
		// What Open synced counts from here on.
		if err := l.close(); err != nil {
			t.Fatal(err)
		}
		l.number, l.size = -1, -1
	}
	r := rand.New(rand.NewPCG(5, 6))
	acked, all := 0, 30_000
	if testing.Short() {
		all = 10_000
	}
	for acked < all {
		if err := s.Append(t.Context(), crashBatch(acked)); err != nil {
			t.Fatal(err)
		}
		acked = batchEnd(acked)
		if r.IntN(100) == 0 || acked >= all {
			after := openIn(t, afterPowerLoss(t, dir, synced, entries), Options{segmentSize: 32 << 10})
			checkAcked(t, after, acked)
			if err := after.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(entries) < all/3000 {
		t.Errorf("%d segments: the logs did not rotate", len(entries))
	}
}

func afterPowerLoss(t *testing.T, dir string, synced map[uint64]int64, entries map[string]bool) string {
	t.Helper()
	copied := t.TempDir()
	for _, log := range []string{"wal", "wbl"} {
		if err := os.Mkdir(filepath.Join(copied, log), 0o700); err != nil {
			t.Fatal(err)
		}
		err := filepath.WalkDir(filepath.Join(dir, log), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !entries[path] {
				return err
			}
			src, err := os.Open(path)
			if err != nil {
				return err
			}
			defer src.Close()
			data, err := io.ReadAll(io.LimitReader(src, synced[inode(t, path)]))
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(copied, log, e.Name()), data, 0o600)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return copied
}
