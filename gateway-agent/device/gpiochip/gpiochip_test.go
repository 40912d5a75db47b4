package gpiochip

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// board is a chip whose lines can be taken away. It stands for the kernel,
// which has no such chip where tests run.
type board struct {
	lines  []string
	levels map[string]bool
	begun  []string // requests of outputs, with the level at which each line began
	opened int
	broken error
}

var errGone = errors.New("gone")

func (b *board) open(_ string, r request) (handle, error) {
	b.opened++
	began := ""
	for i, name := range r.lines {
		if !slices.Contains(b.lines, name) {
			return nil, fmt.Errorf("no line %s", name)
		}
		if r.out {
			b.levels[name] = r.bits>>i&1 == 1
			began += fmt.Sprint(name, "=", b.levels[name], " ")
		}
	}
	if r.out {
		b.begun = append(b.begun, began)
	}
	return &requested{b, r.lines, false}, nil
}

type requested struct {
	board  *board
	lines  []string
	closed bool
}

func (h *requested) read(mask uint64) (bits uint64, err error) {
	if h.closed || h.board.broken != nil {
		return 0, errGone
	}
	for i, name := range h.lines {
		if h.board.levels[name] {
			bits |= 1 << i
		}
	}
	return bits & mask, nil
}

func (h *requested) write(bits, mask uint64) error {
	if h.closed || h.board.broken != nil {
		return errGone
	}
	for i, name := range h.lines {
		if mask>>i&1 == 1 {
			h.board.levels[name] = bits>>i&1 == 1
		}
	}
	return nil
}

func (h *requested) close() error {
	h.closed = true
	return nil
}

func bankOn(b *board, inputs ...string) *Bank {
	b.levels = map[string]bool{}
	var in []Input
	for _, name := range inputs {
		in = append(in, Input{Name: name})
	}
	bank := New("gpiochip0", in, []Output{{Name: "SOUNDER", Rest: true}, {Name: "BUZZER"}})
	bank.in.open, bank.out.open = b.open, b.open
	return bank
}

func TestAMistypedContactLeavesTheSounderAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &board{lines: []string{"CALL", "SOUNDER", "BUZZER"}}
		bank := bankOn(b, "CALL", "CALL2")
		for range 30 {
			if level, err := bank.Read("CALL"); err == nil || level {
				t.Fatal("inputs that cannot be requested are read")
			}
			if err := bank.Write("SOUNDER", false); err != nil || b.levels["SOUNDER"] {
				t.Fatalf("the sounder is not driven: %v", err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if len(b.begun) != 1 || b.opened > 5 {
			t.Errorf("outputs requested %d times, all %d times in 3 s", len(b.begun), b.opened)
		}
		if _, err := bank.Read("SOUNDER"); err == nil {
			t.Error("an output is read back")
		}
	})
}

func TestLinesAreRequestedAgainAfterAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &board{lines: []string{"CALL", "SOUNDER", "BUZZER"}}
		bank := bankOn(b, "CALL")
		if err := bank.Write("BUZZER", true); err != nil {
			t.Fatal(err)
		}
		if _, err := bank.Read("CALL"); err != nil {
			t.Fatal(err)
		}
		b.broken = errGone
		for range 30 {
			_, err := bank.Read("CALL")
			if werr := bank.Write("SOUNDER", false); !errors.Is(err, errGone) || !errors.Is(werr, errGone) {
				t.Fatalf("read %v, write %v", err, werr)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if b.opened > 10 {
			t.Errorf("requested %d times in 3 s", b.opened)
		}
		b.broken = nil
		b.levels["CALL"] = true
		time.Sleep(reopenPause)
		if level, err := bank.Read("CALL"); err != nil || !level {
			t.Errorf("call point %v, %v", level, err)
		}
		if err := bank.Write("BUZZER", true); err != nil {
			t.Error(err)
		}
		if last := b.begun[len(b.begun)-1]; last != "SOUNDER=false BUZZER=true " {
			t.Errorf("requested again at %s, want at what was wanted last", last)
		}
	})
}

func TestOutputsBeginAtRest(t *testing.T) {
	b := &board{lines: []string{"SOUNDER", "BUZZER"}}
	if err := bankOn(b).Write("BUZZER", false); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(b.begun, []string{"SOUNDER=true BUZZER=false "}) {
		t.Errorf("outputs begin at %v, want the active-low sounder high", b.begun)
	}
}
