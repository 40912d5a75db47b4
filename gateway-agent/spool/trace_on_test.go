//go:build journal

package spool

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"nirapod/safety"
	"nirapod/wire"
)

func TestTheJournalSaysWhatWasTriedAndAccepted(t *testing.T) {
	name := filepath.Join(t.TempDir(), "journal")
	t.Setenv(JournalEnv, name)
	s := open(t, t.TempDir(), Config{Run: runID(1)})
	appendAll(t, s, wire.Readings, reading("store-heat", 1, 21.5), bad(reading("store-rh", 1, 0), safety.CRC))
	appendAll(t, s, wire.Alarms, transition(2))
	if err := s.Append(wire.Readings, reading("", 1, 1)); !errors.Is(err, safety.ErrInvalid) {
		t.Fatal(err)
	}
	closeSpool(t, s)

	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var got []string
	for sc := bufio.NewScanner(f); sc.Scan(); {
		var l JournalLine
		if err := json.Unmarshal(sc.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		if l.Run != runID(1) || l.Boot != boot || l.Mono == 0 || l.Wall == 0 {
			t.Errorf("line %+v", l)
		}
		got = append(got, fmt.Sprint(l.Op, l.Stream, l.Seq, l.Sensor, l.Bits, l.Reason, l.Transition != nil))
	}
	bits := fmt.Sprintf("%016x", math.Float64bits(21.5))
	want := []string{
		"tryr1store-heat" + bits + "false", "tryr2store-rhcrcfalse", "okr1store-heat" + bits + "false", "okr2store-rhcrcfalse",
		"trya1true", "oka1true",
	}
	if !slices.Equal(got, want) {
		t.Errorf("journal is %q, want %q", got, want)
	}
}
