package contact_test

import (
	"testing"
	"time"

	"nirapod/gateway-agent/device/contact"
)

const step = 10 * time.Millisecond

// feed observes one character a step: 1 operated, 0 not, x no sample. It
// returns the state after each: 1, 0 or ? for not known.
func feed(in *contact.Input, at *time.Duration, levels string) string {
	got := ""
	for _, c := range levels {
		if c == 'x' {
			in.Lost()
		} else {
			in.Observe(c == '1', *at)
		}
		*at += step
		state, known := in.Operated()
		switch {
		case !known:
			got += "?"
		case state:
			got += "1"
		default:
			got += "0"
		}
	}
	return got
}

func TestDebounce(t *testing.T) {
	cases := []struct {
		name         string
		hold         time.Duration
		latch        bool
		levels, want string
	}{
		{"changes after the hold time", 50 * time.Millisecond, false,
			"0000000111111", "?????00" + "000011"},
		{"bounce is integrated, not counted as time at a level", 50 * time.Millisecond, false,
			"000000" + "1010101010" + "111111", "?????0" + "0000000000" + "000011"},
		{"a lost sample is no time at a level", 50 * time.Millisecond, false,
			"000000" + "1111x" + "1111" + "111", "?????0" + "00000" + "0000" + "011"},
		{"a call point stays operated", 100 * time.Millisecond, true,
			"00000000000" + "11111111111" + "000000000000", "??????????0" + "00000000011" + "111111111111"},
		{"operated since before the start", 50 * time.Millisecond, false, "1111111", "?????11"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var at time.Duration
			if got := feed(contact.New(c.hold, c.latch), &at, c.levels); got != c.want {
				t.Errorf("levels %s\ngot    %s\nwant   %s", c.levels, got, c.want)
			}
		})
	}
}

func TestAGapBetweenSamplesNeverDecidesByItself(t *testing.T) {
	in := contact.New(100*time.Millisecond, true)
	var at time.Duration
	feed(in, &at, "000000000000")
	in.Observe(true, at+10*time.Second)
	if operated, _ := in.Operated(); operated {
		t.Error("one sample after a long gap operated a call point")
	}
}

func TestReleaseNeedsTheContactToBeBack(t *testing.T) {
	in := contact.New(100*time.Millisecond, true)
	var at time.Duration
	feed(in, &at, "000000000000"+"1111111111111")
	if in.Release() {
		t.Error("released while still pressed")
	}
	feed(in, &at, "0000000000000")
	if operated, _ := in.Operated(); !operated {
		t.Fatal("the latch went with the finger")
	}
	if !in.Release() {
		t.Error("not released after the contact came back")
	}
	if operated, known := in.Operated(); operated || !known {
		t.Errorf("after release: operated %v, known %v", operated, known)
	}
}

func TestChatter(t *testing.T) {
	in := contact.New(50*time.Millisecond, false)
	var at time.Duration
	for range 6 {
		feed(in, &at, "00000000"+"11111111")
	}
	if !in.Chatters(at) {
		t.Error("twelve changes in a second are not chatter")
	}
	if in.Chatters(at + time.Minute) {
		t.Error("chatter for ever")
	}
}
